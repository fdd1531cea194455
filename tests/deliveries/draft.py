"""A good delivery as a draft that mutations change, and the bytes it becomes.

Every draft has rows of its own: numbers, accounts, amounts and minutes that no other draft has.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

__all__ = ["COLUMNS", "DAY", "Draft", "Raw", "draw_draft", "line_of"]

DAY = "2026-06-15"
COLUMNS = {
    "calls": (
        "record_id", "msisdn", "peer_number", "direction", "service", "started_at", "duration_s",
    ),
    "transfers": (
        "record_id", "account_id", "peer_account", "direction", "amount", "occurred_at", "channel",
        "peer_bank",
    ),
}  # fmt: skip
CHINESE = {
    "calls": ("记录号", "本机号码", "对方号码", "呼叫方向", "业务类型", "开始时间", "通话时长"),
    "transfers": (
        "流水号", "账号", "对方账号", "借贷标志", "金额", "交易时间", "渠道", "对方银行",
    ),
}  # fmt: skip
BANKS = ("建设银行", "农业银行", "ccb", "交通银行股份有限公司")


class Raw(str):
    """A field that stands in the file as it is, without the quotation marks that CSV wants."""

    __slots__ = ()


@dataclass(kw_only=True)
class Draft:
    """A delivery before it is written.

    ``truth`` are the right values by record number, in the columns of the contract. ``lawful``
    says that all of it must be accepted; ``unknowable`` are records of which nobody can tell what
    they were; ``doubled`` is the number of rows that came before in the same file.
    """

    dataset: str
    source: str
    headings: list[str]
    rows: list[list[str]]
    truth: dict[str, tuple[str, ...]]
    delimiter: str = ","
    quoted: bool = False
    end: str = "\n"
    last_end: bool = True
    encoding: str = "utf-8"
    marks: int = 0
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    blank_after: frozenset[int] = frozenset()
    trailing: bool = False
    spoil: Callable[[bytes], bytes] | None = None
    lawful: bool = True
    unknowable: set[str] = field(default_factory=set)
    doubled: int = 0
    changes: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where the file lies in the landing folder."""
        return f"{self.dataset}/{DAY}/{self.source}.csv"

    def position(self, column: str) -> int:
        """Where a column of the contract stands now."""
        names = COLUMNS[self.dataset]
        chinese = dict(zip(CHINESE[self.dataset], names, strict=True))
        return [chinese.get(heading.strip(), heading.strip()) for heading in self.headings].index(
            column
        )

    def lines(self) -> list[str]:
        """The lines of the file without their ends, the headings among them."""
        table = [self.headings, *self.rows]
        written = [
            line_of(row, delimiter=self.delimiter, quoted=self.quoted)
            + (self.delimiter if self.trailing and number else "")
            for number, row in enumerate(table)
        ]
        table_lines = (
            part
            for number, line in enumerate(written)
            for part in ([line, ""] if number in self.blank_after else [line])
        )
        return [*self.before, *table_lines, *self.after]

    def content(self) -> bytes:
        """The bytes that the partner sends."""
        text = "\ufeff" * self.marks + self.end.join(self.lines())
        content = (text + (self.end if self.last_end else "")).encode(self.encoding, "replace")
        return self.spoil(content) if self.spoil else content


def line_of(row: list[str], *, delimiter: str, quoted: bool) -> str:
    """One line of CSV; raw fields stand in it as they are."""
    return delimiter.join(
        str(value) if isinstance(value, Raw) else _field(value, delimiter, quoted=quoted)
        for value in row
    )


def _field(value: str, delimiter: str, *, quoted: bool) -> str:
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="").writerow([value, ""])
    return out.getvalue()[: -3 if quoted else -1]


def draw_draft(random: Random, *, number: int) -> Draft:
    """A good delivery of 20 to 40 rows, of calls or of transfers."""
    dataset = random.choice(("calls", "transfers"))
    draw = _draw_call if dataset == "calls" else _draw_transfer
    start = datetime.fromisoformat(DAY) + timedelta(hours=8)
    rows = [
        draw(random, number=number, row=row, at=start + timedelta(seconds=1171 * row % 50_000))
        for row in range(random.randint(20, 40))
    ]
    chinese = random.random() < 0.5
    return Draft(
        dataset=dataset,
        source=_letters(number),
        headings=list((CHINESE if chinese else COLUMNS)[dataset]),
        rows=[list(row) for row in rows],
        truth={row[0]: row for row in rows},
    )


def _draw_call(random: Random, *, number: int, row: int, at: datetime) -> tuple[str, ...]:
    peer = random.choice(
        (
            f"139{number:05d}{row:03d}",
            f"021{61000000 + number * 40 + row}",
            "95588",
            f"00852{51000000 + number * 40 + row}",
        )
    )
    service = random.choice(("voice", "voice", "sms"))
    seconds = 0 if service == "sms" else random.randint(1, 3000)
    return (f"C{row:03d}", f"138{number:05d}{row:03d}", peer, random.choice(("in", "out")), service,
            f"{at:%Y-%m-%d %H:%M:%S}", str(seconds))  # fmt: skip


def _draw_transfer(random: Random, *, number: int, row: int, at: datetime) -> tuple[str, ...]:
    cents = random.choice((random.randint(100, 99_999), random.randint(100_000, 9_999_999)))
    return (f"T{row:03d}", f"622202{number:08d}{row:04d}7", f"621700{number:08d}{row:04d}3",
            random.choice(("debit", "credit")), f"{cents // 100}.{cents % 100:02d}",
            f"{at:%Y-%m-%d %H:%M:%S}", "mobile", random.choice(BANKS))  # fmt: skip


def _letters(number: int) -> str:
    """A source's name out of letters alone: names that differ in a number are one source."""
    letters = ""
    for _ in range(4):
        number, place = divmod(number, 26)
        letters += "abcdefghijklmnopqrstuvwxyz"[place]
    return f"src{letters}"
