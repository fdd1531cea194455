"""All that is kept about one person: handed out as one file, or taken out for good."""

import io
import json
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import select

from data_contracts.errors import NotReadyError
from pipelines.ingestion.ingest import recover_loads
from pipelines.ingestion.pseudonymisation import load_pseudonymiser, pseudonymise_identifier
from pipelines.retention.erasure_list import Erased, begin_erasure, erasing, note_erasure
from pipelines.retention.lake_records import erase_rows
from pipelines.retention.published_rows import erase_rows_of_person
from pipelines.settings import Settings
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.installation.databases import open_serving_database
from pipelines.storage.installation.vault import IdentifierKind, Vault
from pipelines.storage.lake import Lake
from pipelines.storage.ledger import Ledger
from pipelines.storage.places.durable_files import write_durably
from pipelines.storage.score_log import remove_scores_of
from serving.database.engine import read_transaction
from serving.database.tables import AlertRow, DispositionRow, ScoreRow

__all__ = ["KEPT_BY_LAW", "ErasedPerson", "erase_again", "erase_person", "export_person"]

#: What stays, and why, for whoever asks.
KEPT_BY_LAW: Mapping[str, str] = {
    "audit trail": "entries about the person, under a pseudonym that nothing opens any more: who "
    "looked at what has to be provable (Cybersecurity Law, article 21; PIPL, articles 47 and 54)",
    "records of others": "that other people had contact with a number of the person, under a name "
    "made up at random: it is their record, and leads nowhere",
    "backups": "until they are replaced; a restored one has to erase again",
}
# The columns of the lake that say whose a row is, and those that say whom somebody dealt with.
OWN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "residents": ("person",),
    "subscribers": ("person", "number"),
    "accounts": ("person", "account"),
    "number_tags": ("number",),
    "cases": ("person",),
    "calls": ("number",),
    "transfers": ("account",),
}
OTHER_COLUMNS: Mapping[str, str] = {"calls": "peer", "transfers": "payee"}
OF_OTHERS = "touched"  # of an alert: whom else its numbers reached
SUSPECT_LISTS = ("suspect_numbers", "suspect_accounts")


@dataclass(frozen=True, kw_only=True)
class _Person:
    """A person by pseudonym, with the numbers and accounts that are the person's."""

    person: str
    numbers: tuple[str, ...]
    accounts: tuple[str, ...]

    @property
    def held(self) -> tuple[str, ...]:
        return (*self.numbers, *self.accounts)


@dataclass(frozen=True, kw_only=True)
class ErasedPerson:
    """What was taken out, by class, and what is kept nevertheless, with the reason."""

    counts: Mapping[str, int]
    kept: Mapping[str, str]


def erase_person(settings: Settings, *, id_number: str, why: str, at: datetime) -> ErasedPerson:
    """Take all that is kept about whoever has this number of an identity document out: records,
    event store, scores, rejected rows, alerts, results, vault.

    A later delivery that names the person again is read like any other: whoever delivers has to
    have a ground for it. Raises ``NotReadyError`` where nothing is kept about the person,
    ``LakeError`` if a load is running.
    """
    with erasing(settings):
        found = _find(settings, id_number=id_number)
        begin_erasure(settings, Erased(at=at, person=found.person, held=found.held))
        with Lake.of(settings).locked():
            counts = _erase(settings, found.person, held=found.held, why=why, at=at)
        erased = Erased(at=at, person=found.person, held=found.held, counts=counts)
        note_erasure(settings, erased)
    return ErasedPerson(counts=counts, kept=KEPT_BY_LAW)


def erase_again(settings: Settings, erased: Erased, *, at: datetime) -> None:
    """End what was begun, or do in a restored home what was done after its backup; the caller keeps
    loads away.
    """
    why = f"begun on {erased.at:%Y-%m-%d} and not ended, or done after the backup restored here"
    _erase(settings, erased.person, held=erased.held, why=why, at=at)


def _erase(
    settings: Settings, person: str, *, held: Sequence[str], why: str, at: datetime
) -> dict[str, int]:
    lake, ledger = Lake.of(settings), Ledger(settings.lake_folder / "ledger.db")
    recover_loads(settings, lake=lake, ledger=ledger, at=at)  # whose number comes before ours
    vault = Vault.open(settings)
    raws = _raw_values(vault, person, held=held)
    counts: Counter[str] = Counter()
    made_up = {key: f"{key[:3]}{secrets.token_urlsafe(12)}" for key in held}
    changed = False
    for dataset, columns in OWN_COLUMNS.items():
        gone = erase_rows(
            lake,
            ledger,
            dataset=dataset,
            change=_without({person, *held}, columns=columns, dataset=dataset, made_up=made_up),
            at=at,
        )
        counts[dataset] = gone or 0
        changed = changed or gone is not None
    ledger.change_undone_rows(
        lambda row: "" if {json.loads(row)["account"], json.loads(row)["payee"]} & {*held} else row
    )
    if changed:
        EventStore.of(settings).empty()
    counts["score logs"] = remove_scores_of(settings.scores_folder, person=person)
    counts["quarantine"] = _remove_rejected(settings, raws=raws, vault=vault)
    for kind, keys in _by_kind(person, held).items():
        known = vault.reveal(kind, keys)
        counts["vault"] += len(known)
        vault.remove(kind, keys)
    published = erase_rows_of_person(
        settings, person=person, held=held, why=why, at=at, counts=counts
    )
    return {name: number for name, number in (counts + Counter(published)).items() if number}


