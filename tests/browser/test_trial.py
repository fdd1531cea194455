"""An engineer brings a partner on board: tries a file, adjusts the mapping, saves it."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from .conftest import People

expect.set_options(timeout=30_000)  # a trial starts a process

CALLS = """流水,本机,对端,方向,业务,时刻,秒
1,13800000001,13900000001,呼转,语音,2026-06-15 10:00:00,60
2,13800000002,13900000002,被叫,语音,2026-06-15 10:05:00,61
3,13800000003,95588,主叫,语音,2026-06-15 10:10:00,-5
"""
MAPPING = """headings:
  calls: {流水: record_id, 本机: msisdn, 对端: peer_number, 方向: direction, 业务: service,
          时刻: started_at, 秒: duration_s}
"""
WORDS = "values: {calls: {direction: {呼转: in}}}\n"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_partner_is_on_board_in_minutes(
    people: People, language: str, tmp_path: Path, shots: Path | None
) -> None:
    file = tmp_path / "newpartner.csv"
    file.write_text(CALLS, encoding="gb18030")
    person = people("chen.jing")
    page = person.page
    person.go(f"/operations/trial?lang={language}")
    result = page.locator("#result")
    page.locator("#file").set_input_files(file)
    page.locator("#dataset").select_option("calls")
    page.locator("#source").fill(f"partner_{language}")

    page.locator("#try").click()
    expect(result.locator("[role=alert]")).to_be_visible()
    expect(page.locator("#mapping")).not_to_have_value("")  # the guess, to be adjusted
    keep(page, shots, f"trial-1-{language}")

    page.locator("#mapping").fill(MAPPING)
    page.locator("#try").click()
    expect(result).to_contain_text("138****01")
    assert "13800000001" not in page.content()
    keep(page, shots, f"trial-2-{language}")

    page.locator("#mapping").fill(MAPPING + WORDS)
    page.locator("#try").click()
    taken = result.locator("dd.big").nth(1)
    expect(taken).to_have_text("2")

    page.locator("#save").click()
    expect(result.locator("[role=status]")).to_contain_text(f"partner_{language}")
    expect(page.locator("#file")).not_to_have_value("")  # it is still chosen
    keep(page, shots, f"trial-3-{language}")

    page.locator("#mapping").fill("headings: {calls: {流水: recordid}}")
    page.locator("#save").click()
    expect(result.locator("[role=alert]")).to_contain_text("line 1")
    keep(page, shots, f"trial-4-{language}")
    # A refused form is an answer like any other, but the browser's console calls it an error.
    person.faults[:] = [fault for fault in person.faults if "422" not in fault]


def keep(page, shots: Path | None, name: str) -> None:
    """Keep a picture where somebody wants to look."""
    if shots is not None:
        shots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=shots / f"{name}.png", full_page=True)
