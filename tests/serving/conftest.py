"""Databases, published lists, users and clients for the serving tests."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, create_engine, make_url, text

from serving.access.users.service import add_user
from serving.access.users.tokens import issue_token
from serving.app import create_app
from serving.context.ports import Rescore
from serving.context.settings import ServingSettings
from serving.database.engine import engine_for, open_database, sqlite_url, write_transaction
from serving.publishing import Watchlist, publish_suspects, publish_watchlist
from serving.vocabulary.alerts import SuspectKind
from serving.vocabulary.roles import Role
from tests.serving.published import (
    MIDNIGHT,
    MORNING,
    NIGHTLY,
    a_suspect,
    an_alert,
)

POSTGRES_URL = os.environ.get("FORESTALL_TEST_POSTGRES_URL")
# No superuser: the policies of the tables bind it, as they bind an installation's role
OWNER = "forestall_tests"
ORDINARY_ROLE = f"""
    DO $$ BEGIN CREATE ROLE {OWNER} LOGIN PASSWORD '{OWNER}';
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
"""


@dataclass(frozen=True)
class Originals:
    """Databases of one kind, to be copied: migrating one, adding its users and publishing a list
    take as long as many a test.

    ``places`` are where they are by what is in them: nothing, the ``staff``, and with it the
    ``nightly`` list. ``staff`` are the tokens by role.
    """

    places: Mapping[str, str]
    staff: Mapping[str, str]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Originals:
    """Give the originals among the SQLite files."""
    folder = tmp_path_factory.mktemp("serving")

    def copied(place: str | None, name: str) -> str:
        copy = folder / f"{name}.db"
        if place:
            shutil.copy(place, copy)
        return str(copy)

    return made_originals(copied, url_of=lambda place: sqlite_url(Path(place)))


@pytest.fixture(scope="session")
def templates() -> Iterator[Originals]:
    """Give the originals among the databases of PostgreSQL."""
    if POSTGRES_URL is None:
        pytest.skip("FORESTALL_TEST_POSTGRES_URL names no PostgreSQL server")
    make_ordinary_role()
    with ExitStack() as databases:

        def copied(place: str | None, _name: str) -> str:
            return databases.enter_context(a_database(template=place or "template1"))

        yield made_originals(copied, url_of=owned_url)


def made_originals(
    copied: Callable[[str | None, str], str], *, url_of: Callable[[str], str]
) -> Originals:
    """Return originals; ``copied`` is where a copy is, under a new name, of what is in a place."""
    empty = copied(None, "empty")
    open_database(url_of(empty)).dispose()
    staffed = copied(empty, "staff")
    engine = engine_for(url_of(staffed))
    staff = a_staff(engine)
    engine.dispose()
    published = copied(staffed, "nightly")
    engine = engine_for(url_of(published))
    publish_watchlist(engine, NIGHTLY)
    engine.dispose()
    return Originals({"nothing": empty, "staff": staffed, "nightly": published}, staff)


@pytest.fixture(params=["sqlite", "postgres"])
def originals(request: pytest.FixtureRequest) -> Originals:
    """Give the originals of either kind."""
    kind = {"sqlite": "files", "postgres": "templates"}[request.param]
    found: Originals = request.getfixturevalue(kind)
    return found


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path, originals: Originals) -> Iterator[str]:
    """Give the URL of a database, once of each kind, without a row but for what the fixtures of the
    test speak of: the ``staff``, the ``nightly`` list.
    """
    contents = [name for name in originals.places if name in request.fixturenames]
    original = originals.places[contents[-1] if contents else "nothing"]
    if Path(original).is_absolute():
        shutil.copy(original, tmp_path / "serving.db")
        yield sqlite_url(tmp_path / "serving.db")
        return
    with a_database(template=original) as name:
        yield owned_url(name)


@cache
def server() -> Engine:
    """Return the engine of the PostgreSQL server itself, whose connection all tests share."""
    return create_engine(str(POSTGRES_URL), isolation_level="AUTOCOMMIT")


def make_ordinary_role() -> None:
    with server().connect() as connection:
        connection.execute(text(ORDINARY_ROLE))


@contextmanager
def a_database(template: str = "template1") -> Iterator[str]:
    """Give the name of a fresh copy of ``template`` that an ordinary role owns, and drop it
    afterwards.
    """
    name = f"forestall_{uuid4().hex}"
    with server().connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}"))
    yield name
    with server().connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def owned_url(name: str) -> str:
    """Return the URL of a database as its owner reaches it."""
    owned = make_url(str(POSTGRES_URL)).set(database=name, username=OWNER, password=OWNER)
    return owned.render_as_string(hide_password=False)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """Give an engine on a database of the newest schema."""
    engine = engine_for(url)
    yield engine
    engine.dispose()


@dataclass(frozen=True)
class Known:
    """A person as the vault knows them."""

    id_number: str
    name: str
    address: str
    msisdns: tuple[str, ...]


class OpenVault:
    """A vault of four people, one of them with a name that a spreadsheet would compute."""

    people: Mapping[str, Known] = {
        "p1_a": Known("11010119800101001X", "张三", "幸福路 1 号", ("13800000001", "13900000001")),
        "p1_b": Known("110101198001010028", "=HYPERLINK(1)", "+86 路 2 号", ("13800000002",)),
        "p1_c": Known("110101198001010036", "王五", "和平街 3 号", ()),
        "p1_d": Known("110101198001010044", "赵六", "和平街 4 号", ("13800000004",)),
    }

    def reveal_people(self, persons: Sequence[str], /) -> Mapping[str, Known]:
        """Return the known ones."""
        return {person: self.people[person] for person in persons if person in self.people}

    def reveal(self, kind: SuspectKind, keys: Sequence[str], /) -> Mapping[str, str]:
        """Return the known ones."""
        known = {"number": {"n1_aa": "17000000001"}, "account": {"a1_bb": "6222020000000000001"}}[
            kind
        ]
        return {key: known[key] for key in keys if key in known}


def rescore_one(person: str, /) -> Rescore | None:
    """Know only p1_a."""
    if person != "p1_a":
        return None
    alert = an_alert(person, 1)
    return Rescore(
        person=person,
        at=MORNING,
        score=0.41,
        level="orange",
        reasons=alert.reasons,
        contributions=alert.contributions,
    )


class Client(TestClient):
    """Sends requests as one of the roles, or as nobody."""

    tokens: Mapping[str, str]

    def as_(self, role: str) -> dict[str, str]:
        """Return the header of somebody with ``role``; the officer looks after C01."""
        return {"Authorization": f"Bearer {self.tokens[role]}"}


@pytest.fixture(scope="session", autouse=True)
def one_event_loop() -> Iterator[None]:
    """Let the requests of all clients be answered in one event loop: starting one takes as long as
    many an answer.
    """
    with start_blocking_portal() as portal, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "portal", portal)
        yield


class Compiled(dict[tuple[Any, ...], Any]):
    """Statements that were compiled, by what they are and the kind of database."""

    def get(self, key: tuple[Any, ...], default: Any = None, /) -> Any:
        """Return what any engine of that kind of database has compiled."""
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), compiled)


@pytest.fixture(scope="session", autouse=True)
def one_cache_of_statements() -> Iterator[None]:
    """Let engines find the statements that others have compiled: every test has an engine of its
    own, and compiling takes longer than asking.
    """
    compiled = Compiled()
    of_every_engine = property(lambda _: compiled, lambda *_: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "_compiled_cache", of_every_engine, raising=False)
        yield


def a_staff(engine: Engine) -> dict[str, str]:
    """Add a user of every role and return their tokens by role."""
    with write_transaction(engine) as session:
        return {
            role.value: add_user(
                session,
                name=f"{role}-1",
                role=role,
                communities=["C01"] if role is Role.OFFICER else [],
                at=MIDNIGHT,
                actor="test",
                manages=True,
            )
            for role in Role
        }


def a_client(app: FastAPI, staff: Engine | Mapping[str, str]) -> Client:
    """Return a client with a user of every role: the ``staff`` of the database, or added to it."""
    client = Client(app, follow_redirects=False, base_url="http://testserver")
    client.tokens = a_staff(staff) if isinstance(staff, Engine) else staff
    return client


@pytest.fixture
def staff(originals: Originals) -> Mapping[str, str]:
    """Say that a user of every role is in the database, and give their tokens by role."""
    return originals.staff


@pytest.fixture
def nightly() -> Watchlist:
    """Say that a nightly list is in the database, beside the staff."""
    return NIGHTLY


@pytest.fixture
def settings(url: str) -> ServingSettings:
    """Give the settings of an installation on the test database."""
    return ServingSettings(database_url=url, live_stream_s=0.1)


@pytest.fixture
def app(settings: ServingSettings, engine: Engine) -> FastAPI:
    """Give the application at nine in the morning, with nothing published yet."""
    return create_app(
        settings=settings, vault=OpenVault(), rescorer=rescore_one, clock=lambda: MORNING
    )


@pytest.fixture
def empty(app: FastAPI, staff: Mapping[str, str]) -> Client:
    """Give a client of an application that has published nothing."""
    return a_client(app, staff)


@pytest.fixture
def client(empty: Client, nightly: Watchlist) -> Client:
    """Give a client of an application with one nightly list."""
    return empty


SUSPECTS = (
    a_suspect("n1_aa", score=0.9),
    a_suspect("n1_cc", score=0.95, named_in_case=True),
    a_suspect("n1_dd", score=0.2, first_seen_at=None, facts={}),
    a_suspect("a1_bb"),
)


@pytest.fixture
def wary(client: Client, engine: Engine) -> Client:
    """Give a client of an application with one nightly list and its suspects."""
    publish_suspects(engine, at=MIDNIGHT, suspects=SUSPECTS)
    return client


def use_link(client: Client, link: str) -> Response:
    """Press the button that the page behind a link shows."""
    assert client.get(link).status_code == 200
    form = {"link": link.partition("token=")[2]}
    return client.post("/login", data=form, headers={"Sec-Fetch-Site": "same-origin"})


def log_in_by_link(client: Client, engine: Engine, name: str) -> Client:
    """Let ``name`` come in on the pages by a link, which stands on no token of a machine."""
    with write_transaction(engine) as session:
        link = issue_token(session, name=name, kind="login", at=MORNING)
    client.post("/login", data={"link": link}, headers={"Sec-Fetch-Site": "same-origin"})
    return client


def audited(engine: Engine, action: str) -> list[tuple[str, str]]:
    """Return who did ``action`` to what, oldest first."""
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT actor, subject FROM audit WHERE action = :a ORDER BY id"), {"a": action}
        )
        return [(actor, subject) for actor, subject in rows]
