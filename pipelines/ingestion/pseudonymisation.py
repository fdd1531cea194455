"""From a contract's rows to the lake's rows: raw identifiers become pseudonyms and are collected
for the vault.
"""

from collections.abc import Callable

import polars as pl

from data_contracts.forms.number_plan import number_area, number_kind
from data_contracts.forms.registry import FORMS
from data_contracts.pseudonyms import Pseudonymiser
from pipelines.settings import Settings
from pipelines.storage.installation.keys import open_key, read_key
from pipelines.storage.installation.vault import IdentifierKind, Vault
from pipelines.storage.lake_schemas import DAY, TABLES

__all__ = [
    "ROW_ORIGIN",
    "RowPseudonymiser",
    "load_pseudonymiser",
    "pseudonymise_identifier",
    "record_key",
]

ROW_ORIGIN = ("_file", "_row")
KEY_VERSION = 1
NORMALISED_FORMS = {"person": "id_number", "number": "phone_number", "account": "account_number"}
REGISTER_KEYS = {
    "residents": ("person",),
    "subscribers": ("number", "activated_on"),
    "accounts": ("account", "opened_on"),
    "number_tags": ("number", "tag"),
    "cases": ("case_id",),
}


def record_key(dataset: str) -> tuple[str, ...]:
    """The columns of a register's table that tell one record from another."""
    return REGISTER_KEYS[dataset]


def load_pseudonymiser(settings: Settings, *, makes: bool = True) -> Pseudonymiser:
    """The pseudonymiser of an installation; its key is made on first use in a home without data,
    unless ``makes`` says otherwise.

    Raises ``NotReadyError`` where the key is gone or is not this home's.
    """
    key = open_key(
        settings, "pseudonym.key", makes=makes, fits=lambda found: _made_the_vault(settings, found)
    )
    return Pseudonymiser(key, version=KEY_VERSION)


def _made_the_vault(settings: Settings, key: bytes) -> bool:
    """Whether the pseudonyms in the vault were made with ``key``, as far as they can be opened."""
    sealed_with = settings.keys_folder / "vault.key"
    if not (settings.vault_file.exists() and sealed_with.exists()):
        return True
    known = Vault(settings.vault_file, key=read_key(sealed_with)).any_number()
    if known is None:
        return True
    pseudonym, raw = known
    made = Pseudonymiser(key, version=KEY_VERSION).numbers(pl.Series([raw]))
    return bool(made[0] == pseudonym)


def pseudonymise_identifier(raw: str, *, kind: IdentifierKind, pseudonymiser: Pseudonymiser) -> str:
    """The pseudonym of a raw identifier as people write it: normalised like a delivered one, then
    keyed.
    """
    normalised = FORMS[NORMALISED_FORMS[kind]](pl.Series([raw]))
    keyed = {
        "person": pseudonymiser.persons,
        "number": pseudonymiser.numbers,
        "account": pseudonymiser.accounts,
    }
    key: str = keyed[kind](normalised)[0]
    return key


