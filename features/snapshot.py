"""``snapshot``: the features of people at moments, from what was known strictly before each.

The one door to the features: training asks for many past moments, a night for everyone at midnight, a tick for those
touched since the last. The answer for a person and a moment is the same whoever asks.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from features.evidence import KINDS, Evidence
from features.payees import payee_state
from features.peers import peer_state
from features.records import RECENT
from features.timeline import Positions, Timeline, milliseconds

__all__ = ["snapshot"]

HOURS = {"1h": 1, "6h": 6, "24h": 24, "3d": 72, "7d": 168, "30d": 720}
CHUNK = 50_000  # moments worked on at once: bounds memory, never the answer


@dataclass(frozen=True, eq=False)
class Questions:
    """Who is asked about, and when: codes and milliseconds, one entry a moment."""

    frame: pl.DataFrame
    owner: Positions
    at_ms: Positions


def snapshot(evidence: Evidence, moments: pl.DataFrame) -> pl.DataFrame:
    """One row a moment: ``person``, ``at`` and every feature of the catalogue, in the order of ``moments``.

    ``moments`` has ``person`` (pseudonym) and ``at`` (zoned, whole milliseconds). People who are not in the register
    drop out. Beside the features come ``lead_peer`` and ``lead_payee``: the number and account that speak most for
    an episode, for the reasons and the analyst, never for the model.
    """
    known = moments.join(evidence.people.select("person", owner="code"), on="person", maintain_order="left")
    parts = [answer(evidence, known[start : start + CHUNK]) for start in range(0, max(1, len(known)), CHUNK)]
    return pl.concat(parts)


def answer(evidence: Evidence, moments: pl.DataFrame) -> pl.DataFrame:
    """:func:`snapshot` of one chunk."""
    asked = Questions(moments, moments["owner"].cast(pl.Int64).to_numpy(), milliseconds(moments["at"]))
    threads = stranger_threads(evidence, asked)
    deals = payee_threads(evidence, asked)
    blocks = [
        moments.select("person", "at"),
        habits(evidence, asked),
        stranger_sums(evidence, asked),
        payment_sums(evidence, asked),
        thread_features(threads, asked),
        deal_features(deals, threads, asked),
        register_features(evidence, asked),
    ]
    return derived(pl.concat(blocks, how="horizontal"))


def windowed(
    timeline: Timeline, asked: Questions, wanted: dict[str, tuple[str, ...]]
) -> dict[str, npt.NDArray[np.float64]]:
    """``{name}_{window}`` for every total and the windows wanted of it."""
    spans = {window for windows in wanted.values() for window in windows}
    slices = {w: timeline.slices(asked.owner, asked.at_ms, timedelta(hours=HOURS[w])) for w in HOURS if w in spans}
    return {f"{name}_{w}": timeline.sums(name, slices[w]) for name, windows in wanted.items() for w in windows}


def habits(evidence: Evidence, asked: Questions) -> pl.DataFrame:
    """How much this person calls and is called."""
    found = windowed(
        evidence.contacts,
        asked,
        {"calls_in": ("24h", "30d"), "calls_out": ("24h", "30d"), "sms": ("30d",), "talk_s": ("24h", "30d")},
    )
    return pl.DataFrame(found)


def stranger_sums(evidence: Evidence, asked: Questions) -> pl.DataFrame:
    """Contacts with strangers, summed over windows."""
    every, few = ("1h", "6h", "24h", "3d", "7d"), ("24h", "7d")
    found = windowed(
        evidence.strangers,
        asked,
        {
            "calls": every,
            "calls_long": ("6h", "24h", "7d"),
            "sms": every,
            "talk_s": every,
            "call_back": ("24h", "7d"),
            "new": every,
            **{f"new_{kind}": few for kind in KINDS},
        },
    )
    return pl.DataFrame({f"stranger_{name}": values for name, values in found.items()})


def payment_sums(evidence: Evidence, asked: Questions) -> pl.DataFrame:
    """Money moved, and money moved to payees not dealt with before, summed over windows."""
    every = ("1h", "6h", "24h", "3d", "7d")
    moved = windowed(
        evidence.payments,
        asked,
        {
            "debits": ("24h", "7d", "30d"),
            "debit_cny": (*every, "30d"),
            "credit_cny": ("24h", "7d", "30d"),
            "own_in_cny": ("6h", "24h", "7d"),
            "first_credit_cny": ("6h", "24h", "7d"),
            "large": ("24h", "7d", "30d"),
        },
    )
    fresh = windowed(
        evidence.new_payees,
        asked,
        {
            "payees": every,
            "payees_outside": every,
            "debit_cny": every,
            "debit_outside_cny": every,
            "back": ("24h", "3d", "7d"),
            "back_cny": ("24h", "7d"),
        },
    )
    return pl.DataFrame({**moved, **{f"new_{name}": values for name, values in fresh.items()}})


def stranger_threads(evidence: Evidence, asked: Questions) -> pl.DataFrame:
    """One row for each moment and stranger heard of in ``RECENT``: the thread so far, and the number's standing now."""
    timeline = evidence.strangers
    rows = timeline.rows(timeline.slices(asked.owner, asked.at_ms, RECENT))
    at = pl.Series("at", asked.frame["at"].gather(rows["moment"]))
    rows = rows.with_columns(at).filter(pl.col("next_known_at").is_null() | (pl.col("next_known_at") >= pl.col("at")))
    now = peer_state(evidence.peers, peer=rows["peer_code"].cast(pl.Int64).to_numpy(), at_ms=milliseconds(rows["at"]))
    return (
        pl.concat([rows, now], how="horizontal")
        .join(evidence.named_peers, left_on="peer_code", right_on="code", how="left", maintain_order="left")
        .join(evidence.tags, left_on="peer_code", right_on="code", how="left", maintain_order="left")
        .with_columns(
            named=(pl.col("named_at") < pl.col("at")).fill_null(False),
            thread_age_h=hours(pl.col("at") - pl.col("thread_started_at")),
            silent_h=hours(pl.col("at") - pl.col("known_at")),
        )
        .with_columns(reputation=reputation())
        .with_columns(suspicion=suspicion())
    )


