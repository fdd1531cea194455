"""Every page, in both languages, as every role: axe finds no serious fault, and nothing is told in
the console.

axe looks once at each structure. Another visit of which the elements, their attributes and classes
are the same, the same places have words, and the same things overflow or are too small to hit, has
the same faults: what axe calls serious depends on no more than that, and never on what the words
say. Another role whose page differs in anything is looked at anew.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from .conftest import People, Person
from .installation import USERS

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # where rules are passed need not be written down
}
SERIOUS = ("serious", "critical")
WORK = (
    "/",
    "{alert}",
    "/follow-ups",
    "/suppressions",
    "/outreach?community=C01",
    "{list}",
    "{list}/print",
)
PAGES = {
    None: ("/login", "/login/code"),
    "analyst": (*WORK, "/suspects", "/suspects/n1_aa", "/trends", "/account"),
    "officer": (*WORK, "/trends", "/account"),
    "engineer": (
        "/",
        "{alert}",
        "/suspects",
        "/suspects/n1_aa",
        "/trends",
        "/operations",
        "/operations/deliveries/started_at.in_future?dataset=calls&source=cmcc",
        "/operations/deliveries/file.bad_rows?dataset=calls&source=cucc",
        "/operations/trial?dataset=calls&source=cmcc",
        "/account",
    ),
    "admin": (
        *WORK,
        "/suspects",
        "/trends",
        "/operations",
        "/users",
        "/users/li.wei",
        "/audit",
        "/account",
    ),
}
STRUCTURE = (Path(__file__).parent / "structure.js").read_text(encoding="utf-8")
NAMED = {"analyst": "li.wei", "officer": "wang.fang", "engineer": "chen.jing", "admin": "root"}


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """Give the structures that axe has looked at."""
    return set()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("role", [None, *NAMED])
def test_no_page_has_a_serious_fault(
    people: People, seen: set[str], role: str | None, language: str, shots: Path | None
) -> None:
    person = people(NAMED.get(role or ""))
    faults = []
    for path in pages_of(person, role):
        joint = "&" if "?" in path else "?"
        answer = person.page.goto(f"{person.address}{path}{joint}lang={language}")
        assert answer is not None
        assert answer.ok, (path, answer.status)
        assert (
            person.page.locator("html").get_attribute("lang")
            == {"zh": "zh-CN", "en": "en"}[language]
        )
        if shots:
            shoot(person, shots / language / f"{role or 'anybody'}-{named(path)}.png")
        structure = person.page.evaluate(STRUCTURE)
        if structure not in seen:
            seen.add(structure)
            faults += [f"{path}: {told}" for told in violations(person)]
    assert faults == []


def pages_of(person: Person, role: str | None) -> list[str]:
    """Return the paths of a role's pages, with an alert and an outreach list that exist."""
    paths = PAGES[role]
    if "{alert}" not in paths:
        return list(paths)
    person.go("/")
    alert = person.page.locator("[data-row] a").first.get_attribute("href")
    made = made_list(person) if "{list}" in paths else ""
    return [path.format(alert=alert, list=made) for path in paths]


def made_list(person: Person) -> str:
    """Make an outreach list and return its path."""
    person.go("/outreach?community=C01")
    person.page.locator("button[value=print]").click()
    person.page.wait_for_url(re.compile("/print"))
    return "/" + "/".join(person.page.url.split("/")[3:-1])


def violations(person: Person) -> Iterator[str]:
    """Yield what axe finds serious on the page that is open."""
    found: dict[str, Any] = Axe().run(person.page, options=RULES).response
    for violation in found["violations"]:
        if violation["impact"] in SERIOUS:
            where = "; ".join(" ".join(map(str, node["target"])) for node in violation["nodes"][:3])
            yield f"{violation['id']} ({violation['help']}) at {where}"


def named(path: str) -> str:
    """Return a file name for a page."""
    plain = re.sub(
        r"al_[0-9a-f]{20}", "alert", re.sub(r"/L\w{7}", "/list", path.split("?", maxsplit=1)[0])
    )
    return plain.strip("/").replace("/", "-") or "queue"


def shoot(person: Person, path: Path) -> None:
    """Take a picture of the whole page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    person.page.screenshot(path=path, full_page=True)


def test_every_role_is_looked_at() -> None:
    assert {USERS[name] for name in NAMED.values()} == set(USERS.values())
