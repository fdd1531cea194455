"""Makes a clean landing folder as dirty as real deliveries are, and says what was done.

Each fault takes a file of its own, so that every line of the list can be checked against what
ingest made of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from data_contracts.errors import SettingsError

__all__ = ["FAULTS", "InjectedFault", "inject_faults"]

Expected = Literal["accepted", "quarantined", "duplicate", "unreadable", "missing"]
_Change = Callable[
    [np.random.Generator, Path], tuple[Path, int]
]  # gives the file after it, and rows touched

_CALL_HEADINGS = dict(
    zip(
        ("record_id", "msisdn", "peer_number", "direction", "service", "started_at", "duration_s"),
        ("记录号", "本机号码", "对方号码", "呼叫方向", "业务类型", "开始时间", "通话时长"),
        strict=True,
    )
)
_TRANSFER_HEADINGS = dict(
    zip(
        (
            "record_id",
            "account_id",
            "peer_account",
            "direction",
            "amount",
            "occurred_at",
            "channel",
            "peer_bank",
        ),
        ("流水号", "账号", "对方账号", "借贷标志", "金额", "交易时间", "渠道", "对方银行"),
        strict=True,
    )
)
_VALUES = {
    "out": "主叫",
    "in": "被叫",
    "voice": "语音",
    "sms": "短信",
    "debit": "借",
    "credit": "贷",
    "mobile": "手机银行",
    "online": "网上银行",
    "atm": "ATM",
    "counter": "柜面",
    "pos": "POS",
    "third_party": "第三方支付",
}
_ENUMS = ("direction", "service", "channel")
_BAD_ROWS = 3


@dataclass(frozen=True)
class InjectedFault:
    """One thing that was done: the fault, the file (relative to the landing folder), rows touched,
    what must follow.
    """

    fault: str
    path: str
    rows: int
    expected: Expected


@dataclass(frozen=True)
class _Fault:
    dataset: str  # calls, transfers, or the name of a register
    expected: Expected
    change: _Change


def inject_faults(
    landing: Path, *, seed: int, faults: Iterable[str] | None = None
) -> list[InjectedFault]:
    """Puts the named faults (all of :data:`FAULTS` when left out) into ``landing``, each into
    another file.

    Raises :class:`SettingsError` for a fault that does not exist and when the folder has too few
    files.
    """
    rng = np.random.default_rng(seed)
    names = list(FAULTS if faults is None else faults)
    if unknown := sorted(set(names) - set(FAULTS)):
        raise SettingsError(
            f"No such fault: {', '.join(unknown)}.", remedy=f"Choose from {', '.join(FAULTS)}."
        )
    free = {dataset: _files(rng, landing, dataset) for dataset in ("calls", "transfers")}
    done = []
    for name in names:
        fault = FAULTS[name]
        if fault.dataset not in free:
            path = landing / f"{fault.dataset}.parquet"
        elif free[fault.dataset]:
            path = free[fault.dataset].pop()
        else:
            raise SettingsError(f"{landing} has too few {fault.dataset} files for so many faults.")
        after, rows = fault.change(rng, path)
        done.append(
            InjectedFault(name, after.relative_to(landing).as_posix(), rows, fault.expected)
        )
    return done


def _files(rng: np.random.Generator, landing: Path, dataset: str) -> list[Path]:
    """The daily Parquet files in random order."""
    files = sorted((landing / dataset).glob("*/*.parquet"))
    return [files[i] for i in rng.permutation(len(files))]


def _rows(rng: np.random.Generator, frame: pl.DataFrame) -> pl.Expr:
    """A mask of some rows, few enough that the file is not held."""
    count = max(1, min(_BAD_ROWS, len(frame) // 40))
    return pl.int_range(pl.len()).is_in(rng.choice(len(frame), count, replace=False).tolist())


def _change_rows(
    column: str, wrong: Callable[[pl.Expr], pl.Expr], *, where: pl.Expr | None = None
) -> _Change:
    """A change that makes ``column`` wrong in some rows (of those that fit ``where``)."""

    def change(rng: np.random.Generator, path: Path) -> tuple[Path, int]:
        frame = pl.read_parquet(path)
        fit = frame.with_row_index("row").filter(True if where is None else where)["row"].to_numpy()
        chosen = rng.choice(
            fit, min(len(fit), max(1, min(_BAD_ROWS, len(frame) // 40))), replace=False
        )
        hit = pl.int_range(pl.len()).is_in(chosen.tolist())
        new = pl.when(hit).then(wrong(pl.col(column))).otherwise(pl.col(column))
        frame.with_columns(new.alias(column)).write_parquet(path)
        return path, len(chosen)

    return change


def _reshape(shape: Callable[[pl.DataFrame], pl.DataFrame]) -> _Change:
    """A change of the whole table."""

    def change(_: np.random.Generator, path: Path) -> tuple[Path, int]:
        frame = shape(pl.read_parquet(path))
        frame.write_parquet(path)
        return path, len(frame)

    return change


def _as_csv(encoding: str, *, chinese: bool, grouped: bool = False) -> _Change:
    """A change of the file's form: CSV with CRLF, in Chinese headings and words or in ours."""

    def change(_: np.random.Generator, path: Path) -> tuple[Path, int]:
        frame = pl.read_parquet(path)
        frame = frame.with_columns(pl.col(pl.Datetime).dt.strftime("%Y-%m-%d %H:%M:%S"))
        if chinese:
            words = [pl.col(c).replace(_VALUES) for c in _ENUMS if c in frame.columns]
            frame = frame.with_columns(words).rename(
                _CALL_HEADINGS if "msisdn" in frame.columns else _TRANSFER_HEADINGS
            )
        if grouped:
            texts = pl.Series([f"{amount:,.2f}" for amount in frame["amount"]], dtype=pl.String)
            frame = frame.with_columns(amount=texts)
        text = frame.write_csv(line_terminator="\r\n")
        after = path.with_suffix(".csv")
        after.write_bytes(text.encode(encoding))
        path.unlink()
        return after, len(frame)

    return change


