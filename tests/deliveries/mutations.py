"""What happens to good deliveries on their way: mutations of a draft.

``KINDLY`` ones keep the meaning: everything must still be accepted as it was. ``CRUEL`` ones spoil
something: what is accepted must be as it was, or be warned of.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from random import Random

from tests.deliveries.draft import COLUMNS, Draft, Raw

__all__ = ["CRUEL", "KINDLY", "Mutation"]

Mutation = Callable[[Draft, Random], None]
BALANCE = "余额"
STRUCTURE = b',"\r\n\x00'
NUMBERS = {"calls": ("msisdn", "peer_number"), "transfers": ("account_id", "peer_account")}
MOMENTS = {"calls": "started_at", "transfers": "occurred_at"}
LABELS = {"in": "被叫", "out": "主叫", "voice": "语音", "sms": "短信", "debit": "借",
          "credit": "贷", "mobile": "手机银行"}  # fmt: skip
FULL_WIDTH = {ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789"}


def _each(draft: Draft, column: str, random: Random, write: Callable[[str], str]) -> None:
    """Write a column anew in about a third of the rows; what is written otherwise already stays."""
    place = draft.position(column)
    chosen = [row for row in draft.rows if random.random() < 0.3] or [random.choice(draft.rows)]
    for row in chosen:
        with suppress(ValueError):
            row[place] = write(row[place].strip())


# --- kindly: the meaning stays ---


def other_encoding(draft: Draft, random: Random) -> None:
    draft.encoding, draft.marks = random.choice(
        [("gb18030", 0), ("utf-8", 1), ("utf-16-le", 1), ("utf-16-be", 1)]
    )


def other_line_ends(draft: Draft, random: Random) -> None:
    draft.end = random.choice(["\r\n", "\r"])


def no_last_line_end(draft: Draft, random: Random) -> None:
    draft.last_end = False


def all_quoted(draft: Draft, random: Random) -> None:
    draft.quoted = True


def other_delimiter(draft: Draft, random: Random) -> None:
    draft.delimiter = random.choice("\t;")


def columns_in_another_order(draft: Draft, random: Random) -> None:
    order = list(range(len(draft.headings)))
    random.shuffle(order)
    draft.headings = [draft.headings[place] for place in order]
    draft.rows = [[row[place] for place in order] for row in draft.rows]


def a_column_more(draft: Draft, random: Random) -> None:
    place = random.randint(0, len(draft.headings))
    draft.headings.insert(place, BALANCE)
    for row in draft.rows:
        row.insert(place, f"{random.randint(0, 9999)}.00")


def rows_in_another_order(draft: Draft, random: Random) -> None:
    random.shuffle(draft.rows)


def blank_lines(draft: Draft, random: Random) -> None:
    draft.blank_after = frozenset(random.sample(range(len(draft.rows) + 1), 3))


def trailing_separators(draft: Draft, random: Random) -> None:
    draft.trailing = True


def rows_twice(draft: Draft, random: Random) -> None:
    again = random.sample(draft.rows, 3)
    draft.doubled += len(again)
    draft.rows += [list(row) for row in again]


def padded_fields(draft: Draft, random: Random) -> None:
    draft.headings = [f" {heading} " for heading in draft.headings]
    draft.rows = [[f"{value} " for value in row] for row in draft.rows]


def chinese_words(draft: Draft, random: Random) -> None:
    columns = set(COLUMNS[draft.dataset]) & {"direction", "service", "channel"}
    for place in map(draft.position, sorted(columns)):
        for row in draft.rows:
            row[place] = LABELS.get(row[place], row[place])


def spelt_numbers(draft: Draft, random: Random) -> None:
    if draft.dataset == "transfers":
        spellings: list[Callable[[str], str]] = [
            lambda n: f"{n[:4]} {n[4:8]} {n[8:]}", lambda n: f"{n}\t", lambda n: f"'{n}",
            lambda n: f'="{n}"', lambda n: n.translate(FULL_WIDTH),
        ]  # fmt: skip
    else:
        spellings = [_with_86, _with_0086, _spaced, lambda n: n.translate(FULL_WIDTH)]
    for column in NUMBERS[draft.dataset]:
        _each(draft, column, random, random.choice(spellings))


def _with_86(number: str) -> str:
    if number.startswith("00"):
        return f"+{number[2:]}"
    return f"+86{number.removeprefix('0')}"


def _with_0086(number: str) -> str:
    return number if number.startswith("00") else f"0086{number.removeprefix('0')}"


def _spaced(number: str) -> str:
    return f"{number[:3]} {number[3:7]}-{number[7:]}" if len(number) > 7 else number


def spelt_amounts(draft: Draft, random: Random) -> None:
    if draft.dataset == "calls":
        _each(draft, "duration_s", random, random.choice([lambda n: f"{n}.0", lambda n: f" {n}"]))
        return
    spellings: list[Callable[[str], str]] = [
        lambda n: f"{float(n):,.2f}", lambda n: f"¥{n}", lambda n: f"{n}元",
        lambda n: f"￥{float(n):,.2f}", lambda n: n.translate(FULL_WIDTH), lambda n: f"{n}00",
    ]  # fmt: skip
    _each(draft, "amount", random, random.choice(spellings))


def spelt_moments(draft: Draft, random: Random) -> None:
    spellings = [
        "%Y/%m/%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y%m%d%H%M%S", "%Y年%m月%d日 %H:%M:%S",
        "%Y-%m-%d %H:%M:%S+08:00", "%Y-%m-%d %H:%M:%S.000",
    ]  # fmt: skip
    form = random.choice(spellings)
    _each(draft, MOMENTS[draft.dataset], random,
          lambda text: datetime.fromisoformat(text).strftime(form))  # fmt: skip


# --- cruel: something is spoilt ---


def unquoted_thousands(draft: Draft, random: Random) -> None:
    column = "amount" if draft.dataset == "transfers" else "duration_s"
    places = 2 if draft.dataset == "transfers" else 0
    if random.random() < 0.5:  # a heading without a name swallows the surplus
        draft.headings.append("")
        for row in draft.rows:
            row.append("")
    _each(draft, column, random, lambda text: Raw(f"{float(text):,.{places}f}"))


def comma_decimals(draft: Draft, random: Random) -> None:
    if draft.dataset == "transfers":
        swap = str.maketrans(",.", ".,")
        _each(draft, "amount", random, lambda text: f"{float(text):,.2f}".translate(swap))


def odd_moments(draft: Draft, random: Random) -> None:
    forms = ["%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%y-%m-%d %H:%M:%S", "%I:%M:%S %p",
             "%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d", "%Y-%m-%d %H:%M:60", "%Y-%d-%m %H:%M:%S",
             "%y%m%d%H%M%S", "%Y%m%d%H%M%S0", "%s", "%H:%M:%S",
             "%Y-%m-%d %H:%M:%S CST"]  # fmt: skip
    form = random.choice(forms)
    _each(draft, MOMENTS[draft.dataset], random,
          lambda text: datetime.fromisoformat(text).strftime(form))  # fmt: skip


def spreadsheet_numbers(draft: Draft, random: Random) -> None:
    column = random.choice(NUMBERS[draft.dataset])
    digits = random.choice([2, 5])
    place = draft.position(column)
    for row in draft.rows:
        if len(row[place]) > 10 and row[place].isdigit():
            row[place] = f"{float(row[place]):.{digits}E}"


def eaten_digits(draft: Draft, random: Random) -> None:
    if draft.dataset == "transfers":
        for column in NUMBERS["transfers"]:
            place = draft.position(column)
            for row in draft.rows:
                row[place] = row[place][:15] + "0" * len(row[place][15:])


def masked_numbers(draft: Draft, random: Random) -> None:
    column = random.choice(NUMBERS[draft.dataset])
    _each(draft, column, random, lambda text: f"{text[:3]}****{text[-4:]}")


def swapped_fields(draft: Draft, random: Random) -> None:
    for row in random.sample(draft.rows, 3):
        one, other = random.sample(range(len(row)), 2)
        # Two numbers of one kind, or two words that may be anything: nobody can know.
        names = {draft.headings[one], draft.headings[other]}
        row[one], row[other] = row[other], row[one]
        if names == {
            draft.headings[place] for place in map(draft.position, NUMBERS[draft.dataset])
        }:
            draft.unknowable |= _records_of(draft, row)
        numbered = {draft.headings[draft.position("record_id")]} & names
        if numbered and draft.dataset == "transfers":  # a merchant's account looks like a number
            draft.unknowable |= _records_of(draft, row)
        if BALANCE in {name.strip() for name in names}:
            draft.unknowable |= _records_of(draft, row)


def _records_of(draft: Draft, row: list[str]) -> set[str]:
    return {value.strip() for value in row} & set(draft.truth)


def lost_fields(draft: Draft, random: Random) -> None:
    for row in random.sample(draft.rows, 3):
        del row[random.randrange(len(row))]


def doubled_fields(draft: Draft, random: Random) -> None:
    for row in random.sample(draft.rows, 3):
        place = random.randrange(len(row))
        row.insert(place, row[place])


def shifted_fields(draft: Draft, random: Random) -> None:
    for row in random.sample(draft.rows, 3):
        if BALANCE in map(str.strip, draft.headings):  # beside an amount it is as good as one
            draft.unknowable |= _records_of(draft, row)
        if random.random() < 0.5:
            del row[random.randrange(1, len(row))]
            row.append("")
        else:
            row.insert(random.randrange(1, len(row)), "")
            row.pop()


def emptied_fields(draft: Draft, random: Random) -> None:
    for row in random.sample(draft.rows, 3):
        place = random.randrange(len(row))
        if draft.dataset == "transfers" and place == draft.position("peer_account"):
            draft.unknowable |= _records_of(draft, row)  # a movement without another party
        row[place] = random.choice(["", "NULL", "-", "无"])


def stray_quotes(draft: Draft, random: Random) -> None:
    for row in random.sample(draft.rows, 3):
        place = random.randrange(len(row))
        value = row[place]
        row[place] = Raw(random.choice([
            f'"{value}', f'{value}"', f'"{value[:2]}"{value[2:]}', f'{value[:2]}"{value[2:]}',
            f'""{value}"', f'"{value}" ', f"“{value}”",
        ]))  # fmt: skip


def split_lines(draft: Draft, random: Random) -> None:
    for row in random.sample(draft.rows, 2):
        place = random.randrange(len(row))
        row[place] = Raw(row[place][:3] + draft.end + row[place][3:])


def lines_around(draft: Draft, random: Random) -> None:
    draft.before = random.choice([[], ["明细查询结果"], ["明细查询结果", "起止日期,2026-06-15"],
                                  ["账单,,,,,,,,,,,,,,"]])  # fmt: skip
    draft.after = random.choice([[], ["合计,30,,,,,"], ["共30条"], ["-- END --"]])


def headings_again(draft: Draft, random: Random) -> None:
    draft.rows.insert(random.randrange(len(draft.rows)), [Raw(text) for text in draft.headings])


def headings_lost(draft: Draft, random: Random) -> None:
    match random.randrange(3):
        case 0:
            draft.headings = draft.rows.pop(0)
        case 1:
            draft.headings[random.randrange(len(draft.headings))] = "备注"
        case 2:
            one, other = random.sample(range(len(draft.headings)), 2)
            draft.headings[one] = draft.headings[other]


def wrong_encoding(draft: Draft, random: Random) -> None:
    draft.encoding, draft.marks = random.choice(["big5", "utf-16-le", "latin-1", "utf-7"]), 0


def lines_in_another_encoding(draft: Draft, random: Random) -> None:
    chosen = random.randrange(1, len(draft.rows))
    other = "gb18030" if draft.encoding == "utf-8" else "utf-8"
    here, end = draft.encoding, draft.end.encode(draft.encoding)

    def spoil(content: bytes) -> bytes:
        lines = content.split(end)
        lines[chosen] = lines[chosen].decode(here, "replace").encode(other)
        return end.join(lines)

    draft.spoil = spoil


def cut_short(draft: Draft, random: Random) -> None:
    content = draft.content()
    cut = content[: int(len(content) * random.random())]
    draft.spoil = lambda _: cut
    apart = draft.delimiter.encode(draft.encoding)
    last = cut.split(draft.end.encode(draft.encoding))[-1]
    if last.count(apart) >= len(draft.headings) - 1 and not draft.trailing:
        # The last value may be cut, and a file may end without a line end.
        draft.unknowable |= {name for name in draft.truth if name.encode(draft.encoding) in last}


def spoilt_bytes(draft: Draft, random: Random) -> None:
    """Bytes flipped, dropped, inserted; a digit for a digit is something nobody can know."""
    content = draft.content()
    positions = sorted(random.sample(range(len(content)), random.randint(1, 6)), reverse=True)
    new = bytearray(content)
    for position in positions:
        old = content[position]
        byte = random.choice([*STRUCTURE, *STRUCTURE, random.randrange(256)])
        match random.randrange(3):
            case 0:
                new[position] = byte
                structural = old in STRUCTURE or byte in STRUCTURE
            case 1:
                del new[position]
                structural = old in STRUCTURE
            case _:
                new.insert(position, byte)
                structural = byte in STRUCTURE
        if not structural:
            draft.unknowable |= _records_at(draft, content, position)
    spoilt = bytes(new)
    draft.spoil = lambda _: spoilt


def _records_at(draft: Draft, content: bytes, position: int) -> set[str]:
    """The records of the line in which a byte stands; all of them if it is the headings' line."""
    ends = draft.end.encode(draft.encoding)
    begin = content.rfind(ends, 0, position) + 1
    line = content[begin : content.find(ends, position)]
    here = {record for record in draft.truth if record.encode(draft.encoding) in line}
    return here or set(draft.truth)


