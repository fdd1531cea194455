"""The ten most common outcomes of deliveries, and the page that says how to mend one."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from serving.operations.service import file_report
from serving.vocabulary.reports import DeliveryOutcome, HeldFile, QualityReport
from tests.serving.conftest import Client
from tests.serving.operations.test_operations import page
from tests.serving.operations.test_trial import client, trials  # noqa: F401
from tests.serving.published import MIDNIGHT, MORNING

DIRECTION = DeliveryOutcome(
    dataset="transfers",
    source="icbc",
    status="rejected",
    code="direction.unknown_value",
    zh="借贷标志：取值不在 debit、credit 之内。",
    en="direction: The value is not one of debit, credit.",
    rows=31,
    files=2,
    path="transfers/2026-07-04/icbc.csv",
)
STRAY = DeliveryOutcome(
    dataset="unknown",
    source="",
    status="unreadable",
    code="file.unknown",
    zh="文件不属于任何数据集",
    en="The file belongs to no dataset",
    rows=0,
    files=1,
    path="notes.docx",
)
HELD = HeldFile(
    path="calls/2026-07-04/cucc.csv",
    reason="12 of 100 rows are bad, more than 5%",
    dataset="calls",
    source="cucc",
    code="file.bad_rows",
    remedy="Mend the mapping, then ingest with `--retry-held`.",
    rows=100,
)
REPORT = QualityReport(
    days=7,
    newest_at=MIDNIGHT,
    sources=(),
    held=(HELD,),
    outcomes=(STRAY, DIRECTION),
    outcomes_since=MORNING - timedelta(days=1),
)


def mend(client: Client, path: str, language: str = "en") -> str:  # noqa: F811
    separator = "&" if "?" in path else "?"
    answer = client.get(f"{path}{separator}lang={language}", headers=client.as_("engineer"))
    assert answer.status_code == 200
    return answer.text


def test_only_engineers_read_how_to_mend(client: Client) -> None:  # noqa: F811
    path = DIRECTION.link
    assert client.get(path).headers["location"] == "/login"
    for role in ("analyst", "officer"):
        assert client.get(path, headers=client.as_(role)).status_code == 403
    for role in ("engineer", "admin"):
        assert client.get(path, headers=client.as_(role)).status_code == 200


def test_the_page_lists_outcomes_with_a_link_to_mend_each(
    client: Client,  # noqa: F811
    engine: Engine,
) -> None:
    file_report(engine, REPORT, at=MORNING)
    told = page(client)
    for text in (
        "Most common outcomes",
        DIRECTION.en,
        STRAY.en,
        "/operations/deliveries/direction.unknown_value?dataset=transfers&amp;source=icbc",
        "/operations/deliveries/file.unknown?dataset=unknown&amp;source=",
        "/operations/deliveries/file.bad_rows?dataset=calls&amp;source=cucc",
        HELD.path,
        HELD.reason,
        "Too many rows are bad; the file is held",
    ):
        assert text in told, text
    assert DIRECTION.zh in page(client, "zh")


def test_machines_get_the_links_too(client: Client, engine: Engine) -> None:  # noqa: F811
    file_report(engine, REPORT, at=MORNING)
    told = client.get("/api/v1/operations", headers=client.as_("engineer")).json()
    outcome = told["quality"]["outcomes"][1]
    assert outcome["rows"] == 31
    assert outcome["link"] == DIRECTION.link
    assert told["quality"]["held"][0]["remedy"] == HELD.remedy


def test_a_rule_is_explained_in_the_words_of_its_dataset(client: Client, engine: Engine) -> None:  # noqa: F811
    file_report(engine, REPORT, at=MORNING)
    told = mend(client, DIRECTION.link)
    for text in (
        "direction: The value is not one of debit, credit.",
        "Say in the source&#39;s mapping what the word means",
        "<code>forestall quarantine --retry</code>",
        "<code>debit</code>",
        "forestall quarantine --dataset transfers --reveal",
        "/operations/trial?dataset=transfers&amp;source=icbc",
        "31",
    ):
        assert text in told, text
    assert "<code>in</code>" not in told
    assert "借贷标志" in mend(client, DIRECTION.link, "zh")


def test_a_held_file_is_named_where_it_is_explained(client: Client, engine: Engine) -> None:  # noqa: F811
    file_report(engine, REPORT, at=MORNING)
    told = mend(client, "/operations/deliveries/file.bad_rows?dataset=calls&source=cucc")
    assert "Too many rows are bad; the file is held" in told
    assert HELD.reason in told
    assert "<code>--accept calls/2026-07-04/cucc.csv</code>" in told


@pytest.mark.parametrize("code", ["file.moon", "nonsense", "a.b.c", "DROP.table"])
def test_other_codes_are_no_outcomes(client: Client, code: str) -> None:  # noqa: F811
    answer = client.get(f"/operations/deliveries/{code}", headers=client.as_("engineer"))
    assert answer.status_code == 404
