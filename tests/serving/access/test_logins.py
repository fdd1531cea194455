"""Logging in with a password: what fails, what is locked, and what changing it ends."""

import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from serving.access.auth import COOKIE
from serving.access.users import passwords
from serving.access.users.service import invite_user
from serving.access.users.sessions import log_in
from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.database.engine import read_transaction, write_transaction
from serving.database.tables import LockoutRow
from serving.http.errors import ProblemError
from tests.serving.conftest import Client, a_client, audited, log_in_by_link, use_link
from tests.serving.published import MORNING

OWN = {"Sec-Fetch-Site": "same-origin"}
GOOD = "correct horse battery"
NEW = "staple of another kind"


class Hours:
    """A clock that tests set."""

    at = MORNING

    def __call__(self) -> datetime:
        """Return the time it was set to."""
        return self.at


@pytest.fixture
def hours() -> Hours:
    """Give a clock at nine in the morning."""
    return Hours()


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hash with less work: what is tested here is not how long it takes."""
    monkeypatch.setattr(
        passwords, "HASHER", passwords.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    )
    passwords._dummy_hash.cache_clear()
    yield
    passwords._dummy_hash.cache_clear()


@pytest.fixture
def known(
    settings: ServingSettings, engine: Engine, staff: Mapping[str, str], hours: Hours
) -> Client:
    """Give a client of an application on which analyst-1 has a password."""
    client = a_client(create_app(settings=settings, clock=hours), staff)
    choose(client, engine, "analyst-1", GOOD)
    client.cookies.clear()
    return client


def choose(client: Client, engine: Engine, name: str, password: str) -> None:
    with write_transaction(engine) as session:
        link = invite_user(
            session, name=name, lifetime=timedelta(hours=1), at=MORNING, actor="test"
        ).path
    use_link(client, link)
    answer = client.post(
        "/account/password", data={"new": password, "again": password}, headers=OWN
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def come_in(client: Client, password: str, name: str = "analyst-1") -> int:
    return client.post("/login", data={"name": name, "password": password}, headers=OWN).status_code


def test_a_password_opens_a_session(known: Client, engine: Engine) -> None:
    assert come_in(known, GOOD) == 303
    assert known.get("/account").status_code == 200
    assert ("analyst-1", "analyst-1") in audited(engine, "login")


def test_the_database_keeps_argon2id_only(known: Client, engine: Engine) -> None:
    with engine.connect() as connection:
        kept = connection.execute(
            text("SELECT password_hash FROM users WHERE name = 'analyst-1'")
        ).scalar_one()
    assert kept.startswith("$argon2id$")
    assert GOOD not in kept


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(
    known: Client, engine: Engine
) -> None:
    pages = {}
    for name, password in (("analyst-1", NEW), ("nobody", GOOD), ("officer-1", GOOD)):
        answer = known.post("/login", data={"name": name, "password": password}, headers=OWN)
        assert answer.status_code == 401
        assert "用户名或密码不正确" in answer.text
        pages[name] = answer.text
    assert len(set(pages.values())) == 1
    assert audited(engine, "login-failed") == [
        ("analyst-1", "analyst-1"),
        ("?", "?"),
        ("officer-1", "officer-1"),
    ]


def test_a_name_that_nobody_has_leaves_no_trace_of_what_was_typed(
    known: Client, engine: Engine
) -> None:
    come_in(known, "x", name="my-secret-password")
    with engine.connect() as connection:
        rows = [
            *connection.execute(text("SELECT * FROM audit")),
            *connection.execute(text("SELECT * FROM lockouts")),
        ]
    assert "my-secret-password" not in repr(rows)


def test_a_disabled_user_does_not_come_in(known: Client) -> None:
    known.delete("/api/v1/users/analyst-1", headers=known.as_("admin"))
    assert come_in(known, GOOD) == 401


def test_five_failures_lock_the_account_longer_each_time(known: Client, hours: Hours) -> None:
    for _ in range(5):
        assert come_in(known, "wrong") == 401
    answer = known.post("/login", data={"name": "analyst-1", "password": GOOD}, headers=OWN)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"
    assert "登录失败次数过多" in answer.text
    hours.at += timedelta(seconds=60)
    assert come_in(known, "wrong") == 401
    hours.at += timedelta(seconds=119)
    assert come_in(known, GOOD) == 429
    hours.at += timedelta(seconds=1)
    assert come_in(known, GOOD) == 303
    assert come_in(known, "wrong") == 401  # the count began anew


def test_a_lock_says_nothing_about_who_exists(known: Client) -> None:
    assert [come_in(known, "wrong", name="nobody") for _ in range(6)] == [401] * 5 + [429]


def test_failures_are_forgotten_after_a_quiet_while(known: Client, hours: Hours) -> None:
    for _ in range(4):
        come_in(known, "wrong")
    hours.at += timedelta(minutes=15, seconds=1)
    for _ in range(4):
        assert come_in(known, "wrong") == 401
    assert come_in(known, GOOD) == 303


def test_an_address_that_tries_many_names_is_locked(known: Client) -> None:
    statuses = [come_in(known, "wrong", name=f"user-{number}") for number in range(31)]
    assert statuses == [401] * 30 + [429]
    assert come_in(known, GOOD) == 429


def test_guesses_at_one_moment_get_no_more_tries(
    known: Client, engine: Engine, settings: ServingSettings
) -> None:
    def guess(_number: int) -> int:
        try:
            log_in(
                engine,
                settings=settings,
                name="analyst-1",
                password="wrong",
                address="198.51.100.7",
                at=MORNING,
            )
        except ProblemError as problem:
            return problem.status
        return 200

    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(guess, range(12)))
    assert sorted(statuses) == [401] * 5 + [429] * 7


def test_an_administrator_unlocks(known: Client, engine: Engine) -> None:
    for _ in range(6):
        come_in(known, "wrong")
    known.post("/login", data={"token": known.tokens["admin"]}, headers=OWN)
    assert "暂时锁定" in known.get("/users/analyst-1").text
    assert known.post("/users/analyst-1/unlock", headers=OWN).status_code == 303
    assert come_in(known, GOOD) == 303
    assert audited(engine, "user-unlocked") == [("admin-1", "analyst-1")]


def test_old_failures_do_not_pile_up(known: Client, engine: Engine, hours: Hours) -> None:
    for number in range(5):
        come_in(known, "wrong", name=f"user-{number}")
    hours.at += timedelta(hours=2)
    come_in(known, "wrong")
    with read_transaction(engine) as session:
        assert session.query(LockoutRow).count() == 2


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("too short", "密码太短"),
        ("aaaabbbbaaaabbbb", "重复的字符太多"),
        ("password1234", "容易被猜到"),
        ("Passw0rd!Passw0rd!", "容易被猜到"),
        ("qwertyuiop123456", "容易被猜到"),
        ("admin123456!", "容易被猜到"),
        ("1qaz2wsx3edc4rfv", "容易被猜到"),
        ("forestall2026!", "容易被猜到"),
        ("my Analyst-1 word", "包含用户名"),
        (GOOD, "原来的密码"),
    ],
)
def test_a_bad_password_is_not_taken(known: Client, password: str, said: str) -> None:
    come_in(known, GOOD)
    form = {"current": GOOD, "new": password, "again": password}
    answer = known.post("/account/password", data=form, headers=OWN)
    assert answer.status_code == 422
    assert said in answer.text
    known.cookies.clear()
    assert come_in(known, GOOD) == 303


def test_changing_the_password_asks_for_the_present_one(known: Client) -> None:
    come_in(known, GOOD)
    for current in ("wrong", ""):
        answer = known.post(
            "/account/password", data={"current": current, "new": NEW, "again": NEW}, headers=OWN
        )
        assert answer.status_code == 403
        assert "当前密码不正确" in answer.text
    answer = known.post(
        "/account/password", data={"current": GOOD, "new": NEW, "again": NEW + "x"}, headers=OWN
    )
    assert "不一致" in answer.text


def test_changing_the_password_ends_every_other_session(known: Client, engine: Engine) -> None:
    come_in(known, GOOD)
    elsewhere = known.cookies[COOKIE]
    known.cookies.clear()
    come_in(known, GOOD)
    here = known.cookies[COOKIE]
    known.post("/account/password", data={"current": GOOD, "new": NEW, "again": NEW}, headers=OWN)
    assert known.get("/account").status_code == 200
    for ended in (elsewhere, here):
        known.cookies.clear()
        known.cookies.set(COOKIE, ended)
        assert known.get("/account").status_code == 303
    known.cookies.clear()
    assert (come_in(known, GOOD), come_in(known, NEW)) == (401, 303)
    assert audited(engine, "password-changed") == [("analyst-1", "analyst-1")] * 2


@pytest.mark.parametrize(("form", "status"), [({}, 401), ({"keeps_tokens": "true"}, 200)])
def test_machines_tokens_end_with_the_password_unless_they_are_kept(
    known: Client, form: dict[str, str], status: int
) -> None:
    come_in(known, GOOD)
    page = known.post("/account/tokens", data={"name": "gateway"}, headers=OWN).text
    (secret,) = re.findall(r"fst_[\w-]+", page)
    form |= {"current": GOOD, "new": NEW, "again": NEW}
    assert known.post("/account/password", data=form, headers=OWN).status_code == 303
    known.cookies.clear()
    headers = {"Authorization": f"Bearer {secret}"}
    assert known.get("/api/v1/me", headers=headers).status_code == status


def test_a_reset_ends_every_token(known: Client, engine: Engine) -> None:
    come_in(known, GOOD)
    page = known.post("/account/tokens", data={"name": "gateway"}, headers=OWN).text
    (secret,) = re.findall(r"fst_[\w-]+", page)
    analyst = dict(known.cookies)
    known.cookies.clear()
    log_in_by_link(known, engine, "admin-1")
    assert known.post("/api/v1/users/analyst-1/invitation", headers=OWN).status_code == 201
    known.cookies.clear()
    known.cookies.update(analyst)
    assert known.get("/account").headers["location"] == "/login"
    known.cookies.clear()
    headers = {"Authorization": f"Bearer {secret}"}
    assert known.get("/api/v1/me", headers=headers).status_code == 401


def test_the_present_password_cannot_be_guessed_on_the_page(known: Client, engine: Engine) -> None:
    come_in(known, GOOD)
    form = {"current": "wrong", "new": NEW, "again": NEW}
    statuses = [
        known.post("/account/password", data=form, headers=OWN).status_code for _ in range(6)
    ]
    assert statuses == [403] * 5 + [429]
    assert audited(engine, "login-failed") == [("analyst-1", "analyst-1")] * 5


def test_logging_out_elsewhere_keeps_this_session(known: Client) -> None:
    come_in(known, GOOD)
    elsewhere = known.cookies[COOKIE]
    known.cookies.clear()
    come_in(known, GOOD)
    assert known.post("/account/sessions", headers=OWN).status_code == 303
    assert known.get("/account").status_code == 200
    known.cookies.clear()
    known.cookies.set(COOKIE, elsewhere)
    assert known.get("/account").status_code == 303


def test_a_password_that_has_expired_must_be_changed_first(known: Client, hours: Hours) -> None:
    hours.at += timedelta(days=90) - timedelta(seconds=1)
    assert (
        known.post("/login", data={"name": "analyst-1", "password": GOOD}, headers=OWN).headers[
            "location"
        ]
        == "/"
    )
    hours.at += timedelta(seconds=1)
    known.cookies.clear()
    answer = known.post("/login", data={"name": "analyst-1", "password": GOOD}, headers=OWN)
    assert answer.headers["location"] == "/account"
    assert known.get("/").headers["location"] == "/login"
    form = {"new": GOOD, "again": GOOD}
    assert known.post("/account/password", data=form, headers=OWN).status_code == 422
    form = {"new": NEW, "again": NEW}
    assert known.post("/account/password", data=form, headers=OWN).headers["location"] == "/"
    assert known.get("/account").status_code == 200


def test_a_hash_of_weaker_parameters_is_made_anew(
    known: Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        passwords, "HASHER", passwords.PasswordHasher(time_cost=2, memory_cost=128, parallelism=1)
    )
    assert come_in(known, GOOD) == 303
    with engine.connect() as connection:
        kept = connection.execute(
            text("SELECT password_hash FROM users WHERE name = 'analyst-1'")
        ).scalar_one()
    assert re.match(r"\$argon2id\$v=19\$m=128,t=2,p=1\$", kept)
    known.cookies.clear()
    assert come_in(known, GOOD) == 303


def test_a_password_is_the_same_however_it_was_typed() -> None:
    kept = passwords.hash_password("caf\u00e9 au lait 12")
    assert passwords.password_matches("cafe\u0301 au lait １２", kept)
    assert not passwords.password_matches("cafe au lait 12", kept)
    assert not passwords.password_matches("", None)


def test_an_unknown_name_takes_as_long_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def seconds(kept: str | None) -> float:
        started = time.perf_counter()
        passwords.password_matches("wrong", kept)
        return time.perf_counter() - started

    slow = passwords.PasswordHasher(time_cost=1, memory_cost=16_384, parallelism=1)
    monkeypatch.setattr(passwords, "HASHER", slow)
    passwords._dummy_hash.cache_clear()
    kept = passwords.hash_password(GOOD)
    seconds(None)
    unknown, known = (min(seconds(hashed) for _ in range(3)) for hashed in (None, kept))
    assert unknown > known / 2


def test_the_form_is_refused_from_another_site(known: Client) -> None:
    form = {"name": "analyst-1", "password": GOOD}
    assert (
        known.post("/login", data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    )
