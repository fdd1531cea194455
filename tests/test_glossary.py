"""The glossary's words stand where it says; the words they replaced name nothing in the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("data_contracts", "features", "models", "pipelines", "serving")
ENTRIES = re.findall(
    r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| `([^`]+)` `(\w+)` \|$",
    (ROOT / "GLOSSARY.md").read_text(encoding="utf-8"),
    flags=re.MULTILINE,
)
REPLACED = {  # each word and, as parts of names, the words that it replaced
    "reputation": ("standing", "reputed", "bad_name", "suspect_score"),
    "relationship": ("thread",),  # the threads of a processor are plural
    "query point": ("questions", "asked"),
    "event index": ("evidence",),
    "payee features, new-payee payments": ("dealings", "outlay", "outlays"),
    "representative feature": ("spokesman",),
    "positive, negative sample": ("live_moments", "quiet_moments", "stirred"),
    "grooming window, post-loss window": ("courtship", "aftermath"),
    "trace": ("journey", "journeys"),
    "pseudo-label": ("unreported",),
    "group calibration": ("fair_calibration",),
    "priority": ("worth",),
    "model store": ("shelf",),
    "promoter": ("keeper",),
    "dispatcher": ("courier",),
    "experiment, variant": ("study", "arm", "arms"),
    "suppression": ("resting", "awake"),
    "generate, inject faults, scam operations": ("settle", "soil", "underworld"),
    "health issue": ("concern", "concerns"),
    "notable range, or the thing itself": ("told",),
}
OTHER_THINGS = {
    ("models/evaluation/frames.py", "journey"),  # a column of stored files
    ("models/learning/tuning.py", "study"),  # Optuna's word
    ("serving/notifications/webhooks/dispatcher.py", "thread"),  # one of the processor
}
FORMER_WORDS = "|".join(word for replaced in REPLACED.values() for word in replaced)
FORMER = re.compile(rf"(?:^|_)({FORMER_WORDS})(?=_|$)")


def names_in(module: Path) -> Iterator[str]:
    """Yield every name that a module gives: functions, classes, arguments, variables, fields."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.alias(asname=str(name)):
                yield name
            case ast.keyword(arg=str(name)):
                yield name
            case _:
                pass


def former_word_in(name: str) -> str | None:
    """Return the replaced word that is a whole part of ``name``, in snake or in camel case."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    match = FORMER.search(parts)
    return match[1] if match else None


@pytest.mark.parametrize(
    ("place", "name"), [entry[3:] for entry in ENTRIES], ids=[entry[0] for entry in ENTRIES]
)
def test_the_word_stands_where_the_glossary_says(place: str, name: str) -> None:
    assert re.search(rf"\b{name}\b", (ROOT / place).read_text(encoding="utf-8")) is not None


def test_each_row_of_the_glossary_is_read_and_no_word_stands_twice() -> None:
    rows = re.findall(r"^\| (?!word )[^-]", (ROOT / "GLOSSARY.md").read_text(), flags=re.MULTILINE)
    words = [word for entry in ENTRIES for word in entry[0].split(", ")]
    assert len(rows) == len(ENTRIES) >= 30
    assert len(words) == len(set(words))


def test_a_replaced_word_is_found_as_a_part_of_a_name() -> None:
    assert former_word_in("LearnedStanding") == "standing"
    assert former_word_in("first_thread_at") == "thread"
    assert former_word_in("outstanding_n") is None


@pytest.mark.parametrize("package", PACKAGES)
def test_replaced_words_name_nothing_in_the_code(package: str) -> None:
    found = {
        (str(module.relative_to(ROOT)), name)
        for module in (ROOT / package).rglob("*.py")
        for name in set(names_in(module))
        if former_word_in(name)
    }
    assert sorted(found - OTHER_THINGS) == []
