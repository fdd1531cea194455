"""The features by name: meaning, window, unit, when a value is missing, and the words of each in a
reason.

``features.yaml`` beside this file is the one source; the model's inputs, the reasons of an alert
and the documentation are all read from it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from data_contracts.pages.markdown import markdown_table
from data_contracts.shipped_yaml import read_shipped

__all__ = [
    "FEATURES",
    "FORMER_NAMES",
    "GROUPS",
    "LONGEST_WINDOW",
    "MASS_RULE",
    "WINDOWED_SUMS",
    "BilingualText",
    "CounterpartyKind",
    "Feature",
    "FeatureGroup",
    "MassRule",
    "Source",
    "WindowedSum",
    "feature_documentation",
    "feature_names",
    "model_inputs",
    "window_span",
]

Source = Literal["calls", "transfers", "both", "neither"]
CounterpartyKind = Literal["number", "account"]


@dataclass(frozen=True, slots=True)
class BilingualText:
    """The same in Chinese and English; a reason's words hold ``{value}`` and, in English, the
    plural ``{s}``.
    """

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of a snapshot.

    ``window`` is how far back it looks (``24h``; None: as long as the relationship or register
    goes) and ``unit`` one of count, s, h, d, years, CNY, ratio, share, score, flag, kind.
    ``notable_range`` is the closed range of values that a reason may quote; None means that no
    reason quotes it. Features of one ``family`` say nearly the same, so a reason quotes only one of
    them; a score is put in the words of the families ``shown_by``. ``habit`` marks what a person is
    like, not what happens to them. ``source`` says which records it is made of, ``behaviour_of``
    whether it reads what a number or an account does to other residents. ``formerly`` is the name
    in models of an earlier version.
    """

    name: str
    group: str
    family: str
    window: str | None
    unit: str
    null_means: str
    zh: str
    en: str
    notable_range: tuple[float, float] | None
    shown_by: tuple[str, ...]
    habit: bool
    source: Source
    behaviour_of: CounterpartyKind | None = None
    formerly: str | None = None

    @property
    def only_raises(self) -> bool:
        """Whether more of it never speaks against a fraud: what a reason quotes from some value on,
        however large, and what happens to somebody rather than what they are like.
        """
        return (
            self.notable_range is not None
            and self.notable_range[1] == math.inf
            and not self.habit
            and self.source != "neither"
        )

    def is_notable(self, value: float | None) -> bool:
        """Whether a reason may quote ``value``; a missing value is never notable."""
        return (
            value is not None
            and self.notable_range is not None
            and self.notable_range[0] <= value <= self.notable_range[1]
        )


@dataclass(frozen=True, slots=True)
class FeatureGroup:
    """Features that speak of one thing and become one reason; ``opening`` is the subject its words
    begin with.
    """

    code: str
    title: BilingualText
    opening: BilingualText | None
    features: tuple[Feature, ...]


@dataclass(frozen=True, slots=True)
class WindowedSum:
    """A feature in windows that is a sum over the events of a timeline: the column ``name_window``
    for each of ``windows``.

    ``over`` is the timeline's name in the event index. ``where`` chooses events (None: all), and
    ``value`` is what each adds (None: one); both are SQL over the columns of the timeline.
    """

    name: str
    windows: tuple[str, ...]
    over: str
    value: str | None
    where: str | None


@dataclass(frozen=True, kw_only=True)
class MassRule:
    """A number is a mass number once more than ``share`` of the residents who hold a number, and
    more than ``residents`` of them, had contact with it within a day.
    """

    share: float
    residents: int

    def limit(self, holders: int) -> float:
        """The number of residents that must be exceeded where so many hold a number."""
        return max(self.share * holders, float(self.residents))