class RowPseudonymiser:
    """Turns rows into lake rows and collects the raw values behind the pseudonyms until
    ``store_identifiers`` hands them over.
    """

    def __init__(self, pseudonymiser: Pseudonymiser) -> None:
        self._pseudonymise: dict[IdentifierKind, Callable[[pl.Series], pl.Series]] = {
            "person": pseudonymiser.persons,
            "number": pseudonymiser.numbers,
            "account": pseudonymiser.accounts,
        }
        self._records = pseudonymiser.records
        self._raw_identifiers: dict[IdentifierKind, dict[str, str]] = {"number": {}, "account": {}}
        self._people: dict[str, dict[str, str]] = {}
        self._numbers_of: list[tuple[str, str]] | None = None

    def to_lake_rows(
        self, dataset: str, rows: pl.DataFrame, *, files: pl.DataFrame
    ) -> pl.DataFrame:
        """Rows of the lake's schema plus ``_file`` and ``_row``, in the same order.

        ``files`` has one row a file: ``_file``, ``source``, ``file_id``, ``delivered_at`` and
        ``delay`` (Duration).
        """
        described_rows = rows.join(files, on="_file", how="left", maintain_order="left")
        keyed: pl.DataFrame = getattr(self, f"_{dataset}")(described_rows)
        return keyed.select(
            *(pl.col(name).cast(kind) for name, kind in TABLES[dataset].items()), *ROW_ORIGIN
        )

    def collect_holders(self, subscribers: pl.DataFrame) -> None:
        """Collect who holds which number, from all entries of the register as the lake has them."""
        # Whoever is to be reached today is reached at the numbers held today.
        held_now = subscribers.sort("number", "activated_on", nulls_last=False, maintain_order=True)
        latest = held_now.unique("number", keep="last", maintain_order=True)
        self._numbers_of = list(latest.select("person", "number").iter_rows())

    def forget_identifiers(self) -> None:
        """Forget what was collected."""
        for entries in self._raw_identifiers.values():
            entries.clear()
        self._people = {}
        self._numbers_of = None

    def store_identifiers(self, vault: Vault) -> None:
        """Put what was collected into the vault and forget it."""
        for kind, entries in self._raw_identifiers.items():
            if entries:
                vault.put_identifiers(kind, entries)
        if self._people:
            vault.put_people(self._people)
        if self._numbers_of is not None:
            vault.put_numbers_of(self._numbers_of)
        self.forget_identifiers()

    def _calls(self, rows: pl.DataFrame) -> pl.DataFrame:
        peer = pl.col("peer_number")
        ended_at = pl.col("started_at") + pl.duration(seconds=pl.col("duration_s"))
        return rows.with_columns(
            self._records(rows["record_id"]),
            self._pseudonyms("number", rows["msisdn"]).alias("number"),
            self._pseudonyms("number", rows["peer_number"]).alias("peer"),
            number_kind(peer).alias("peer_kind"),
            number_area(peer).alias("peer_area"),
            _known_at(ended_at),
            pl.col("started_at").dt.date().alias(DAY),
        )

    def _transfers(self, rows: pl.DataFrame) -> pl.DataFrame:
        is_merchant = pl.col("peer_account").str.contains("^[A-Za-z]")
        return rows.with_columns(
            self._records(rows["record_id"]),
            self._pseudonyms("account", rows["account_id"]).alias("account"),
            self._pseudonyms("account", rows["peer_account"]).alias("payee"),
            pl.when(is_merchant)
            .then(pl.lit("merchant"))
            .when(pl.col("peer_account").is_not_null())  # interest, fees and cash have no payee
            .then(pl.lit("account"))
            .alias("payee_kind"),
            pl.col("amount").alias("amount_cny"),
            _known_at(pl.col("occurred_at")),
            pl.col("occurred_at").dt.date().alias(DAY),
        )

    def _residents(self, rows: pl.DataFrame) -> pl.DataFrame:
        keyed = rows.with_columns(
            self._person_pseudonyms(rows).alias("person"),
            pl.col("birth_date").dt.month_start().alias("birth_month"),
        )
        payloads = keyed.select("id_number", "name", "address").fill_null("").to_dicts()
        self._people |= dict(zip(keyed["person"], payloads, strict=True))
        return keyed

    def _subscribers(self, rows: pl.DataFrame) -> pl.DataFrame:
        keyed = rows.with_columns(
            self._person_pseudonyms(rows).alias("person"),
            self._pseudonyms("number", rows["msisdn"]).alias("number"),
        )
        self.collect_holders(keyed)
        return keyed

    def _accounts(self, rows: pl.DataFrame) -> pl.DataFrame:
        account = self._pseudonyms("account", rows["account_id"]).alias("account")
        return rows.with_columns(self._person_pseudonyms(rows).alias("person"), account)

    def _number_tags(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(self._pseudonyms("number", rows["number"]).alias("number"))

    def _cases(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(
            self._records(rows["case_id"]),
            self._person_pseudonyms(rows).alias("person"),
            pl.col("loss_amount").alias("loss_amount_cny"),
            self._pseudonym_lists("number", rows["suspect_numbers"]),
            self._pseudonym_lists("account", rows["suspect_accounts"]),
            (pl.col("reported_at") + pl.col("delay")).alias("known_at"),
        )

    def _person_pseudonyms(self, rows: pl.DataFrame) -> pl.Series:
        return self._pseudonymise["person"](rows["id_number"])

    def _pseudonyms(self, kind: IdentifierKind, raws: pl.Series) -> pl.Series:
        keys = self._pseudonymise[kind](raws)
        pairs = pl.DataFrame({"key": keys, "raw": raws}).drop_nulls().unique()
        self._raw_identifiers[kind].update(pairs.iter_rows())
        return keys

    def _pseudonym_lists(self, kind: IdentifierKind, lists: pl.Series) -> pl.Series:
        """The same lists with pseudonyms; a missing list is an empty one."""
        numbered = pl.DataFrame({"raw": lists}).with_row_index("_at")
        items = numbered.explode("raw", empty_as_null=False, keep_nulls=False)
        keyed = items.with_columns(self._pseudonyms(kind, items["raw"]).alias(lists.name))
        gathered = keyed.group_by("_at", maintain_order=True).agg(lists.name)
        joined = numbered.select("_at").join(gathered, on="_at", how="left", maintain_order="left")
        return joined[lists.name].fill_null([])


def _known_at(happened_at: pl.Expr) -> pl.Expr:
    """Nothing is known before the feed's delay has passed, nor before the file that brought it can
    have been there.
    """
    return pl.max_horizontal(happened_at + pl.col("delay"), pl.col("delivered_at")).alias(
        "known_at"
    )