def reputation() -> pl.Expr:
    """0 to 1, bad at 1: a young number that reaches out to many residents and is not called back."""
    youth = 1 - (pl.col("peer_age_d").fill_null(0) / 20).clip(0, 1)
    reach = ((1 + pl.col("peer_reach_14d")).log(2) / 5).clip(0, 1)
    return settled(youth * reach * pl.col("peer_in_share").fill_null(0.5))


def suspicion() -> pl.Expr:
    """0 to 2: the number's reputation, how far this resident was drawn in, and whether a reported case names it."""
    engaged = ((1 + pl.col("thread_talk_s") / 30).log(2) / 6).clip(0, 1)
    drawn_in = 0.35 + 0.65 * engaged
    return settled((0.1 + 0.9 * pl.col("reputation")) * drawn_in * pl.when("named").then(2.0).otherwise(1.0))


def settled(score: pl.Expr) -> pl.Expr:
    """Rounded, because the last bit of a logarithm depends on the row's place in the frame."""
    return score.round(9)


def hours(span: pl.Expr) -> pl.Expr:
    return span.dt.total_seconds() / 3600


LEAD = (
    "suspicion",
    "reputation",
    "thread_n",
    "thread_talk_s",
    "thread_max_talk_s",
    "thread_sms_n",
    "thread_answered_n",
    "thread_call_back_n",
    "thread_age_h",
    "silent_h",
    "peer_reach_24h",
    "peer_reach_3d",
    "peer_reach_14d",
    "peer_contacts_14d",
    "peer_age_d",
    "peer_in_share",
    "peer_sms_share",
    "peer_answer_share",
    "peer_hang_up_share",
    "peer_long_n",
    "peer_talk_mean_s",
)
KIND_CODES = {
    "international": 1,
    "virtual": 2,
    "service_95": 3,
    "service_96": 3,
    "service_400": 4,
    "service_106": 5,
    "landline": 6,
    "mobile": 7,
}