def nul_bytes(draft: Draft, random: Random) -> None:
    for row in random.sample(draft.rows, 2):
        row[random.randrange(len(row))] += "\x00\x00"


def odd_line_ends(draft: Draft, random: Random) -> None:
    for row in random.sample(draft.rows, 3):
        row[-1] = Raw(row[-1] + random.choice(["\r", "\x0b", "\x0c", "\x85", "\u2028"]))


KINDLY: tuple[Mutation, ...] = (
    other_encoding, other_line_ends, no_last_line_end, all_quoted, other_delimiter,
    columns_in_another_order, a_column_more, rows_in_another_order, blank_lines,
    trailing_separators, rows_twice, padded_fields, chinese_words, spelt_numbers, spelt_amounts,
    spelt_moments,
)  # fmt: skip
CRUEL: tuple[Mutation, ...] = (
    unquoted_thousands, unquoted_thousands, comma_decimals, odd_moments, spreadsheet_numbers,
    eaten_digits, masked_numbers, swapped_fields, lost_fields, doubled_fields, shifted_fields,
    emptied_fields, stray_quotes, split_lines, lines_around, headings_again, headings_lost,
    wrong_encoding, lines_in_another_encoding, cut_short, spoilt_bytes, spoilt_bytes,
    spoilt_bytes, nul_bytes, odd_line_ends,
)  # fmt: skip
