"""A mapping that cannot be used is refused with file, line, key and what to write."""

import pytest

from data_contracts.errors import SettingsError
from data_contracts.mappings.mapping import parse_mapping


def refusal(text):
    with pytest.raises(SettingsError) as caught:
        parse_mapping(text, name="icbc.yaml")
    assert "docs/mappings.md" in caught.value.remedy
    return str(caught.value).removeprefix("The source mapping icbc.yaml cannot be used: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("headers: {}", "line 1: headers is no key of a mapping, did you mean headings?"),
        (
            "encoding: utf-8\nkeep: {a: b}",
            "line 2: keep belongs inside a dataset: write `transfers: {keep: …}`.",
        ),
        (
            "headings: {交易流水号: record_id}",
            "line 1: headings.交易流水号: 交易流水号 is no dataset. Write it as "
            "`transfers: {headings: {交易流水号: …}}`.",
        ),
        (
            "headings: {tranfers: {}}",
            "line 1: headings.tranfers: tranfers is no dataset, did you mean transfers?",
        ),
        (
            "transfers:\n  headings:\n    交易流水号: recordid",
            "line 3: headings.交易流水号: recordid is no column of transfers, did you mean "
            "record_id?",
        ),
        (
            "transfers: {headings: {金额: 交易时间}}",
            "line 1: headings.金额: 交易时间 is no column of transfers, did you mean occurred_at?",
        ),
        (
            "transfers: {headings: {amount: 金额}}",
            "line 1: headings: the heading comes first: write `金额: amount`.",
        ),
        (
            "values:\n  calls: {direction: {1: outt}}",
            "line 2: direction: outt is no value of direction, did you mean out?",
        ),
        (
            "calls: {values: {direction: {out: 呼出}}}",
            "line 1: direction: what the file says comes first: write `呼出: out`.",
        ),
        (
            "transfers:\n  formt: x",
            "line 2: transfers.formt: formt is no key here, did you mean format?",
        ),
        (
            "encoding: gbk18030",
            "line 1: encoding: gbk18030 is no encoding; write utf-8, gb18030 or utf-16.",
        ),
        (
            "transfers:\n  encoding: hex",
            "line 2: transfers.encoding: hex is no encoding; write utf-8, gb18030 or utf-16.",
        ),
        (
            "transfers: {amount: {debit: 支出}}",
            "line 1: transfers.amount: write both debit and credit.",
        ),
        ("delay_s: {calls: soon}", "line 1: delay_s.calls must be a whole number."),
        ("calls: 3", "line 1: calls must be a table, `name: value`."),
        (
            "calls: {durations: {duration_s: word}}",
            "line 1: durations.duration_s: word is not known, did you mean words?",
        ),
        (
            "transfers: {preamble: {account_id: 卡号}}",
            "line 1: preamble.account_id: it has 0 groups and must have one, the part in ( ) that "
            "is taken.",
        ),
        (
            "calls: {headings: {主叫: msisdn, 主叫: peer_number}}",
            "line 1: calls.headings.主叫 is written twice.",
        ),
        ("calls: {amount: {signed: x}}", "line 1: amount: calls have no amount."),
        ("- calls", "a mapping is a table, `key: value`."),
    ],
)
def test_what_is_wrong_is_said_with_line_key_and_remedy(text, words):
    assert refusal(text) == words


def test_several_problems_come_in_the_order_of_their_lines():
    said = refusal("calls:\n  delay_s: -1\n  formt: x\nfoo: 1")
    assert [part.split(":")[0] for part in said.split("; ")] == ["line 2", "line 3", "line 4"]


def test_a_date_that_cannot_be_one_is_named_with_an_example():
    assert "such as yy-MM-dd HH:mm" in refusal("transfers: {moments: {occurred_at: HH:mm}}")


def test_text_that_is_no_yaml_is_named_by_its_line():
    assert refusal("calls: {\n  headings: [").startswith("line 2: this is no YAML")
