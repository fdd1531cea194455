"""What pipelines report, in the form they publish it and the pages read it.

No report names or numbers a person.
"""

import math
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, computed_field

__all__ = [
    "BudgetReport",
    "DeliveryOutcome",
    "DriftReport",
    "FairnessReport",
    "FeatureMoved",
    "FigureRow",
    "GateSaid",
    "GroupFigure",
    "HeldFile",
    "ModelFacts",
    "ModelsReport",
    "QualityReport",
    "Range",
    "RejectReason",
    "ReplayReport",
    "Report",
    "Run",
    "RunKind",
    "SilentSource",
    "SourceQuality",
    "Volume",
]

RunKind = Literal["ingest", "train", "nightly", "intraday", "replay"]


def _measured(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Figure = Annotated[float | None, BeforeValidator(_measured)]
"""A number.

None where nothing was measured, which is also what becomes of NaN and infinity: JSON has neither.
"""


class ReportPart(BaseModel):
    """A part of a report."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Report(ReportPart):
    """What is published under one ``kind``; the newest one of a kind counts."""

    kind: ClassVar[str]


class Run(Report):
    """One run of a verb: when it started, when it ended (None: it has not), and how.

    ``about_at`` is the moment that the run was about. ``facts`` are its counts and versions by
    name. A run that failed says in ``error`` what happened and in ``remedy`` what to do.
    """

    kind: ClassVar[str] = "run"

    verb: RunKind
    started_at: datetime
    finished_at: datetime | None = None
    about_at: datetime | None = None
    ok: bool = False
    error: str = ""
    remedy: str = ""
    facts: dict[str, float | str] = {}

    @property
    def duration(self) -> timedelta | None:
        """How long it took; None while it runs."""
        return self.finished_at - self.started_at if self.finished_at else None


class RejectReason(ReportPart):
    """Why rows were rejected, in both languages, and how many."""

    code: Annotated[str, Field(examples=["duration_s.negative"])]
    zh: Annotated[str, Field(examples=["通话时长为负"])]
    en: Annotated[str, Field(examples=["the duration is negative"])]
    rows: int


class SourceQuality(ReportPart):
    """What became of the rows of one source: rows = accepted + quarantined + duplicates + skipped +
    held.

    ``skipped`` were left out because the source's mapping or their file's layout says so, ``late``
    are accepted rows of an earlier day than the folder they came in, ``last_row_at`` is when its
    newest row was known, ``received_at`` when its newest file was loaded. ``in_force`` is false of
    a register of which no file was taken yet.
    """

    dataset: Annotated[str, Field(examples=["calls"])]
    source: Annotated[str, Field(examples=["cmcc"])]
    files: int
    rows: int
    accepted: int
    quarantined: int
    duplicates: int
    held: int
    skipped: int = 0
    late: int
    last_row_at: datetime | None
    received_at: datetime | None
    in_force: bool = True
    reasons: tuple[RejectReason, ...] = ()


class HeldFile(ReportPart):
    """A delivered file of which nothing was taken: ``held`` as a whole, or ``unreadable``.

    ``code`` is the kind of reason, ``remedy`` what to do about this file.
    """

    path: Annotated[str, Field(examples=["calls/2026-07-04/cmcc.csv"])]
    reason: Annotated[str, Field(examples=["3 of 20 rows are bad, more than 5%"])]
    status: Literal["held", "unreadable"] = "held"
    dataset: Annotated[str, Field(examples=["calls"])] = "unknown"
    source: Annotated[str, Field(examples=["cmcc"])] = ""
    code: Annotated[str, Field(examples=["file.bad_rows"])] = "file.held"
    remedy: Annotated[str, Field(examples=["Ask the source for the file anew."])] = ""
    rows: int = 0


class DeliveryOutcome(ReportPart):
    """What befell rows or whole files of one source for one reason, in both languages.

    ``status`` is ``unreadable`` or ``held`` of whole files, else ``rejected``, or ``warning`` of
    rows that were taken. ``rows`` is 0 where nobody can count them; ``path`` is the file that it
    befell most.
    """

    dataset: Annotated[str, Field(examples=["calls"])]
    source: Annotated[str, Field(examples=["cmcc"])]
    status: Literal["unreadable", "held", "rejected", "warning"]
    code: Annotated[str, Field(examples=["duration_s.negative"])]
    zh: Annotated[str, Field(examples=["通话时长为负"])]
    en: Annotated[str, Field(examples=["the duration is negative"])]
    rows: int
    files: int
    path: Annotated[str, Field(examples=["calls/2026-07-04/cmcc.csv"])]

    @computed_field(  # type: ignore[prop-decorator]
        examples=["/operations/deliveries/duration_s.negative?dataset=calls&source=cmcc"]
    )
    @property
    def link(self) -> str:
        """The page that says what it means and how to mend it."""
        query = urlencode({"dataset": self.dataset, "source": self.source})
        return f"/operations/deliveries/{self.code}?{query}"


class SilentSource(ReportPart):
    """A source that has delivered nothing since ``since`` (None: never), while others did."""

    dataset: Annotated[str, Field(examples=["transfers"])]
    source: Annotated[str, Field(examples=["icbc"])]
    since: datetime | None


class QualityReport(Report):
    """The deliveries of the last ``days`` days up to ``newest_at``, source by source.

    Registers as they stand. ``outcomes`` are the most common of what was loaded from
    ``outcomes_since`` on.
    """

    kind: ClassVar[str] = "quality"

    days: int
    newest_at: datetime | None
    sources: tuple[SourceQuality, ...]
    held: tuple[HeldFile, ...] = ()
    silent: tuple[SilentSource, ...] = ()
    outcomes: tuple[DeliveryOutcome, ...] = ()
    outcomes_since: datetime | None = None


class FigureRow(ReportPart):
    """One figure of the champion, the challenger and today's rule side by side."""

    name: Annotated[str, Field(examples=["precision"])]
    champion: Figure = None
    challenger: Figure = None
    rule: Figure = None


class GateSaid(ReportPart):
    """What one gate compared: the ``own`` figure, the ``other`` one, and the difference ``allowed``
    between them.
    """

    gate: Annotated[str, Field(examples=["coverage"])]
    passed: bool
    reason: Annotated[str, Field(examples=["covers as many losses as the champion"])]
    own: Figure = None
    other: Figure = None
    allowed: Figure = None


class ModelFacts(ReportPart):
    """One registered model: its version and digest, what it learned from, and its pictures as SVG
    by name.
    """

    version: Annotated[str, Field(examples=["3"])]
    digest: Annotated[str, Field(examples=["sha256:9c1f…"])]
    trained_at: datetime
    run_id: Annotated[str, Field(examples=["4f0c2f6e0b7e4d3f"])]
    trees: int
    features: int
    facts: dict[str, Figure] = {}
    pictures: dict[str, str] = {}


class ModelsReport(Report):
    """The champion, the challenger (None where it is the same), their figures, and what the
    gates say.
    """

    kind: ClassVar[str] = "models"

    champion: ModelFacts | None
    challenger: ModelFacts | None
    figures: tuple[FigureRow, ...] = ()
    gates: tuple[GateSaid, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every gate lets the challenger pass."""
        return bool(self.gates) and all(gate.passed for gate in self.gates)


class FeatureMoved(ReportPart):
    """One feature then and now: population stability index, share missing now and when the model
    learned.
    """

    feature: Annotated[str, Field(examples=["stranger_minutes_3d"])]
    psi: Figure
    missing: float
    missing_before: float
    noted: bool


class Volume(ReportPart):
    """Alerts of the last 24 hours beside those expected.

    Chance keeps 99 days of 100 from ``low`` to ``high``.
    """

    expected: float
    seen: int
    low: int
    high: int

    @property
    def usual(self) -> bool:
        """Whether the day was an ordinary one."""
        return self.low <= self.seen <= self.high


class DriftReport(Report):
    """What has moved since the model ``version`` learned, over ``rows`` residents at the night of
    ``about_at``.

    ``moderate`` and ``large`` are the bounds of the stability index, ``missing_points`` of the
    share missing.
    """

    kind: ClassVar[str] = "drift"

    version: Annotated[str, Field(examples=["3"])]
    about_at: datetime
    rows: int
    moderate: float
    large: float
    missing_points: float
    features: tuple[FeatureMoved, ...]
    noted: int
    volume: Volume | None = None
    estimated_precision: Figure = None


class GroupFigure(ReportPart):
    """One figure of one group of people: its 90 % interval, and its gap to everybody else with its
    interval.
    """

    attribute: Annotated[str, Field(examples=["age_band"])]
    group: Annotated[str, Field(examples=["65-74"])]
    figure: Annotated[str, Field(examples=["coverage"])]
    count: int
    value: Figure
    low: Figure
    high: Figure
    gap: Figure
    gap_low: Figure
    gap_high: Figure


class FairnessReport(Report):
    """Whether some group is served worse, over the days from ``start`` to ``end``; ``chart`` is a
    picture as SVG.

    ``source`` says what was measured: the challenger before its promotion, or a replay.
    ``gap_points`` is the gap that the gates allow.
    """

    kind: ClassVar[str] = "fairness"

    source: Literal["challenger", "replay"]
    start: datetime
    end: datetime
    gap_points: float
    groups: tuple[GroupFigure, ...]
    chart: Annotated[str, Field(examples=["<svg …>"])] = ""


class Range(ReportPart):
    """A figure with its 90 % interval."""

    value: float
    low: float
    high: float


class BudgetReport(Report):
    """What the model of a ``version`` would have made of the daily ``budget`` from ``start`` to
    ``end``, by the cases reported among ``residents``.

    ``loss_rate`` losses reported per 100,000 residents and day · ``precision`` share of right
    alerts · ``one_more_losses`` and ``one_more_cny`` what one more alert a day would have added in
    30 days: losses seen in time, and money still unpaid then. None where nothing could be measured.
    """

    kind: ClassVar[str] = "budget"

    version: Annotated[str, Field(examples=["3"])] = ""
    start: datetime
    end: datetime
    budget: int
    residents: int
    losses: int
    loss_rate: Range
    precision: Range | None = None
    one_more_losses: Range | None = None
    one_more_cny: Range | None = None


class ReplayReport(Report):
    """What would have been alerted from ``start`` to ``end`` with ``budget`` alerts a day, by model
    and rule.
    """

    kind: ClassVar[str] = "replay"

    start: datetime
    end: datetime
    every: Annotated[str, Field(examples=["15m"])]
    budget: int
    figures: tuple[FigureRow, ...]
    chart: Annotated[str, Field(examples=["<svg …>"])] = ""
