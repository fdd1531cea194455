"""A day's work at the pages, in a real browser."""

import re

from playwright.sync_api import expect

from .conftest import People


def test_an_analyst_takes_the_next_alert_reveals_and_decides_and_a_second_one_is_told(people: People) -> None:
    first, second = people("li.wei"), people("zhao.min")
    first.page.get_by_role("button", name="领取下一条").click()
    page = first.page
    expect(page).to_have_url(re.compile(r"/alerts/al_[0-9a-f]{20}"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("红")
    expect(page.get_by_text("陌生来电最长 84 分钟").first).to_be_visible()
    expect(page.locator("figure.chart img").first).to_be_visible()
    assert "张秀兰" not in page.content()

    second.page.goto(page.url)
    expect(second.page.get_by_role("status").filter(has_text="li.wei")).to_be_visible()

    page.get_by_label("为什么需要", exact=False).fill("拨打劝阻电话")
    page.get_by_role("button", name="显示").click()
    expect(page.get_by_text("张秀兰")).to_be_visible()
    expect(page.get_by_text("13800000000")).to_be_visible()

    page.go_back()
    page.get_by_label("结果", exact=True).select_option("stopped")
    page.locator("#note").fill("已当面劝阻，未转账")
    page.locator("#disposition button").first.click()
    expect(page.locator("ol.history")).to_contain_text("已当面劝阻，未转账")


def test_an_officer_sees_the_own_community_prints_downloads_and_enters_a_result(people: People) -> None:
    officer = people("wang.fang")
    page = officer.page
    officer.go("/")
    expect(page.locator("tr[data-row]").first).to_be_visible()
    assert "C02" not in page.locator("table.queue").inner_text()
    officer.go("/outreach")
    expect(page.get_by_text("李建国")).to_be_visible()
    assert "王五" not in page.content()