#: The notable range by unit, where a feature does not say otherwise.
_NOTABLE_RANGES: Mapping[str, tuple[float, float]] = {
    "count": (1, math.inf),
    "s": (60, math.inf),
    "h": (0, math.inf),
    "d": (0, 14),
    "CNY": (1, math.inf),
    "ratio": (2, math.inf),
    "share": (0.5, 1),
    "flag": (1, 1),
}
_HABIT_WINDOW = "30d"
_INHERITED = ("null_means", "source", "behaviour_of")  # from the group, where a feature has none
_HOURS = {"h": 1, "d": 24}


def window_span(window: str) -> timedelta:
    """The length of a window such as ``24h`` or ``7d``."""
    return timedelta(hours=int(window[:-1]) * _HOURS[window[-1]])


def _groups(catalogue: Mapping[str, Any]) -> tuple[FeatureGroup, ...]:
    """Every group of the catalogue, its features expanded to one a column."""
    windows = {name: BilingualText(**words) for name, words in catalogue["windows"].items()}
    return tuple(_group(entry, windows) for entry in catalogue["groups"])


def _windowed_sums(catalogue: Mapping[str, Any]) -> tuple[WindowedSum, ...]:
    """Every feature of the catalogue that is a sum over windows."""
    return tuple(
        WindowedSum(
            name=declared["name"],
            windows=tuple(declared["windows"]),
            over=declared["sum"]["over"],
            value=declared["sum"].get("value"),
            where=declared["sum"].get("where"),
        )
        for group in catalogue["groups"]
        for declared in group["features"]
        if "sum" in declared
    )


def _group(entry: Mapping[str, Any], windows: Mapping[str, BilingualText]) -> FeatureGroup:
    opening = entry.get("opening")
    inherited = {name: entry[name] for name in _INHERITED if name in entry}
    return FeatureGroup(
        code=entry["code"],
        title=BilingualText(**entry["title"]),
        opening=BilingualText(**opening) if opening else None,
        features=tuple(
            feature
            for declared in entry["features"]
            for feature in _expand({"group": entry["code"], **inherited, **declared}, windows)
        ),
    )


def _expand(declared: Mapping[str, Any], windows: Mapping[str, BilingualText]) -> Iterator[Feature]:
    """The declared feature, or one for each of its windows."""
    for window in declared.get("windows", [None]):
        words = windows[window] if window else BilingualText("", "")
        habit = declared.get("habit", window == _HABIT_WINDOW)
        yield Feature(
            name=f"{declared['name']}_{window}" if window else declared["name"],
            group=declared["group"],
            family=declared.get("family", declared["name"]),
            window=window or declared.get("window"),
            unit=declared["unit"],
            null_means=declared["null_means"],
            zh=declared["zh"].replace("{window}", words.zh),
            en=declared["en"].replace("{window}", words.en),
            notable_range=None if habit else _notable_range(declared),
            shown_by=tuple(declared.get("shown_by", ())),
            habit=habit,
            source=declared["source"],
            behaviour_of=declared.get("behaviour_of"),
            formerly=declared.get("formerly"),
        )


def _notable_range(declared: Mapping[str, Any]) -> tuple[float, float] | None:
    notable_range = declared.get("notable_range", _NOTABLE_RANGES.get(declared["unit"]))
    return (
        None
        if notable_range is None or notable_range == "never"
        else (float(notable_range[0]), float(notable_range[1]))
    )


_CATALOGUE: Mapping[str, Any] = read_shipped(Path(__file__).with_name("features.yaml"))
GROUPS: tuple[FeatureGroup, ...] = _groups(_CATALOGUE)
WINDOWED_SUMS: tuple[WindowedSum, ...] = _windowed_sums(_CATALOGUE)
MASS_RULE: MassRule = MassRule(**_CATALOGUE["mass_numbers"])
#: No sum over a window looks further back.
LONGEST_WINDOW: timedelta = max(
    window_span(window) for declared in WINDOWED_SUMS for window in declared.windows
)
FEATURES: tuple[Feature, ...] = tuple(feature for group in GROUPS for feature in group.features)
#: Today's name of each feature by the name that an earlier version gave it.
FORMER_NAMES: Mapping[str, str] = {
    feature.formerly: feature.name for feature in FEATURES if feature.formerly
}


