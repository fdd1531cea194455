"""Talk scripts: something to say for every scam type, in both languages, and nothing that a
fraudster would say.
"""

import re

import pytest
from pydantic import ValidationError

from serving.casework.call_scripts.schemas import CallScriptBook, Line
from serving.casework.call_scripts.service import call_script_for, load_call_scripts, opening_words
from serving.presentation.translations import get_translator
from serving.presentation.wording import SCAM_TYPES
from tests.serving.conftest import Client

URL = "/api/v1/talks"


def spoken(scam_type: str) -> list[Line]:
    """What the resident hears."""
    script = call_script_for(scam_type)
    return [script.in_short, *script.opening, *script.ask, *script.say]


def test_anonymous_reads_no_talk(client: Client) -> None:
    assert client.get(f"{URL}/police").status_code == 401
    assert client.get(f"{URL}/police?already_paid=true").status_code == 401


def test_a_talk_is_read_with_what_holds_for_all(client: Client) -> None:
    script = client.get(f"{URL}/police", headers=client.as_("officer")).json()
    assert script["scam_type"] == "police"
    assert "96110" in script["opening"][0]["zh"]
    assert (
        script["ask"][0]["en"]
        == "Who has called lately as police, court or another office? What do they say you did?"
    )
    assert script["avoid"][0]["zh"] == "不说“案子”“配合调查”，骗子也是这么说的。"
    assert any("验证码" in line["zh"] for line in script["avoid"])
    assert script["follow_up_days"] == [1, 3, 7]


@pytest.mark.parametrize("scam_type", ["romance_2027", "一种新骗局"])
def test_a_new_scam_type_has_the_talk_of_the_unknown(client: Client, scam_type: str) -> None:
    script = client.get(f"{URL}/{scam_type}", headers=client.as_("analyst")).json()
    assert script == client.get(f"{URL}/unknown", headers=client.as_("analyst")).json()
    assert script["scam_type"] == "unknown"
    say = get_translator("en")
    assert opening_words(scam_type, say) == opening_words("unknown", say)


@pytest.mark.parametrize(("scam_type", "days"), [("police", [1, 3, 7]), ("romance", [1, 3, 7])])
def test_where_the_money_has_gone_the_talk_is_of_stopping_it(
    client: Client, scam_type: str, days: list[int]
) -> None:
    answer = client.get(f"{URL}/{scam_type}?already_paid=true", headers=client.as_("officer"))
    script = answer.json()
    assert script["scam_type"] == ("police" if scam_type == "police" else "unknown")
    assert script["in_short"]["zh"].startswith("如果钱已经转出去了：马上打 110 报案")
    assert "96110" in script["opening"][0]["zh"]
    assert script["say"][0]["en"].startswith("Call 110 now to report it, then the bank")
    assert script["avoid"][0]["zh"].startswith("先止付，再问经过")
    assert any("卡号" in line["zh"] for line in script["avoid"])
    assert script["follow_up_days"] == days
    for line in script["ask"]:
        assert line["zh"].endswith("？")
        assert not re.search("吗？|没有？|是不是|有没有", line["zh"])
    plain = client.get(f"{URL}/{scam_type}", headers=client.as_("officer")).json()
    assert (plain["opening"], plain["say"] == script["say"]) == (script["opening"], False)


def test_every_scam_type_has_a_call_script() -> None:
    assert load_call_scripts().scripts.keys() == SCAM_TYPES.keys()
    assert {
        name: script.follow_up_days
        for name, script in load_call_scripts().scripts.items()
        if name != "investment"
    } == {name: (1, 3, 7) for name in SCAM_TYPES if name != "investment"}
    assert call_script_for("investment").follow_up_days == (1, 3, 7, 14, 30)


@pytest.mark.parametrize("scam_type", SCAM_TYPES)
def test_the_caller_says_how_to_check_before_asking_anything(scam_type: str) -> None:
    opening = call_script_for(scam_type).opening
    assert all("96110" in line.zh and "96110" in line.en for line in opening[:2])
    for line in spoken(scam_type):
        assert re.search("[一-鿿]", line.zh)
        assert not re.search("[一-鿿]", line.en)
        assert "验证码" not in line.zh
        assert "verification code" not in line.en


@pytest.mark.parametrize("scam_type", SCAM_TYPES)
def test_questions_are_open(scam_type: str) -> None:
    for line in call_script_for(scam_type).ask:
        assert line.zh.endswith("？")
        assert not re.search("吗？|没有？|是不是|有没有", line.zh)
        assert line.en.split()[0] not in {"Did", "Do", "Have", "Has", "Is", "Are", "Was", "Were"}


def test_a_book_without_a_talk_for_anybody_is_refused() -> None:
    book = load_call_scripts().model_dump()
    del book["scripts"]["unknown"]
    with pytest.raises(ValidationError, match="scripts needs unknown"):
        CallScriptBook.model_validate(book)


@pytest.mark.parametrize(
    ("field", "value"),
    [("follow_up_days", [3, 1]), ("follow_up_days", []), ("ask", []), ("says", [])],
)
def test_a_talk_that_is_not_whole_is_refused(field: str, value: list[int]) -> None:
    book = load_call_scripts().model_dump()
    book["scripts"]["police"][field] = value
    with pytest.raises(ValidationError, match=field):
        CallScriptBook.model_validate(book)