def thread_features(threads: pl.DataFrame, asked: Questions) -> pl.DataFrame:
    """Strangers of the last week taken together, and the one that speaks most for an episode."""
    day = pl.col("silent_h") < 24
    reputed = pl.col("reputation") > 0.2
    fresh = pl.col("thread_age_h") < 48
    together = threads.group_by("moment").agg(
        suspicion_sum=pl.col("suspicion").sum(),
        reputation_max_24h=pl.col("reputation").filter(day).max(),
        reputation_new_48h=pl.col("reputation").filter(fresh).max(),
        reputed_peers_24h=(reputed & day).sum(),
        reputed_peers_7d=reputed.sum(),
        reputed_talk_s=(pl.col("thread_talk_s") * reputed).sum(),
        reputed_talk_48h_s=(pl.col("thread_talk_s") * (reputed & fresh)).sum(),
        reputed_sms=(pl.col("thread_sms_n") * reputed).sum(),
        reputed_calls_back=(pl.col("thread_call_back_n") * reputed).sum(),
        named_peers_7d=pl.col("named").sum(),
        named_talk_s=(pl.col("thread_talk_s") * pl.col("named")).sum(),
        stranger_max_talk_s=pl.col("thread_max_talk_s").max(),
        stranger_max_talk_24h_s=(pl.col("thread_max_talk_s") * day).max(),
        stranger_max_calls=pl.col("thread_answered_n").max(),
        stranger_max_reach_24h=(pl.col("peer_reach_24h") * (pl.col("peer_age_d") < 15)).max(),
    )
    lead = (
        threads.sort("moment", "suspicion", "known_at", "peer_code", descending=[False, True, True, False])
        .unique("moment", keep="first", maintain_order=True)
        .select(
            "moment",
            *(pl.col(name).alias(f"lead_{name}") for name in LEAD),
            lead_kind=pl.col("peer_kind").cast(pl.String).replace_strict(KIND_CODES, default=0, return_dtype=pl.Int8),
            lead_named=pl.col("named"),
            lead_tagged=pl.col("tag").is_not_null(),
            lead_started_at=pl.col("thread_started_at"),
            lead_peer_code=pl.col("peer_code"),
        )
    )
    return spread(together.join(lead, on="moment", how="left"), asked)


def spread(grouped: pl.DataFrame, asked: Questions) -> pl.DataFrame:
    """Lay grouped rows out again as one row a moment, null where there was nothing."""
    index = pl.DataFrame({"moment": np.arange(len(asked.owner), dtype=np.uint32)})
    return index.join(grouped, on="moment", how="left", maintain_order="left").drop("moment")


def payee_threads(evidence: Evidence, asked: Questions) -> pl.DataFrame:
    """One row for each moment and new payee of ``RECENT``: what went there and back, and the account's standing now."""
    timeline = evidence.new_payees
    rows = timeline.rows(timeline.slices(asked.owner, asked.at_ms, RECENT))
    at = pl.Series("at", asked.frame["at"].gather(rows["moment"]))
    rows = rows.with_columns(at).filter(pl.col("next_known_at").is_null() | (pl.col("next_known_at") >= pl.col("at")))
    now = payee_state(
        evidence.payees, payee=rows["payee_code"].cast(pl.Int64).to_numpy(), at_ms=milliseconds(rows["at"])
    )
    return (
        pl.concat([rows, now], how="horizontal")
        .join(evidence.named_payees, left_on="payee_code", right_on="code", how="left", maintain_order="left")
        .with_columns(
            named=(pl.col("named_at") < pl.col("at")).fill_null(False),
            thread_age_h=hours(pl.col("at") - pl.col("thread_started_at")),
            silent_h=hours(pl.col("at") - pl.col("known_at")),
            outside=~pl.col("is_local"),
        )
    )


DEAL = (
    "thread_paid_cny",
    "thread_back_cny",
    "thread_paid_n",
    "thread_back_n",
    "thread_first_cny",
    "thread_age_h",
    "silent_h",
    "outside",
    "payee_payers_14d",
    "payee_receivers_14d",
    "payee_received_cny_14d",
    "payee_age_d",
    "named",
)


