"""What the documents name is there: files, links, and commands with their options."""

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from pipelines.cli.main import app

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], key=lambda page: page.relative_to(ROOT)
)
ROOMS = ("data_contracts", "features", "models", "pipelines", "serving", "tests", "docs", ".ci")
HOME_FOLDERS = ("models/champion.json", "models/challenger.json")  # of an installation
COMMAND_LINE = get_command(app)
IN_BACKTICKS = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def names_a_file(word: str) -> bool:
    """Return whether a word in backticks can only mean a file or folder of this repository."""
    if re.search(r"[\s<>*{}…()]", word) or word in HOME_FOLDERS:
        return False
    return word.endswith(".py") or ("/" in word and word.partition("/")[0] in ROOMS)


def is_there(word: str) -> bool:
    """Return whether a file is there, by its path or, for a Python file, by the end of its path."""
    if (ROOT / word).exists():
        return True
    return word.endswith(".py") and any(any((ROOT / room).rglob(word)) for room in ROOMS)


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, written as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_in(text: str) -> list[str]:
    """Return the lines of code of a page: fenced, indented, and what stands in backticks."""
    fence = re.compile(r"```[a-z]*\n(.*?)```", flags=re.DOTALL)
    fenced = "".join(fence.findall(text))
    prose = fence.sub("", text)
    indented = "\n".join(line for line in prose.splitlines() if line.startswith("    "))
    listings = f"{fenced}\n{indented}".replace("\\\n", " ")
    return [line.strip() for line in [*listings.splitlines(), *IN_BACKTICKS.findall(prose)]]


def commands_in(text: str, name: str) -> Iterator[str]:
    """Yield every command line of a page that starts ``name``, without its comment."""
    start = re.compile(rf"(\S*/)?{name} +[a-z-]")
    for line in code_in(text):
        if start.match(line):
            yield re.split(r"\s#|\s&&|\s\|", line)[0].strip()


def parse_command(line: str) -> None:
    """Parse ``line`` as the command line would; raise an error for a wrong name or option."""
    _, *arguments = shlex.split(line)
    command: Any = COMMAND_LINE
    context: Any = None
    while True:
        context = command.context_class(command, info_name=command.name, parent=context)
        _, arguments, _ = command.make_parser(context).parse_args(list(arguments))
        if not arguments or not hasattr(command, "commands"):
            return
        name, *arguments = arguments
        assert name in command.commands, f"{name} is no command of {command.name}"
        command = command.commands[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    words = set(IN_BACKTICKS.findall(page.read_text(encoding="utf-8")))
    assert [word for word in words if names_a_file(word) and not is_there(word)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        assert not anchor or anchor in anchors_of(file), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_can_be_typed(page: Path) -> None:
    for line in commands_in(page.read_text(encoding="utf-8"), "forestall"):
        try:
            parse_command(line)
        except Exception as error:
            raise AssertionError(f"{line}: {error}") from error


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_target_and_import_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert {line.split()[1] for line in commands_in(text, "make")} <= set(targets)
    for line in code_in(text):
        if match := re.match(r"from ([\w.]+) import ([\w, ]+)$", line):
            module = importlib.import_module(match[1])
            assert [name for name in match[2].split(", ") if not hasattr(module, name)] == []


def test_every_variable_of_the_environment_that_a_page_names_is_a_setting() -> None:
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    named = {
        name
        for page in PAGES
        for name in re.findall(r"\bFORESTALL_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8"))
        if not name.startswith(("FORESTALL_TEST_", "FORESTALL_FEEDS__"))
    }
    assert {name for name in named if not is_a_setting(name, settings)} == set()


def is_a_setting(name: str, page: str) -> bool:
    """Return whether the page of settings has the variable, or the table that it is a key of."""
    return any(f"`{name.rsplit('__', parts)[0]}`" in page for parts in range(3))


def test_every_decision_record_is_in_the_list() -> None:
    listed = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    records = {path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")}
    assert {name for name in records if f"({name})" not in listed} == set()


@pytest.mark.parametrize(
    "line", ["forestall retrain", "forestall train --promises", "forestall users enable li.wei"]
)
def test_a_command_that_is_not_there_is_noticed(line: str) -> None:
    with pytest.raises(Exception, match=r"no command|[Nn]o such option"):
        parse_command(line)


def test_the_commands_of_a_page_are_found() -> None:
    text = (
        "Run `forestall users` in forestall or\n\n    true\n"
        "    .venv/bin/forestall train --home a   # b\n\n"
        "```sh\nforestall score \\\n  --intraday\n```\n"
    )
    assert list(commands_in(text, "forestall")) == [
        "forestall score    --intraday",
        ".venv/bin/forestall train --home a",
        "forestall users",
    ]