def export_person(settings: Settings, *, id_number: str) -> dict[str, Any]:
    """All that is kept about whoever has this number of an identity document, with raw values, by
    what it is.

    Raises ``NotReadyError`` where nothing is kept about the person.
    """
    found = _find(settings, id_number=id_number)
    lake, vault = Lake.of(settings), Vault.open(settings)
    document: dict[str, Any] = {"pseudonym": found.person}
    for identity in vault.reveal_people([found.person]).values():
        accounts = tuple(vault.reveal("account", found.accounts).values())
        document["person"] = {**vars(identity), "accounts": accounts}
    mine = [found.person, *found.held]
    for dataset, columns in OWN_COLUMNS.items():
        is_mine = pl.any_horizontal(pl.col(name).is_in(mine) for name in columns)
        rows = lake.scan(dataset).filter(is_mine).collect()
        document[dataset] = _with_raw_values(rows, vault=vault).to_dicts()
    engine = open_serving_database(settings)
    try:
        with read_transaction(engine) as session:
            for name, table in (
                ("alerts", AlertRow),
                ("results", DispositionRow),
                ("scores", ScoreRow),
            ):
                rows_of = session.scalars(select(table).where(table.person == found.person))
                names = set(table.__table__.columns.keys()) - {OF_OTHERS}
                document[name] = [{key: getattr(row, key) for key in names} for row in rows_of]
    finally:
        engine.dispose()
    return document


def _find(settings: Settings, *, id_number: str) -> _Person:
    pseudonymiser = load_pseudonymiser(settings, makes=False)
    person = pseudonymise_identifier(id_number, kind="person", pseudonymiser=pseudonymiser)
    lake, vault = Lake.of(settings), Vault.open(settings)

    def held(register: str, column: str) -> tuple[str, ...]:
        rows = lake.scan(register).filter(pl.col("person") == person)
        return tuple(sorted(set(rows.select(column).collect()[column])))

    numbers, accounts = held("subscribers", "number"), held("accounts", "account")
    found = _Person(person=person or "", numbers=numbers, accounts=accounts)
    known = found.held or (person and vault.reveal("person", [person]))
    if not known and lake.scan("cases").filter(pl.col("person") == person).collect().is_empty():
        raise NotReadyError(
            "nothing is kept about a person with this number",
            remedy="Look at the number once more: an identity card has 18 digits.",
        )
    return found


def _without(
    mine: set[str], *, columns: Sequence[str], dataset: str, made_up: Mapping[str, str]
) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """What leaves the person's own rows out, and calls the person otherwise in those of others."""

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        is_mine = pl.any_horizontal(pl.col(name).is_in(list(mine)) for name in columns)
        kept = rows.filter(~is_mine.fill_null(value=False))
        if dataset in OTHER_COLUMNS:
            return kept.with_columns(pl.col(OTHER_COLUMNS[dataset]).replace(made_up))
        if dataset == "cases":
            return kept.with_columns(
                pl.col(name).list.eval(pl.element().replace(made_up)) for name in SUSPECT_LISTS
            )
        return kept

    return change


def _raw_values(vault: Vault, person: str, *, held: Sequence[str]) -> tuple[str, ...]:
    found = [
        raw
        for kind, keys in _by_kind(person, held).items()
        for raw in vault.reveal(kind, keys).values()
    ]
    return tuple(raw for raw in found if raw)


def _by_kind(person: str, held: Sequence[str]) -> dict[IdentifierKind, list[str]]:
    return {
        "person": [person],
        "number": [key for key in held if key.startswith("n")],
        "account": [key for key in held if key.startswith("a")],
    }


def _remove_rejected(settings: Settings, *, raws: Sequence[str], vault: Vault) -> int:
    """Remove the rejected rows in which one of the raw values stands."""
    gone = 0
    for place in sorted(settings.quarantine_folder.glob("batch-*.parquet")):
        rows = pl.read_parquet(place)
        texts = (
            vault.unseal(sealed, bound_to=f"{path}#{row}")
            for path, row, sealed in rows.select("path", "row", "sealed").iter_rows()
        )
        stays = pl.Series(
            [not any(raw in text for raw in raws) for text in texts], dtype=pl.Boolean
        )
        if not stays.all():
            gone += int((~stays).sum())
            content = io.BytesIO()
            rows.filter(stays).write_parquet(content)
            write_durably(place, content.getvalue())
    return gone


def _with_raw_values(rows: pl.DataFrame, *, vault: Vault) -> pl.DataFrame:
    """Rows with the raw values of numbers and accounts in the place of their pseudonyms."""
    kinds: dict[IdentifierKind, tuple[str, ...]] = {
        "number": ("number", "peer"),
        "account": ("account", "payee"),
    }
    for kind, names in kinds.items():
        for name in set(names) & set(rows.columns):
            raws = vault.reveal(kind, rows[name].drop_nulls().unique().to_list())
            rows = rows.with_columns(pl.col(name).replace(raws))
    return rows
