"""A real browser on a real server on a real installation."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    StorageState,
    sync_playwright,
)

from pipelines.settings import Settings
from pipelines.webapp.wiring import build_application
from serving.vocabulary.times import SHANGHAI
from tests.pipelines.district import once, shared_folder
from tests.serving.server import running

from .installation import PASSWORD, install

CHROMIUM = os.environ.get("FORESTALL_TEST_CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give Debian's Chromium; skip where there is none."""
    if CHROMIUM is None:
        pytest.skip(
            "no Chromium: apt-get install chromium fonts-noto-cjk, "
            "or name one with FORESTALL_TEST_CHROMIUM"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the home of an installation, to be copied: filling it takes as long as many a test.

    The pictures of its models stay where MLflow put them.
    """
    folder = shared_folder(tmp_path_factory, "installation")
    home = folder / "home"
    with once(folder) as to_do:
        if to_do:
            home.mkdir()
            install(home, now=datetime.now(SHANGHAI))
    return home


@pytest.fixture(scope="module")
def site(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of an installation that serves."""
    home = tmp_path_factory.mktemp("installed") / "home"
    shutil.copytree(installation, home)
    with running(build_application(Settings.load(home))) as address:
        yield address


@pytest.fixture(scope="module")
def signed_in(site: str) -> dict[str, StorageState]:
    """Give what the browser keeps of those who have logged in to the site, by name."""
    return {}


@dataclass
class Person:
    """Somebody at a browser, and everything that went wrong in it."""

    address: str
    page: Page
    faults: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open a page of the site."""
        self.page.goto(self.address + path)

    def sign_in(self, name: str, *, password: str = PASSWORD) -> None:
        """Log in with name and password."""
        self.go("/login")
        self.page.locator("#name").fill(name)
        self.page.locator("#password").fill(password)
        self.page.locator("#password").press("Enter")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def watch(self) -> None:
        """Note errors of the console and requests to other hosts."""
        self.page.on(
            "console", lambda line: self.faults.append(line.text) if line.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._note_foreign)

    def _note_foreign(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(
            self.address
        ).netloc and not request.url.startswith("data:"):
            self.faults.append(f"a request to {request.url}")


class People:
    """Opens a browser window of their own for each person."""

    def __init__(self, browser: Browser, address: str, signed_in: dict[str, StorageState]) -> None:
        self._browser = browser
        self._address = address
        self._signed_in = signed_in
        self._opened: list[tuple[BrowserContext, Person]] = []

    def __call__(
        self, name: str | None = None, *, language: str = "zh-CN", **window: object
    ) -> Person:
        """Return somebody at a fresh window, signed in if there is a ``name``: with the password
        the first time, and with the session that this gave from then on.
        """
        state = self._signed_in.get(name or "")
        context = self._browser.new_context(
            locale=language, accept_downloads=True, storage_state=state, **window
        )  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        person = Person(self._address, context.new_page())
        person.watch()
        self._opened.append((context, person))
        if name and state:
            person.go("/")
        elif name:
            person.sign_in(name)
            self._signed_in[name] = context.storage_state()
        return person

    def close(self) -> list[str]:
        """Close all windows and return what went wrong in them."""
        for context, _ in self._opened:
            context.close()
        return [fault for _, person in self._opened for fault in person.faults]


@pytest.fixture
def people(browser: Browser, site: str, signed_in: dict[str, StorageState]) -> Iterator[People]:
    """Give windows; fail where one of them shows an error or requests another host."""
    people = People(browser, site, signed_in)
    yield people
    assert people.close() == []


@pytest.fixture
def shots() -> Path | None:
    """Give the folder to which pictures of the pages are written, if any."""
    folder = os.environ.get("FORESTALL_TEST_SHOTS")
    return Path(folder) if folder else None
