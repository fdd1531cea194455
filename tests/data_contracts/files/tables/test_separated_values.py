"""Fields are counted line by line: a line with too many or too few never shifts a value."""

import csv
import io
import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from data_contracts.errors import DeliveryError
from data_contracts.files.tables.separated_values import read_separated
from data_contracts.mappings.layout import Layout
from tests.examples import examples


class FiveColumns:
    names = ("id", "payer", "payee", "amount", "bank")

    def missing(self, headings, *, preamble):
        return {*self.names} - {*headings}

    def known(self, headings):
        return len({*self.names} & {*headings})


WANTED = FiveColumns()
HEAD = "id,payer,payee,amount,bank"


def read(*lines, end="\n", **layout):
    text = "\n".join(lines) + end
    return read_separated(text, name="icbc.csv", layout=Layout(**layout), wanted=WANTED)


def rows(table):
    return {
        number: tuple(value or "" for value in row)
        for number, row in zip(table.numbers.to_list(), table.values.rows(), strict=True)
    }


def misfits(table):
    return {
        number: (codes, json.loads(raw)["fields"])
        for number, codes, raw in table.misfits.select("_row", "_problems", "_raw").rows()
    }


def test_a_row_for_every_line():
    table = read(HEAD, "1,A,B,5.00,icbc", "2,A,C,6.00,")

    assert rows(table) == {1: ("1", "A", "B", "5.00", "icbc"), 2: ("2", "A", "C", "6.00", "")}
    assert (misfits(table), table.skipped, table.warnings) == ({}, {}, ())


def test_a_line_with_more_or_fewer_fields_is_refused_by_itself():
    table = read(HEAD, "1,A,B,5.00,icbc", "2,A,B,20,000.00,icbc", "3,A,B,7.00", "4,A,B,8.00,ccb")

    assert list(rows(table)) == [1, 4]
    assert misfits(table) == {
        2: (["row.too_many_fields"], ["2", "A", "B", "20", "000.00", "icbc"]),
        3: (["row.too_few_fields"], ["3", "A", "B", "7.00"]),
    }
    assert json.loads(table.misfits["_raw"][0])["headings"] == 5
    assert table.warnings == (
        "icbc.csv: rejected for 6 fields under 5 headings: 1 row, the first is row 3.",
        "icbc.csv: rejected for 4 fields under 5 headings: 1 row, the first is row 4.",
    )


def test_a_separator_at_the_end_of_every_line_is_no_room_for_a_value():
    table = read(
        "id,payer,payee,bank,amount,",
        "1,A,B,icbc,5.00,",
        "2,A,B,icbc,20,000.00,",
        "3,A,B,icbc,20,000.00",
        "4,A,B,icbc,8.00",
        "5,A,B,icbc,9.00, ",
    )

    assert {number: row[4] for number, row in rows(table).items()} == {
        1: "5.00",
        4: "8.00",
        5: "9.00",
    }
    assert {number: codes for number, (codes, _) in misfits(table).items()} == {
        2: ["row.too_many_fields"],
        3: ["row.too_many_fields"],
    }


def test_rows_may_end_with_a_separator_if_all_of_them_do():
    table = read(HEAD, "1,A,B,5.00,icbc,", "2,A,B,6.00,,", "3,A,B,7,000.00,icbc,", "合计,3,,,,")

    assert list(rows(table)) == [1, 2]
    assert list(misfits(table)) == [3]
    assert table.skipped == {"total line": 1}


def test_a_stray_comma_does_not_pass_for_a_separator_at_the_end():
    one = read("id,payer,payee,amount,bank", "1,A,B,1,234.00,")
    assert (rows(one), list(misfits(one))) == ({}, [1])

    mixed = read(HEAD, "1,A,B,5.00,icbc", "2,A,B,6.00,icbc,")
    assert (list(rows(mixed)), list(misfits(mixed))) == ([1], [2])


