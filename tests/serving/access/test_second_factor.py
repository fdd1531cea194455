"""The second factor: set up with a device, asked for at each login, taken once, and lost."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import pyotp
import pytest
from sqlalchemy import Engine, text

from serving.access.auth import COOKIE
from serving.access.users import passwords
from serving.access.users.service import invite_user
from serving.app import create_app
from serving.context.settings import ServingSettings
from serving.database.engine import write_transaction
from tests.serving.conftest import Client, a_client, audited, log_in_by_link, use_link
from tests.serving.notifications.test_webhooks import Sealer
from tests.serving.published import MORNING

OWN = {"Sec-Fetch-Site": "same-origin"}
GOOD = "correct horse battery"
NEW = "staple of another kind"


class Hours:
    """A clock that tests set."""

    at = MORNING

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **span: float) -> None:
        self.at += timedelta(**span)


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hash with less work: what is tested here is not how long it takes."""
    quick = passwords.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "HASHER", quick)
    passwords._dummy_hash.cache_clear()
    yield
    passwords._dummy_hash.cache_clear()


def an_application(url: str, staff: Mapping[str, str], hours: Hours, *roles: str) -> Client:
    settings = ServingSettings(database_url=url, second_factor_roles=roles)  # type: ignore[arg-type]
    return a_client(create_app(settings=settings, sealer=Sealer(), clock=hours), staff)


@pytest.fixture
def free(url: str, staff: Mapping[str, str], engine: Engine, hours: Hours) -> Client:
    """Give a client where nobody has to have one, and analyst-1 has a password."""
    client = an_application(url, staff, hours)
    choose(client, engine, GOOD)
    client.cookies.clear()
    return client


def choose(client: Client, engine: Engine, password: str, name: str = "analyst-1") -> str:
    with write_transaction(engine) as session:
        link = invite_user(
            session, name=name, lifetime=timedelta(hours=1), at=MORNING, actor="test"
        ).path
    use_link(client, link)
    form = {"new": password, "again": password}
    return str(client.post("/account/password", data=form, headers=OWN).headers["location"])


def come_in(client: Client) -> str:
    form = {"name": "analyst-1", "password": GOOD}
    return str(client.post("/login", data=form, headers=OWN).headers["location"])


def set_up(client: Client, hours: Hours) -> tuple[pyotp.TOTP, list[str]]:
    """Set a device up as whoever is logged in; return it and the recovery codes."""
    page = client.post("/account/factor", headers=OWN).text
    (secret,) = re.findall(r'class="secret">([A-Z2-7]{32})<', page)
    assert "<svg" in page
    device = pyotp.TOTP(secret)
    form = {"code": device.at(hours.at)}
    page = client.post("/account/factor/confirm", data=form, headers=OWN).text
    codes = re.findall(r'class="secret">(\d[a-z2-9]{4}-[a-z2-9]{6})<', page)
    assert [code[0] for code in codes] == list("0123456789")
    return device, codes


def enter(client: Client, code: str) -> int:
    return client.post("/login/code", data={"code": code}, headers=OWN).status_code


def test_anonymous_sets_up_confirms_and_removes_nothing(free: Client, engine: Engine) -> None:
    for path in ("/account/factor", "/account/factor/confirm", "/account/factor/remove"):
        answer = free.post(path, data={"code": "123456"}, headers=OWN)
        assert answer.headers["location"] == "/login"
    answer = free.post("/users/analyst-1/factor/remove", headers=OWN)
    assert answer.headers["location"] == "/login"
    assert enter(free, "123456") == 401
    assert audited(engine, "factor-set") == audited(engine, "factor-removed") == []


