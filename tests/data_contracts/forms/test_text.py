import polars as pl

from data_contracts.forms.text import code, parse_choice


def test_choices_come_to_the_contracts_values_and_strangers_stay():
    allowed = {"手机银行": "mobile", "mobile": "mobile", "ATM": "atm", "atm": "atm"}
    delivered = pl.Series(["手机银行", "Mobile", "ATM", "atm", " ＡＴＭ ", "barter", None])

    clean = parse_choice(delivered, allowed=allowed)

    assert clean.to_list() == ["mobile", "mobile", "atm", "atm", "atm", "barter", None]


def test_marks_without_width_come_off():
    delivered = pl.Series(["\ufeffT1", "T\u200b2", "\u202dT3\u202c", "\u3000", "\u200b"])
    assert code(delivered).to_list() == ["T1", "T2", "T3", None, None]


def test_a_raised_or_circled_number_is_no_digit():
    delivered = pl.Series(["１００", "100²", "①２", "½"])
    assert code(delivered).to_list() == ["100", "100²", "①２", "½"]
