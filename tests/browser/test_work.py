"""A day's work at the pages, in a real browser."""

import re
from io import BytesIO
from pathlib import Path

from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from .conftest import People
from .installation import PEOPLE

NAMES = {key: name for key, (_, name, _) in PEOPLE.items()}


def test_an_analyst_takes_the_next_alert_reveals_and_decides_and_a_second_one_is_told(
    people: People,
) -> None:
    first, second = people("li.wei"), people("zhao.min")
    page = first.page
    page.get_by_role("button", name="领取下一条").click()
    expect(page).to_have_url(re.compile(r"/alerts/al_[0-9a-f]{20}"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("红")
    expect(page.locator("ol.reasons")).to_contain_text("陌生来电最长 84 分钟")
    expect(
        page.get_by_role("cell", name="¥ 52,000").or_(page.get_by_text("52,000")).first
    ).to_be_visible()
    assert all(drawn(page)), "every picture is there"
    assert NAMES["p1_a"] not in page.content()

    second.page.goto(page.url)
    expect(second.page.locator(".claim")).to_contain_text("li.wei")
    second.page.get_by_role("button", name="领取下一条").click()
    expect(second.page).not_to_have_url(page.url)

    page.locator("#reason").fill("拨打劝阻电话")
    page.locator("#reason").press("Enter")
    expect(page.locator(".revealed")).to_contain_text(NAMES["p1_a"])
    expect(page.locator(".revealed")).to_contain_text("13800000000")

    page.locator("#result").select_option("stopped")
    page.locator("#note").fill("已当面劝阻，未转账")
    page.locator("#disposition > button").click()
    expect(page.locator("ol.history")).to_contain_text("已当面劝阻，未转账")
    assert NAMES["p1_a"] not in page.content(), "shown once"


def test_the_keyboard_goes_through_the_queue(people: People) -> None:
    page = people("li.wei").page
    page.keyboard.press("j")
    expect(page.locator("[data-row] a").first).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#value")).to_be_focused()


def test_an_officer_sees_the_own_community_prints_downloads_and_enters_a_result(
    people: People, tmp_path: Path
) -> None:
    officer = people("wang.fang")
    page = officer.page
    expect(page).to_have_url(re.compile("/outreach$"))  # what an officer works from
    officer.go("/")
    expect(page.locator("[data-row]").first).to_be_visible()
    assert "C02" not in page.locator("table.queue").inner_text()
    officer.go("/outreach")
    expect(page.locator("table").first).to_contain_text(NAMES["p1_b"])
    assert NAMES["p1_c"] not in page.content(), "somebody of another community"
    assert page.goto(f"{officer.address}/outreach?community=C02").status == 403  # type: ignore[union-attr]
    officer.faults.clear()  # the browser tells of the 403 as of an error

    officer.go("/outreach")
    with page.expect_download() as download:
        page.get_by_role("button", name="XLSX").click()
    sheet = load_workbook(BytesIO(Path(download.value.path()).read_bytes())).active
    assert NAMES["p1_b"] in {cell.value for row in sheet.iter_rows() for cell in row}

    page.locator("button[value=print]").click()
    expect(page).to_have_url(re.compile(r"/outreach/lists/L\w{7}/print"))
    list_id = page.url.split("/")[-2]
    page.wait_for_load_state("load")  # with the style sheet, which says the paper
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF-")
    assert re.search(rb"/MediaBox \[0 0 59[45][.\d]* 84[12][.\d]*\]", printed), "A4"
    expect(page.get_by_role("heading", level=1)).to_contain_text(list_id)
    expect(page.locator("thead").first).to_contain_text("wang.fang")

    officer.go(f"/outreach/lists/{list_id}")
    page.locator("select[name=result]").first.select_option("contact_no_payment")
    page.locator("main form button").last.click()
    expect(page.get_by_role("status")).to_contain_text("1")


def test_the_page_of_an_officer_works_on_a_phone(people: People) -> None:
    page = people(
        "wang.fang", viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True
    ).page
    for path in ("/", "/outreach", "/follow-ups"):
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


def test_an_engineer_promotes_the_challenger(people: People) -> None:
    engineer = people("chen.jing")
    page = engineer.page
    engineer.go("/operations")
    page.locator("#why-promote").fill("比现用模型更准")
    page.locator("form[action='/operations/promote'] button").click()
    expect(page.locator("#why-promote")).to_have_count(0)
    expect(page.get_by_role("heading", name=re.compile("现用模型.*2"))).to_be_visible()
    root = people("root")
    root.go("/audit")
    expect(root.page.locator("main")).to_contain_text("比现用模型更准")


def test_the_pages_work_without_javascript(people: People) -> None:
    page = people("zhao.min", java_script_enabled=False).page
    page.locator("[data-row] a").first.click()
    expect(page).to_have_url(re.compile("/alerts/al_"))
    expect(page.locator("ol.reasons")).to_be_visible()


def drawn(page: Page) -> list[bool]:
    """Say of every picture of the page whether it has arrived."""
    pictures = page.locator("figure.chart img")
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", value=True, timeout=30_000)
    return [picture.evaluate("image => image.naturalWidth > 0") for picture in pictures.all()]