def test_a_login_asks_for_the_code_and_gives_nothing_before(
    free: Client, engine: Engine, hours: Hours
) -> None:
    assert come_in(free) == "/"
    device, _ = set_up(free, hours)
    assert audited(engine, "factor-set") == [("analyst-1", "analyst-1")]
    free.cookies.clear()
    hours.pass_(minutes=1)
    logins = len(audited(engine, "login"))
    assert come_in(free) == "/login/code"
    assert "设备" in free.get("/login/code").text
    for path in ("/", "/account"):
        assert free.get(path).headers["location"] == "/login"
    assert free.get("/api/v1/me").status_code == 401
    assert len(audited(engine, "login")) == logins  # nobody is in yet
    assert enter(free, "000000") == 401
    answer = free.post("/login/code", data={"code": f" {device.at(hours.at)} "}, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert free.get("/account").status_code == 200
    assert len(audited(engine, "login")) == logins + 1


def test_a_code_is_taken_once_and_none_of_before(free: Client, hours: Hours) -> None:
    come_in(free)
    device, _ = set_up(free, hours)
    for after_s, back_s, status in (
        (0, 0, 401),  # the one that confirmed it
        (60, 0, 303),
        (0, 0, 401),  # again
        (0, 30, 401),  # the one before it, never shown
        (30, 0, 303),
        (120, 90, 401),  # too old
        (0, 30, 303),  # a device that is slow
        (60, -30, 303),  # or fast
    ):
        hours.pass_(seconds=after_s)
        free.cookies.clear()
        assert come_in(free) == "/login/code"
        code = device.at(hours.at - timedelta(seconds=back_s))
        assert enter(free, code) == status, (after_s, back_s)


def test_codes_cannot_be_guessed(free: Client, engine: Engine, hours: Hours) -> None:
    come_in(free)
    device, _ = set_up(free, hours)
    free.cookies.clear()
    hours.pass_(minutes=1)
    come_in(free)
    right = device.at(hours.at)
    wrong = [f"{(int(right) + off) % 1_000_000:06}" for off in range(1, 6)]
    assert [enter(free, code) for code in wrong] == [401] * 5
    assert enter(free, right) == 429
    come_in(free)  # a new login does not begin the count anew
    assert enter(free, right) == 429
    assert audited(engine, "login-failed") == [("analyst-1", "analyst-1")] * 5


def test_a_recovery_code_opens_once(free: Client, engine: Engine, hours: Hours) -> None:
    come_in(free)
    _, codes = set_up(free, hours)
    with engine.connect() as connection:
        rows = repr(connection.execute(text("SELECT * FROM recovery_codes")).all())
        sealed = repr(connection.execute(text("SELECT * FROM second_factors")).all())
    assert rows.count("$argon2id$") == 10
    assert not any(code.replace("-", "") in rows + sealed for code in codes)
    for code, status in ((codes[3].upper(), 303), (codes[3], 401), (codes[9], 303)):
        free.cookies.clear()
        come_in(free)
        assert enter(free, code) == status
    assert audited(engine, "factor-recovered") == [("analyst-1", "analyst-1")] * 2
    assert "8" in free.get("/account").text


def test_a_secret_is_sealed_and_opens_for_its_user_only(
    free: Client, engine: Engine, hours: Hours
) -> None:
    come_in(free)
    device, _ = set_up(free, hours)
    with engine.connect() as connection:
        (sealed,) = connection.execute(text("SELECT sealed FROM second_factors")).scalars()
    assert device.secret.encode() not in bytes(sealed)


def test_a_role_that_needs_one_gets_no_further_without(
    url: str, staff: Mapping[str, str], engine: Engine, hours: Hours
) -> None:
    client = an_application(url, staff, hours, "analyst", "admin")
    assert choose(client, engine, GOOD) == "/account"
    for path in ("/", "/trends", "/users"):
        assert client.get(path).headers["location"] == "/login"
    assert client.get("/api/v1/me").status_code == 401
    form = {"current": GOOD, "new": NEW, "again": NEW}
    assert client.post("/account/password", data=form, headers=OWN).status_code == 403
    tokens = client.post("/account/tokens", data={"name": "x"}, headers=OWN)
    assert tokens.headers["location"] == "/login"
    page = client.get("/account").text
    assert "/account/factor" in page
    assert "/account/password" not in page
    device, _ = set_up(client, hours)
    assert client.get("/account").status_code == client.get("/trends").status_code == 200
    hours.pass_(minutes=1)
    removed = client.post("/account/factor/remove", data={"code": device.at(hours.at)}, headers=OWN)
    assert removed.status_code == 409
    # Neither a link nor a token passes it by
    client.cookies.clear()
    assert choose(client, engine, NEW) == "/login/code"
    client.cookies.clear()
    assert client.get("/api/v1/me", headers=client.as_("admin")).status_code == 200
    token = client.post("/login", data={"token": client.tokens["admin"]}, headers=OWN)
    assert token.status_code == 403
    assert COOKIE not in client.cookies
    # Others come in as before
    assert (
        client.post("/login", data={"token": client.tokens["engineer"]}, headers=OWN).headers[
            "location"
        ]
        == "/"
    )


def test_who_may_do_without_removes_it_with_a_code(
    free: Client, engine: Engine, hours: Hours
) -> None:
    come_in(free)
    device, _ = set_up(free, hours)
    assert free.post("/account/factor", headers=OWN).status_code == 409
    hours.pass_(minutes=1)
    wrong = free.post("/account/factor/remove", data={"code": "000000"}, headers=OWN)
    assert wrong.status_code == 403
    right = free.post("/account/factor/remove", data={"code": device.at(hours.at)}, headers=OWN)
    assert right.status_code == 303
    assert audited(engine, "factor-removed") == [("analyst-1", "analyst-1")]
    free.cookies.clear()
    assert come_in(free) == "/"


def test_a_device_counts_only_once_it_has_shown_a_code(free: Client, hours: Hours) -> None:
    come_in(free)
    page = free.post("/account/factor", headers=OWN).text
    (secret,) = re.findall(r'class="secret">([A-Z2-7]{32})<', page)
    again = free.post("/account/factor/confirm", data={"code": "000000"}, headers=OWN)
    assert again.status_code == 422
    assert secret in again.text
    free.cookies.clear()
    assert come_in(free) == "/"


def test_no_name_typed_at_the_login_locks_a_second_factor(
    free: Client, engine: Engine, hours: Hours
) -> None:
    come_in(free)
    device, _ = set_up(free, hours)
    free.cookies.clear()
    form = {"name": "code of analyst-1", "password": "x"}
    statuses = [free.post("/login", data=form, headers=OWN).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    hours.pass_(seconds=60)
    come_in(free)
    assert enter(free, device.at(hours.at)) == 303


def test_an_administrator_sees_and_lifts_the_lock_of_a_second_factor(
    free: Client, engine: Engine, hours: Hours
) -> None:
    come_in(free)
    device, _ = set_up(free, hours)
    hours.pass_(seconds=60)
    free.cookies.clear()
    come_in(free)
    assert [enter(free, "000000") for _ in range(6)] == [401] * 5 + [429]
    waiting = dict(free.cookies)
    free.cookies.clear()
    log_in_by_link(free, engine, "admin-1")
    assert "/users/analyst-1/unlock" in free.get("/users/analyst-1").text
    assert free.post("/users/analyst-1/unlock", headers=OWN).status_code == 303
    assert "/users/analyst-1/unlock" not in free.get("/users/analyst-1").text
    free.cookies.clear()
    free.cookies.update(waiting)
    assert enter(free, device.at(hours.at)) == 303


def test_an_administrator_helps_who_has_lost_the_device(
    free: Client, engine: Engine, hours: Hours
) -> None:
    come_in(free)
    set_up(free, hours)
    analyst = dict(free.cookies)
    free.cookies.clear()
    log_in_by_link(free, engine, "admin-1")
    assert "/users/analyst-1/factor/remove" in free.get("/users/analyst-1").text
    answer = free.post("/users/analyst-1/factor/remove", headers=OWN)
    assert answer.status_code == 303
    assert audited(engine, "factor-removed") == [("admin-1", "analyst-1")]
    assert free.post("/users/analyst-1/factor/remove", headers=OWN).status_code == 404
    free.cookies.clear()
    free.cookies.update(analyst)
    assert free.get("/account").headers["location"] == "/login"
    free.cookies.clear()
    assert come_in(free) == "/"