def test_quoted_fields_may_hold_separators_marks_and_line_ends():
    table = read(HEAD, '1,"A, B",B,"20,000.00",icbc', '2,A,"B ""the"" C",5,"line 1', 'line 2"')

    assert rows(table) == {
        1: ("1", "A, B", "B", "20,000.00", "icbc"),
        2: ("2", "A", 'B "the" C', "5", "line 1\nline 2"),
    }


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ('2, "A" ,B, "20,000.00" ,icbc', ("2", "A", "B", "20,000.00", "icbc")),
        ('2,A"B"C,B,5,icbc', ("2", 'A"B"C', "B", "5", "icbc")),
        ('2,="0138",="622,2",5,icbc', ("2", "0138", "622,2", "5", "icbc")),
        ("2,'0138,'622',5,icbc", ("2", "0138", "622", "5", "icbc")),
        ('2,"A,B,5,icbc', None),
        ('2,A",B,5,icbc', None),
        ('2,"A"x,B,5,icbc', None),
        ('2,"the "A, B" house",B,5', None),
        ("2,A\x00,B,5,icbc", None),
    ],
)
def test_marks_out_of_place_spoil_no_other_row(line, row):
    table = read(HEAD, "1,A,B,5.00,icbc", line, '3,"A",B,7.00,icbc', "4,A,B,8.00,icbc")

    assert set(rows(table)) == {1, 3, 4} | ({2} if row else set())
    assert rows(table).get(2) == row
    assert set(misfits(table)) == (set() if row else {2})


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (
            ("1,A,B,icbc,5.00", "2,A,B,icbc,67", "8.00", "3,A,B,icbc,9.00", "4,A,B,icbc,9.00"),
            [1, 5],
        ),
        (("1,A,B,icbc,5.00", "2", "2,A,B,icbc,6.00", "3,A,B,icbc,9.00"), [4]),
        (("1,A,B,icbc,5.00", "Page 1", "2,A,B,icbc,6.00", "prepared by: Z"), [1, 3]),
    ],
)
def test_a_piece_of_a_field_casts_doubt_on_the_rows_beside_it(lines, kept):
    table = read("id,payer,payee,bank,amount", *lines)

    assert list(rows(table)) == kept
    codes = {code for codes, _ in misfits(table).values() for code in codes}
    assert codes <= {"row.too_few_fields", "row.torn"}


def test_the_separators_at_the_end_of_rows_are_known_by_the_other_rows():
    lines = ("1,A,B,534.00,78,", "2,A,B,1,534.00,", "3,A,B,7.00,5,")
    table = read("id,payer,payee,amount,bank", *lines)
    assert list(rows(table)) == [1, 2, 3]


def test_one_row_of_another_length_does_not_refuse_those_that_end_with_a_separator():
    lines = [f"{number},A,B,5.00,icbc," for number in range(1, 21)]
    for odd in ("21,A,B,6.00,icbc", "21,A,B,icbc,"):
        table = read(HEAD, *lines, odd)
        assert (list(rows(table)), list(misfits(table))) == ([*range(1, 21)], [21])


@pytest.mark.parametrize(
    ("last", "kept"),
    [("7.50", 4), ("7.5", 3), ("7.", 3), ("7", 3), ("", 4)],
)
def test_a_last_value_that_may_be_cut_rejects_its_row(last, kept):
    lines = ("1,A,B,icbc,5.00", "2,A,B,icbc,6.10", "3,A,B,icbc,12.20", f"4,A,B,icbc,{last}")
    table = read("id,payer,payee,bank,amount", *lines, end="")

    assert list(rows(table)) == [*range(1, kept + 1)]
    assert misfits(table) == (
        {} if kept == 4 else {4: (["row.cut_off"], ["4", "A", "B", "icbc", last])}
    )


def test_values_of_different_lengths_say_nothing_of_a_cut():
    table = read(
        "id,payer,payee,bank,amount", *(f"{n},A,B,icbc,5.{'1' * (n % 3)}" for n in range(4)), end=""
    )

    assert len(rows(table)) == 4


def test_a_cut_line_among_those_that_end_with_a_separator_refuses_the_file():
    with pytest.raises(DeliveryError, match="truncated"):
        read(HEAD, "1,A,B,5.00,icbc,", "2,A,B,6.00,icbc,", "3,A,B,7.00,ic", end="")


def test_two_stray_marks_do_not_swallow_the_rows_between_them():
    table = read(HEAD, '1,A,"B,5.00,icbc', "2,A,B,6.00,icbc", "3,A,B,7.00,icbc", '4,A,B",8.00,icbc')

    assert list(rows(table)) == [2, 3]
    assert {number: codes for number, (codes, _) in misfits(table).items()} == {
        1: ["row.stray_quote"],
        4: ["row.stray_quote"],
    }


def test_what_is_no_row_is_counted_as_what_it_is():
    table = read(
        HEAD, "1,A,B,5.00,icbc", "", ",,,,", " , ,,,", HEAD, "2,A,B,6.00,icbc", "合计：,,,11.00,",
        "共2笔", "-----", "导出时间：2026-06-15 10:00", "Total,,,11.00,",
    )  # fmt: skip

    assert list(rows(table)) == [1, 6]
    assert misfits(table) == {}
    assert table.skipped == {
        "blank line": 3,
        "repeated headings": 1,
        "total line": 3,
        "footer line": 2,
    }


def test_a_row_is_no_total_line_for_its_first_word():
    table = read(HEAD, "合计1,A,B,5.00,icbc", "total,A,B,6.00,icbc")
    assert list(rows(table)) == [1, 2]


