"""Every kind of delivery ends as its file in `kinds/` says."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from pipelines.ingestion.ingest import ingest
from pipelines.settings import Settings
from tests.deliveries.kind import FileEnd, Kind, Step, load_kinds
from tests.deliveries.landing import put_files
from tests.deliveries.outcome import answer_of, comparable, count_reasons_of, find_faults
from tests.pipelines.conftest import PARSER
from tests.pipelines.landing import SHANGHAI

RECEIVED_AT = datetime(2026, 6, 20, 8, tzinfo=SHANGHAI)


def as_parameter(kind: Kind):
    marks = [pytest.mark.xfail(strict=True, reason=kind.wrong_today)] if kind.wrong_today else []
    return pytest.param(kind, id=kind.name, marks=marks)


@pytest.mark.parametrize("kind", [as_parameter(kind) for kind in load_kinds()])
def test_a_kind_ends_as_it_must(kind: Kind, tmp_path: Path) -> None:
    settings = settings_of(kind, folder=tmp_path)
    faults = []
    for number, step in enumerate(kind.steps, start=1):
        found = faults_of(
            step,
            landing=tmp_path / f"landing-{number}",
            settings=settings,
            received_at=RECEIVED_AT + timedelta(hours=number),
        )
        faults += [f"delivery {number}: {fault}" for fault in found]
    assert not faults, "\n".join(["", *faults])


def settings_of(kind: Kind, *, folder: Path) -> Settings:
    """The settings of a new home in the folder, with the mappings of the kind."""
    sources = folder / "sources"
    for name, mapping in kind.sources.items():
        sources.mkdir(exist_ok=True)
        text = mapping if isinstance(mapping, str) else yaml.safe_dump(mapping, allow_unicode=True)
        (sources / f"{name}.yaml").write_text(text, encoding="utf-8")
    own = {"sources_folder": sources} if kind.sources else {}
    return Settings(home=folder / "home", **own, **kind.settings)


def faults_of(step: Step, *, landing: Path, settings: Settings, received_at: datetime) -> list[str]:
    """Load a delivery; what ended otherwise than it must."""
    landing.mkdir()
    put_files(landing, step.files)
    options = dict(step.options)
    report = ingest(
        landing,
        settings=settings,
        received_at=received_at,
        parser=PARSER,
        **options,
    )
    reasons = count_reasons_of(settings, received_at=received_at)
    faults = []
    for file in report.files:
        end = step.ends.get(file.path, FileEnd(accepted=file.rows))
        found = find_faults(file, end=end, reasons=reasons.get(file.path, {}))
        faults += [f"{file.path}: {fault}" for fault in found]
    unseen = sorted({*step.ends} - {file.path for file in report.files})
    faults += [f"{path}: not reported" for path in unseen]
    for question in step.lake:
        answer = answer_of(question, settings=settings)
        if answer != comparable(question.answer):
            faults.append(f"{question.sql} gives {answer}")
    return faults


def test_names_of_kinds_are_unique() -> None:
    names = [kind.name for kind in load_kinds()]
    assert len(set(names)) == len(names)