def feature_names() -> tuple[str, ...]:
    """Every feature, in its fixed order."""
    return tuple(feature.name for feature in FEATURES)


def model_inputs() -> tuple[str, ...]:
    """The model's inputs: what happens to people, not what they are usually like.

    From some hundred episodes a model would learn the habits of those who happened to be the
    victims.
    """
    return tuple(feature.name for feature in FEATURES if not feature.habit)


def feature_documentation() -> str:
    """The catalogue as a Markdown page, one table a group."""
    tables = "\n\n".join(_table(group) for group in GROUPS)
    introduction = _INTRODUCTION.format(
        n=len(FEATURES),
        groups=len(GROUPS),
        mass_share=f"{100 * MASS_RULE.share:g}",
        mass_residents=MASS_RULE.residents,
    )
    return f"{introduction}\n\n{tables}\n"


_INTRODUCTION = """# Features

Made from `features/catalogue/features.yaml` by `forestall docs`; do not edit.

A snapshot has {n} features in {groups} groups. Each is a function of a person and a moment, from
what was known strictly before it. Residency and address are never among them.

An *unknown number* (a stranger) is one that this person first had contact with less than 15 days
ago, or again after 30 days of silence; a *new payee* (new account) likewise, among private accounts
that are not the person's own. The *most suspicious unknown number* is the one of the last 7 days
whose reputation and talk with the person weigh most. The *new payee in focus* is the latest of the
last 7 days that was paid; one outside the district (held by no resident) goes before any other.

A call or payment belongs to the *holder* of the number or account at that time: of several the one
with the latest date before it. Earlier holders keep theirs, and to a new holder everybody is new.

What a number does to everybody says nothing of anybody. So a contact counts as not having taken
place, for any feature, if the number is tagged `public_service`, or if it is a *mass number*: one
that more than {mass_share} in 100 of the residents who hold a number (and more than
{mass_residents}) had contact with within 24 hours. From the moment on at which that is known this
holds for all contacts with it, earlier ones too, and for those of the four weeks after. The busiest
numbers of fraudsters in simulated districts reach some 20 to 50 residents a day, however large the
district is. Until the limit is passed, and below it, a number counts like any other.

A number or account has a *reputation* from 0 to 1; at 1 it is as bad as that of numbers and
accounts named in reported cases. It *behaves suspiciously* above 0.5. The reputation is learned
from reported cases: from how many residents the number reaches and who calls whom, how long they
talk, whether residents pay afterwards; for an account from who pays it, how much and how soon.
Until enough cases are reported, a young number that reaches out to many residents has a bad
reputation, and so has a young account outside the district that several residents paid.

Units: `count`, `s` seconds, `h` hours, `d` days, `years`, `CNY`, `ratio` (times), `share` (0 to 1),
`score`, `flag` (true or false), `kind` (1 international, 2 virtual operator, 3 95/96 service,
4 400, 5 106, 6 landline, 7 mobile, 0 other). A *habit* is what the person is usually like: other
features are measured against it, but it is neither an input of the model nor ever given as a
reason."""


def _table(group: FeatureGroup) -> str:
    headings = ("feature", "window", "unit", "missing when", "中文", "English", "habit")
    table = markdown_table(headings, map(_cells, group.features))
    return f"## {group.title.en} · {group.title.zh}\n\n{table}"


def _cells(feature: Feature) -> tuple[str, ...]:
    return (
        f"`{feature.name}`",
        feature.window or "",
        feature.unit,
        feature.null_means,
        _plain(feature.zh),
        _plain(feature.en),
        "yes" if feature.habit else "",
    )


def _plain(words: str) -> str:
    """Reason words as a description: the value's place left open, the plural written out."""
    return words.replace("{value}", "…").replace("{s}", "s")
