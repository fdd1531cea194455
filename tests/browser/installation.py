"""An installation as a centre would have one: keys, vault, registry, users, and lists published
some minutes ago.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, update

from models.evaluation.alert_metrics import AlertMetrics
from models.evaluation.comparison import Comparison
from pipelines.orchestration.run_reports import models_report
from pipelines.settings import Settings
from pipelines.storage.installation.models import open_registry
from pipelines.storage.installation.vault import Vault
from serving.access.users.passwords import hash_password
from serving.access.users.service import create_user
from serving.database.engine import open_database, write_transaction
from serving.database.tables import UserRow
from serving.operations.service import begin_run, file_report
from serving.publishing import Alert, publish_suspects, publish_watchlist
from serving.vocabulary.alerts import TimelineEvent, TouchedResident
from serving.vocabulary.times import SHANGHAI
from tests.models.registry.test_model_registry import VERSIONS
from tests.models.small import small_model, small_rows
from tests.serving.operations.test_operations import BAD, DRIFT, FAIRNESS, REPLAY, a_run
from tests.serving.published import a_suspect, a_watchlist, an_alert

PASSWORD = "corridor lantern sunday"
USERS = {
    "li.wei": "analyst",
    "zhao.min": "analyst",
    "wang.fang": "officer",
    "chen.jing": "engineer",
    "root": "admin",
}
PEOPLE = {
    "p1_a": ("11010119540101001X", "张秀兰", "幸福路 1 号"),
    "p1_b": ("110101198001010028", "李建国", "幸福路 2 号"),
    "p1_c": ("110101198001010036", "王五", "和平街 3 号"),
    "p1_d": ("110101198001010044", "赵六", "和平街 4 号"),
}
FIGURES = Comparison(
    challenger=AlertMetrics(4.0, 0.31, 0.35, 0.40, None, 129),
    rule=AlertMetrics(4.0, 0.10, 0.12, 0.13, None, 129),
)
LEARNED = {"calibration_error": 0.03, "episodes": 137.0, "max_feature_auc": 0.8}


def install(home: Path, *, now: datetime) -> Settings:
    """Fill the home directory ``home``; everything in it happened shortly before ``now``."""
    settings = Settings.load(home)
    engine = open_database(settings.serving_database_url)
    _fill_vault(Vault.open(settings))
    _add_users(engine, now=now)
    _register_models(settings, engine, now=now)
    _publish(engine, now=now)
    for report in (BAD, DRIFT, FAIRNESS, REPLAY):
        file_report(engine, report, at=now)
    begin_run(
        engine, a_run(started_at=now - timedelta(minutes=8), finished_at=now - timedelta(minutes=7))
    )
    failed = {"ok": False, "error": "the lake is locked", "remedy": "Wait for the other run."}
    begin_run(
        engine, a_run("intraday", started_at=now - timedelta(minutes=2), finished_at=now, **failed)
    )
    engine.dispose()
    return settings


def _fill_vault(vault: Vault) -> None:
    vault.put_people(
        {
            key: {"id_number": number, "name": name, "address": address}
            for key, (number, name, address) in PEOPLE.items()
        }
    )
    vault.put_identifiers(
        "number", {f"n1_own{key[-1]}": f"1380000000{n}" for n, key in enumerate(PEOPLE)}
    )
    vault.put_identifiers("number", {"n1_aa": "17000000001"})
    vault.put_identifiers("account", {"a1_bb": "6222020000000000001"})
    vault.put_numbers_of([(key, f"n1_own{key[-1]}") for key in PEOPLE])


def _add_users(engine: Engine, *, now: datetime) -> None:
    with write_transaction(engine) as session:
        for name, role in USERS.items():
            communities = ["C01"] if role == "officer" else []
            create_user(
                session, name=name, role=role, at=now, communities=communities, actor="test"
            )
        session.execute(
            update(UserRow).values(password_hash=hash_password(PASSWORD), password_set_at=now)
        )


def _register_models(settings: Settings, engine: Engine, *, now: datetime) -> None:
    """Promote a first model and register a better one as challenger."""
    registry = open_registry(settings)
    for rounds in (3, 4):
        registry.record(
            small_model(rounds=rounds),
            params={"rounds": rounds},
            metrics=FIGURES.to_metrics() | LEARNED,
            card="# victim-risk",
            rows=small_rows(),
            versions=VERSIONS,
            charts={},
        )
        if rounds == 3:
            registry.promote("1", at=now)
    file_report(engine, models_report(settings), at=now)


def _publish(engine: Engine, *, now: datetime) -> None:
    midnight = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    night = (
        _with_events(an_alert("p1_a", 1, issued_at=midnight), at=midnight),
        an_alert(
            "p1_b",
            2,
            issued_at=midnight,
            level="orange",
            score=0.6,
            scam_type="brushing",
            age_band="30-39",
        ),
        an_alert(
            "p1_c",
            3,
            issued_at=midnight,
            level="yellow",
            score=0.3,
            community_id="C02",
            grid_id="C02-G1",
        ),
    )
    tick = an_alert(
        "p1_d",
        1,
        issued_at=now,
        level="orange",
        score=0.5,
        scam_type="investment",
        age_band="18-29",
    )
    publish_watchlist(
        engine, replace(a_watchlist(*night), at=midnight, scores={"p1_a": 0.8, "p1_b": 0.6})
    )
    publish_watchlist(
        engine,
        replace(a_watchlist(tick), at=now, kind="intraday", scores={"p1_a": 0.9, "p1_d": 0.5}),
    )
    suspects = [a_suspect("n1_aa"), a_suspect("n1_cc", score=0.7), a_suspect("a1_bb")]
    publish_suspects(engine, at=midnight, suspects=suspects)


def _with_events(alert: Alert, *, at: datetime) -> Alert:
    """Return the alert with a call, a text and a transfer, and those its suspect reached."""
    call = TimelineEvent(
        at=at - timedelta(minutes=90),
        channel="call",
        direction="in",
        peer="n1_aa",
        peer_kind="virtual",
        reached=41,
        duration_s=5040,
        is_stranger=True,
        first_seen=True,
        reputation=0.93,
    )
    text = TimelineEvent(
        at=at - timedelta(minutes=95),
        channel="text",
        direction="in",
        peer="n1_aa",
        peer_kind="virtual",
        reached=41,
    )
    paid = TimelineEvent(
        at=at - timedelta(minutes=3),
        channel="transfer",
        direction="out",
        peer="a1_bb",
        peer_kind="outside",
        reached=3,
        amount_cny=52_000.0,
        is_stranger=True,
        first_seen=True,
    )
    touched = tuple(
        TouchedResident(
            key="n1_aa", person=person, community_id=community, channel="call", last_at=at
        )
        for person, community in (("p1_b", "C01"), ("p1_c", "C02"))
    )
    return replace(
        alert,
        timeline=(text, call, paid),
        touched=touched,
        first_contact_at=at - timedelta(minutes=95),
        already_paid_cny=52_000.0,
    )