def _truncate(_: np.random.Generator, path: Path) -> tuple[Path, int]:
    rows = len(pl.read_parquet(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return path, rows


def _empty(_: np.random.Generator, path: Path) -> tuple[Path, int]:
    path.write_bytes(b"")
    return path, 0


def _mislabel(_: np.random.Generator, path: Path) -> tuple[Path, int]:
    """Transfers under the name of a calls file."""
    transfers = sorted((path.parents[2] / "transfers" / path.parent.name).glob("*.parquet"))
    shutil.copyfile(transfers[0], path)
    return path, len(pl.read_parquet(path))


def _deliver_twice(_: np.random.Generator, path: Path) -> tuple[Path, int]:
    again = path.with_name(f"{path.stem}-2359.parquet")
    shutil.copyfile(path, again)
    return again, len(pl.read_parquet(again))


def _contradict(rng: np.random.Generator, path: Path) -> tuple[Path, int]:
    """Some records once more in a second file, with other values."""
    frame = pl.read_parquet(path)
    again = path.with_name(f"{path.stem}-2359.parquet")
    few = frame.filter(_rows(rng, frame)).with_columns(pl.col("duration_s") + 7)
    few.write_parquet(again)
    return again, len(few)


def _arrive_late(_: np.random.Generator, path: Path) -> tuple[Path, int]:
    """The file comes two days later, beside that day's own."""
    day = pl.Series([path.parent.name]).str.to_date()[0] + timedelta(days=2)
    late = path.parent.parent / str(day) / f"{path.stem}-0600.parquet"
    late.parent.mkdir(exist_ok=True)
    path.rename(late)
    return late, len(pl.read_parquet(late))


def _stay_away(_: np.random.Generator, path: Path) -> tuple[Path, int]:
    rows = len(pl.read_parquet(path))
    path.unlink()
    return path, rows


def _full_width(number: pl.Expr) -> pl.Expr:
    narrow = [str(d) for d in range(10)]
    return number.str.replace_many(narrow, [chr(ord(d) + 0xFEE0) for d in narrow])


def _old_form(id_number: pl.Expr) -> pl.Expr:
    return id_number.str.slice(0, 6) + id_number.str.slice(8, 9)


def _wrong_check(id_number: pl.Expr) -> pl.Expr:
    last = pl.when(id_number.str.ends_with("0")).then(pl.lit("1")).otherwise(pl.lit("0"))
    return id_number.str.head(17) + last


_MOBILE = pl.col("peer_number").str.contains(r"^1\d{10}$")
_BORN_1900S = pl.col("id_number").str.slice(6, 2) == "19"
_FLOAT = pl.Float64

FAULTS: dict[str, _Fault] = {
    # untidy, but everything is there
    "gb18030_calls": _Fault("calls", "accepted", _as_csv("gb18030", chinese=True)),
    "gb18030_transfers": _Fault("transfers", "accepted", _as_csv("gb18030", chinese=True)),
    "utf8_bom_calls": _Fault("calls", "accepted", _as_csv("utf-8-sig", chinese=False)),
    "utf8_bom_chinese_transfers": _Fault(
        "transfers", "accepted", _as_csv("utf-8-sig", chinese=True)
    ),
    "reordered_columns": _Fault(
        "calls", "accepted", _reshape(lambda f: f.select(reversed(f.columns)))
    ),
    "extra_column": _Fault(
        "transfers", "accepted", _reshape(lambda f: f.with_columns(remark=pl.lit("")))
    ),
    "plus_86": _Fault(
        "calls", "accepted", _change_rows("peer_number", lambda n: "+86" + n, where=_MOBILE)
    ),
    "double_zero_86": _Fault(
        "calls", "accepted", _change_rows("peer_number", lambda n: "0086" + n, where=_MOBILE)
    ),
    "spaced_numbers": _Fault(
        "calls",
        "accepted",
        _change_rows(
            "msisdn", lambda n: n.str.head(3) + " " + n.str.slice(3, 4) + "-" + n.str.tail(4)
        ),
    ),
    "full_width_numbers": _Fault(
        "calls", "accepted", _change_rows("peer_number", _full_width, where=_MOBILE)
    ),
    "grouped_amounts": _Fault(
        "transfers", "accepted", _as_csv("utf-8", chinese=False, grouped=True)
    ),
    "short_id_numbers": _Fault(
        "subscribers", "accepted", _change_rows("id_number", _old_form, where=_BORN_1900S)
    ),
    # wrong rows in a good file
    "wrong_check_digit": _Fault("accounts", "quarantined", _change_rows("id_number", _wrong_check)),
    "unknown_enum": _Fault(
        "calls", "quarantined", _change_rows("service", lambda _: pl.lit("fax"))
    ),
    "negative_duration": _Fault(
        "calls", "quarantined", _change_rows("duration_s", lambda d: -1 - d)
    ),
    "overlong_duration": _Fault(
        "calls", "quarantined", _change_rows("duration_s", lambda d: d + 90_000)
    ),
    "zero_amount": _Fault("transfers", "quarantined", _change_rows("amount", lambda a: a - a)),
    "negative_amount": _Fault("transfers", "quarantined", _change_rows("amount", lambda a: -a)),
    "nan_amount": _Fault(
        "transfers", "quarantined", _change_rows("amount", lambda a: a.cast(_FLOAT) * float("nan"))
    ),
    "future_time": _Fault(
        "transfers", "quarantined", _change_rows("occurred_at", lambda t: t.dt.offset_by("20y"))
    ),
    "time_of_1900": _Fault(
        "calls", "quarantined", _change_rows("started_at", lambda t: t.dt.offset_by("-126y"))
    ),
    # files that cannot be taken as they are
    "missing_column": _Fault("calls", "unreadable", _reshape(lambda f: f.drop("duration_s"))),
    "mislabelled_file": _Fault("calls", "unreadable", _mislabel),
    "truncated_file": _Fault("transfers", "unreadable", _truncate),
    "empty_file": _Fault("calls", "unreadable", _empty),
    # files twice, late, or never
    "delivered_twice": _Fault("transfers", "duplicate", _deliver_twice),
    "contradicting_records": _Fault("calls", "quarantined", _contradict),
    "late_file": _Fault("calls", "accepted", _arrive_late),
    "missing_source": _Fault("transfers", "missing", _stay_away),
}
