"""A database in which everything exists that the examples of the API name, and an application on
it.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from shutil import copy

from fastapi import FastAPI

from serving.app import create_app
from serving.context.ports import Rescore
from serving.context.settings import ServingSettings
from serving.database.engine import sqlite_url
from serving.publishing import publish_suspects, publish_watchlist
from serving.vocabulary.alerts import SuspectKind
from tests.serving.conftest import Client, Known, OpenVault, a_client, rescore_one
from tests.serving.notifications.test_webhooks import Sealer
from tests.serving.published import (
    ID_B,
    ID_C,
    MIDNIGHT,
    MORNING,
    NIGHTLY,
    a_suspect,
    an_alert,
)

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
        return {
            **super().reveal(kind, keys),
            **({SUSPECT: "17000000000"} if SUSPECT in keys else {}),
        }


def rescore_example(person: str, /) -> Rescore | None:
    """Know the person of the examples."""
    known = rescore_one("p1_a")
    return replace(known, person=person) if known and person == PERSON else rescore_one(person)


def find_example(value: str, /) -> list[str]:
    """Know the number of the examples."""
    return [PERSON, SUSPECT] if value == "13800000000" else []


def example_app(path: Path) -> FastAPI:
    """Return the application on the database in ``path``, at nine in the morning."""
    settings = ServingSettings(database_url=sqlite_url(path), anonymous_per_minute=100_000)
    return create_app(
        settings=settings,
        vault=WideVault(),
        rescorer=rescore_example,
        sealer=Sealer(),
        finder=find_example,
        clock=lambda: MORNING,
    )


@dataclass(frozen=True)
class World:
    """A filled database, to be copied, and the tokens of its users by role."""

    path: Path
    tokens: Mapping[str, str]

    def client(self, path: Path) -> Client:
        """Return a client of an application on a copy of the database in ``path``."""
        client = Client(
            example_app(copy(self.path, path)), follow_redirects=False, base_url="http://testserver"
        )
        client.tokens = self.tokens
        return client


def build_world(path: Path) -> World:
    """Fill the empty database in ``path`` through the application itself."""
    app = example_app(path)
    engine = app.state.services.engine
    client = a_client(app, engine)
    _post(client, "/api/v1/webhooks", {"url": "https://push.example.com/forestall"})
    publish_watchlist(
        engine,
        replace(NIGHTLY, alerts=(*NIGHTLY.alerts, an_alert(PERSON, 5, level="blue", score=0.05))),
    )
    publish_suspects(engine, at=MIDNIGHT, suspects=[a_suspect(SUSPECT), a_suspect("a1_bb")])
    _post(client, "/api/v1/users", {"name": "li.wei", "role": "analyst"})
    _post(
        client, f"/api/v1/alerts/{ID_B}/dispositions", {"result": "stopped", "follow_up_days": [1]}
    )
    tomorrow = (MORNING + timedelta(days=1)).isoformat()
    _post(
        client, "/api/v1/suppressions", {"alert_id": ID_C, "reason": "购房", "expires_at": tomorrow}
    )
    assert client.get("/api/v1/outreach/C01", headers=client.as_("admin")).status_code == 200
    engine.dispose()
    _renumber(path)
    return World(path, client.tokens)


def _post(client: Client, path: str, body: Mapping[str, object]) -> None:
    answer = client.post(path, json=body, headers=client.as_("admin") | {"If-Match": '"0"'})
    assert answer.status_code == 201, answer.text


def _renumber(path: Path) -> None:
    """Give what is in the database the numbers that the examples name."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            """
            UPDATE alerts SET watchlist_id = 17;
            UPDATE scores SET watchlist_id = 17;
            UPDATE watchlists SET id = 17;
            UPDATE follow_ups SET id = 5;
            UPDATE suppressions SET id = 3;
            UPDATE outreach_lists SET list_id = 'L7K3F7QM';
            UPDATE tokens SET id = 12 WHERE user_id = (SELECT id FROM users WHERE name = 'li.wei');
            """
        )


__all__ = ["PERSON", "SUSPECT", "World", "build_world", "example_app"]