def test_the_headings_are_found_below_a_preamble():
    table = read("中国银行,,,,", "账号：6222,户名：测试", "", HEAD, "1,A,B,5.00,icbc")

    assert rows(table) == {1: ("1", "A", "B", "5.00", "icbc")}
    assert table.preamble == ("中国银行,,,,", "账号：6222,户名：测试")
    assert table.warnings == (
        "icbc.csv: the headings are taken from line 4; the 2 lines before them that hold something "
        "are left out.",
    )


def test_the_layout_can_say_where_the_headings_are():
    lines = ("id,payer,payee,amount,bank", "x,y,z", HEAD, "1,A,B,5.00,icbc", "made by,Z,,,")

    assert rows(read(*lines, heading_row=3, skip_last=1)) == {1: ("1", "A", "B", "5.00", "icbc")}
    footed = read(HEAD, "1,A,B,5.00,icbc", "2,A,B,6.00,icbc", "made by,Z", "", skip_last=2)
    assert (list(rows(footed)), footed.skipped) == (
        [1],
        {"at the end, where the mapping leaves lines out": 3},
    )
    assert len(read("a,b,c", *lines, headings_contain=("bank",)).preamble) == 1
    with pytest.raises(DeliveryError, match="no headings"):
        read(*lines, headings_contain=("余额",))


def test_the_line_that_names_most_columns_is_taken_for_headings_that_lack_some():
    table = read("statement", "of,an,account", "id,payer,payee,amount", "1,A,B,5.00")
    assert (len(table.preamble), table.values.columns) == (2, ["id", "payer", "payee", "amount"])


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found_in_the_headings(delimiter):
    table = read(*(line.replace(",", delimiter) for line in (HEAD, "1,A,B,5.00,icbc")))
    assert rows(table) == {1: ("1", "A", "B", "5.00", "icbc")}


def test_a_last_line_that_breaks_off():
    with pytest.raises(DeliveryError, match="its last line breaks off"):
        read(HEAD, "1,A,B,5.00,icbc", "2,A,B", end="")
    assert rows(read(HEAD, "1,A,B,5.00,icbc", "共1笔", end=""))


def test_headings_alone_are_a_table_without_rows():
    assert rows(read(HEAD)) == {}
    assert rows(read(HEAD, end="")) == {}


def test_a_heading_that_says_nothing_may_come_twice():
    lines = ("id,note,payer,payee,note,amount,,bank", "1,x,A,B,y,5.00,z,icbc")
    table = read(*lines)
    assert table.values.columns == ["id", "note", "payer", "payee", "note (5)", "amount", "bank"]
    with pytest.raises(DeliveryError, match="same heading twice"):
        read(HEAD + ",bank", "1,A,B,5.00,icbc,ccb")


CELL = st.text(alphabet=" ab1,;|\t\"'\n.=：合", max_size=6)


@examples(300)
@given(
    st.lists(st.lists(CELL, min_size=5, max_size=5), max_size=8),
    st.sampled_from([",", "\t", ";", "|"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_a_csv_writer_wrote_is_read_back_or_refused(table, delimiter, quoting, end):
    # A writer that ends lines with \r leaves \n unquoted: nobody could tell them apart.
    assume(end != "\r" or not any("\n" in cell for row in table for cell in row))
    # Two lines in one row that would each make a row are taken for two rows with a stray mark.
    assume(not any("\n" in "".join(row) and delimiter in "".join(row) for row in table))
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows([HEAD.split(","), *table])
    text = file.getvalue().replace("\r\n", "\n").replace("\r", "\n")

    read_back = read_separated(text, name="x", layout=Layout(), wanted=WANTED)

    found, odd = rows(read_back), set(read_back.misfits["_row"].to_list())
    assert len(found) + len(odd) + sum(read_back.skipped.values()) >= len(table)
    for number, row in enumerate(table, start=1):
        if number in found:
            # Only the marks by which spreadsheets keep digits come off.
            assert all(
                read_cell == cell or cell.lstrip()[:1] in ("'", "=")
                for read_cell, cell in zip(found[number], row, strict=True)
            )
        if not any("\n" in cell or '"' in cell for other in table for cell in other):
            assert number not in odd


@examples(200)
@given(
    st.lists(
        st.lists(st.sampled_from(["A", "5.00", "", '"a,b"', "银行"]), min_size=2, max_size=8),
        min_size=1,
        max_size=12,
    )
)
def test_a_line_with_a_wrong_number_of_fields_is_refused_alone(table):
    good = ["0,A,B,5.00,icbc"]
    lines = [f"{number},{','.join(fields)}" for number, fields in enumerate(table, start=1)]
    right = [number for number, fields in enumerate(table, start=2) if len(fields) == 4]

    found = rows(read(HEAD, *good * 1, *lines, *good * len(table)))

    extra = list(range(len(table) + 2, 2 * len(table) + 2))
    assert list(found) == [1, *right, *extra]
