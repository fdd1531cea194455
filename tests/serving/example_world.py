"""A database in which everything exists that the examples of the API name, and an application on it."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fastapi import FastAPI

from serving.app import create_app
from serving.database import open_database, sqlite_url, writing
from serving.ports import Rescore
from serving.settings import ServingSettings
from serving.store import SuspectKind, publish, publish_suspects
from serving.users.service import add_user

from .conftest import MIDNIGHT, MORNING, NIGHTLY, Client, Known, OpenVault, a_client, a_suspect, an_alert, rescore_one
from .test_webhooks import Sealer

PERSON = "p1_9f2c41d07ab35e68"
SUSPECT = "n1_5be09c41d07ab35e"


class WideVault(OpenVault):
    """Knows the people and suspects of the examples as well."""

    people: Mapping[str, Known] = {
        **OpenVault.people,
        PERSON: Known("110101198001010052", "张三", "幸福路 1 号", ("13800000000",)),
    }

    def reveal(self, kind: SuspectKind, keys: Sequence[str], /) -> Mapping[str, str]:
        """Return the known ones."""
        return {**super().reveal(kind, keys), **({SUSPECT: "17000000000"} if SUSPECT in keys else {})}


def rescore_example(person: str, /) -> Rescore | None:
    """Know the person of the examples."""
    known = rescore_one("p1_a")
    return replace(known, person=person) if known and person == PERSON else rescore_one(person)


def find_example(value: str, /) -> list[str]:
    """Know the number of the examples."""
    return [PERSON, SUSPECT] if value == "13800000000" else []


def example_app(path: Path) -> FastAPI:
    """Return the application on the database in ``path``, at nine in the morning."""
    settings = ServingSettings(database_url=sqlite_url(path))
    return create_app(
        settings=settings,
        vault=WideVault(),
        rescorer=rescore_example,
        sealer=Sealer(),
        finder=find_example,
        clock=lambda: MORNING,
    )


def build_world(path: Path) -> None:
    """Fill the empty database in ``path``."""
    engine = open_database(sqlite_url(path))
    publish(engine, replace(NIGHTLY, alerts=(*NIGHTLY.alerts, an_alert(PERSON, 5, level="blue", score=0.05))))
    publish_suspects(engine, at=MIDNIGHT, suspects=[a_suspect(SUSPECT), a_suspect("a1_bb")])
    with writing(engine) as session:
        add_user(session, name="li.wei", role="analyst", at=MIDNIGHT, communities=[], actor="test")
    engine.dispose()
    renumber(path, "watchlists", 17)


def renumber(path: Path, table: str, number: int) -> None:
    """Give the only row of ``table`` the number that the examples name."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(f"UPDATE {table} SET id = ?", (number,))
        if table == "watchlists":
            for referring in ("alerts", "scores"):
                connection.execute(f"UPDATE {referring} SET watchlist_id = ?", (number,))
    connection.close()


def example_client(app: FastAPI) -> Client:
    """Return a client of ``app`` with a user of every role."""
    return a_client(app, app.state.services.engine)


__all__ = ["PERSON", "SUSPECT", "build_world", "example_app", "example_client", "renumber"]