def deal_features(deals: pl.DataFrame, threads: pl.DataFrame, asked: Questions) -> pl.DataFrame:
    """New payees of the last week taken together, the latest of them outside the district, and the order of events."""
    paid = pl.col("thread_paid_n") > 0
    rebate = paid & (pl.col("thread_back_cny") > 0) & (pl.col("thread_back_cny") < 3 * pl.col("thread_paid_cny"))
    together = deals.group_by("moment").agg(
        named_payees_7d=pl.col("named").sum(),
        payee_max_cny=pl.col("thread_paid_cny").max(),
        payee_min_cny=pl.col("thread_first_cny").filter(paid).min(),
        payee_last_cny=pl.col("amount_cny").filter("is_debit").last(),
        payee_first_cny=pl.col("thread_first_cny")
        .filter(paid)
        .sort_by(pl.col("thread_started_at").filter(paid), pl.col("payee_code").filter(paid))
        .first(),
        payee_back_n=(pl.col("thread_back_n") * paid).sum(),
        payee_back_share=((pl.col("thread_back_cny") * paid).sum() / pl.col("thread_paid_cny").sum()).fill_nan(None),
        payee_outside_n=(pl.col("outside") & paid).sum(),
        rebates_n=rebate.sum(),
        rebates_outside_n=(rebate & pl.col("outside")).sum(),
        rebate_age_h=pl.col("silent_h").filter(rebate & pl.col("outside")).min(),
        payer_new_cny=(pl.col("thread_back_cny") * ~paid).sum(),
        payer_new_reach=(pl.col("payee_receivers_14d") * ~paid).max(),
        payee_first_started_at=pl.col("thread_started_at").filter(paid & pl.col("outside")).min(),
    )
    lead = (
        deals.filter(paid)
        .sort("moment", "outside", "known_at", "payee_code", descending=[False, True, True, False])
        .unique("moment", keep="first", maintain_order=True)
        .select(
            "moment",
            *(pl.col(name).alias(f"payee_{name.removeprefix('payee_')}") for name in DEAL),
            lead_payee_code=pl.col("payee_code"),
        )
    )
    both = together.join(lead, on="moment", how="left").join(callers(threads, deals), on="moment", how="left")
    return spread(both, asked)


def callers(threads: pl.DataFrame, deals: pl.DataFrame) -> pl.DataFrame:
    """The worst-reputed stranger heard of in the three days before a payee outside the district was first paid."""
    paid = deals.filter(pl.col("outside") & (pl.col("thread_paid_n") > 0)).select("moment", paid_at="thread_started_at")
    heard = threads.select("moment", "reputation", "thread_talk_s", heard_at="thread_started_at")
    gap = pl.col("paid_at") - pl.col("heard_at")
    return (
        paid.join(heard, on="moment")
        .filter(gap.is_between(timedelta(0), timedelta(days=3)))
        .group_by("moment")
        .agg(
            payee_caller_reputation=pl.col("reputation").max(),
            payee_caller_talk_s=pl.col("thread_talk_s").max(),
            payee_caller_h=hours(gap.sort_by("reputation", gap, descending=[False, True]).last()),
        )
    )


def register_features(evidence: Evidence, asked: Questions) -> pl.DataFrame:
    """Age and tenure."""
    mine = evidence.people[pl.Series(asked.owner)]
    day = asked.frame["at"].dt.replace_time_zone(None).dt.date()
    return mine.select(
        age_years=(day - pl.col("birth_month")).dt.total_days() / 365.25,
        number_n="number_n",
        account_n="account_n",
        number_tenure_d=(day - pl.col("activated_on")).dt.total_days(),
        account_tenure_d=(day - pl.col("opened_on")).dt.total_days(),
    )


def derived(frame: pl.DataFrame) -> pl.DataFrame:
    """What follows from the blocks together: deviation from habit and the order of call and payment."""
    return frame.with_columns(
        new_debit_to_habit=pl.col("new_debit_cny_24h") / (pl.col("debit_cny_30d") / 30 + 50),
        payee_escalation=pl.col("payee_last_cny") / pl.col("payee_first_cny"),
        stranger_talk_to_habit=pl.col("stranger_talk_s_24h") / (pl.col("talk_s_30d") / 30 + 60),
        call_to_payee_h=hours(pl.col("payee_first_started_at") - pl.col("lead_started_at")),
    )
