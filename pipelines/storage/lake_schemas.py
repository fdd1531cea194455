"""What the lake's tables hold. Keys are pseudonyms, times are Asia/Shanghai, money is CNY.

``number`` and ``peer`` share one key space, as do ``account`` and ``payee``: the same raw value has
the same pseudonym whatever file it came from. ``known_at`` is the moment from which a record may be
used.
"""

from collections.abc import Mapping

import polars as pl

from pipelines.clock import ZONE

__all__ = ["DAY", "EVENTS", "FEATURE_COLUMNS", "MOMENT", "REGISTERS", "SORTED_BY", "TABLES"]

MOMENT = pl.Datetime("us", ZONE)
MONEY = pl.Decimal(18, 2)
DAY = "event_day"

TABLES: Mapping[str, pl.Schema] = {
    "calls": pl.Schema(
        {
            "record_id": pl.String(),
            "source": pl.String(),
            "number": pl.String(),
            "peer": pl.String(),
            "peer_kind": pl.String(),
            "peer_area": pl.String(),
            "direction": pl.String(),
            "service": pl.String(),
            "started_at": MOMENT,
            "duration_s": pl.Int32(),
            "known_at": MOMENT,
            "event_day": pl.Date(),
            "file_id": pl.String(),
        }
    ),
    "transfers": pl.Schema(
        {
            "record_id": pl.String(),
            "source": pl.String(),
            "account": pl.String(),
            "payee": pl.String(),
            "payee_kind": pl.String(),
            "direction": pl.String(),
            "amount_cny": MONEY,
            "occurred_at": MOMENT,
            "channel": pl.String(),
            "peer_bank": pl.String(),
            "known_at": MOMENT,
            "event_day": pl.Date(),
            "file_id": pl.String(),
        }
    ),
    "residents": pl.Schema(
        {
            "person": pl.String(),
            "sex": pl.String(),
            "birth_month": pl.Date(),
            "residency": pl.String(),
            "community_id": pl.String(),
            "grid_id": pl.String(),
        }
    ),
    "subscribers": pl.Schema(
        {
            "number": pl.String(),
            "person": pl.String(),
            "operator": pl.String(),
            "activated_on": pl.Date(),
        }
    ),
    "accounts": pl.Schema(
        {"account": pl.String(), "person": pl.String(), "bank": pl.String(), "opened_on": pl.Date()}
    ),
    "number_tags": pl.Schema({"number": pl.String(), "tag": pl.String()}),
    "cases": pl.Schema(
        {
            "case_id": pl.String(),
            "person": pl.String(),
            "scam_type": pl.String(),
            "outcome": pl.String(),
            "first_transfer_at": MOMENT,
            "last_transfer_at": MOMENT,
            "reported_at": MOMENT,
            "loss_amount_cny": MONEY,
            "known_at": MOMENT,
            "suspect_numbers": pl.List(pl.String()),
            "suspect_accounts": pl.List(pl.String()),
        }
    ),
}
EVENTS = ("calls", "transfers")
REGISTERS = ("residents", "subscribers", "accounts", "number_tags", "cases")
#: What features are made of.
FEATURE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "calls": (
        *("source", "number", "peer", "peer_kind", "direction", "service"),
        *("started_at", "duration_s", "known_at"),
    ),
    "transfers": (
        *("source", "account", "payee", "payee_kind", "direction"),
        *("amount_cny", "occurred_at", "known_at"),
    ),
}
SORTED_BY = {"calls": ("number", "started_at"), "transfers": ("account", "occurred_at")}
