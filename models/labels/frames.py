"""The frames of labels: episodes and their traces, what dispositions said, and samples to learn
from.
"""

import dataframely as dy

from features.kernel.frames import Frame, moment

__all__ = ["Disposition", "Episode", "Trace", "TrainingSample"]


class Episode(Frame):
    """When somebody was being drawn in: one row a fraud, ordered by ``opened_at``, ``case_id``."""

    case_id = dy.String(primary_key=True, description="of the first of its cases; d:… of an alert")
    person = dy.String(nullable=False, description="pseudonym")
    scam_type = dy.String(nullable=True, description="of the costliest case")
    outcome = dy.String(nullable=False, description="loss, attempt; contact of true episodes only")
    opened_at = moment("the first trace")
    main_at = moment("the main payment; null where nothing was paid", nullable=True)
    closed_at = moment("the last payment, or 72 hours after the first contact of an attempt")
    loss_cny = dy.Float64(nullable=False, min=0, description="CNY")


class Trace(Frame):
    """A record of an episode: a contact, or a payment with ``paid_at`` and ``amount_cny``."""

    case_id = dy.String(nullable=False, description="of the episode")
    known_at = moment("when the record became known; null where only truth knows", nullable=True)
    paid_at = moment("when the money went; null for a contact", nullable=True)
    amount_cny = dy.Float64(nullable=True, min=0, description="CNY; null for a contact")


class Disposition(Frame):
    """What an analyst or officer found of an alert; a later version replaces an earlier one."""

    alert_id = dy.String(primary_key=True)
    person = dy.String(nullable=False, description="pseudonym")
    scam_type = dy.String(nullable=True)
    issued_at = moment("when the alert was issued")
    result = dy.String(nullable=False)
    decided_at = moment("when the result was entered")
    version = dy.Int64(primary_key=True, min=1)
    found_at = moment("when it was found; null: when it was entered", nullable=True)
    paid_cny = dy.Float64(nullable=True, min=0, description="CNY paid by then")
    merged_into = dy.String(nullable=True, description="the alert whose result it has")


class TrainingSample(Frame):
    """A query point to learn from."""

    person = dy.String(primary_key=True, description="pseudonym")
    at = moment("a tick of the clock", primary_key=True)
    label = dy.Int8(nullable=False, min=0, max=1, description="1 in an episode")
    weight = dy.Float64(nullable=False, min=0, description="how much it counts in training")
    sampling_weight = dy.Float64(
        nullable=False, min=0, description="how many real moments it stands for"
    )
    case_id = dy.String(nullable=True, description="of the episode; null outside of one")
    scam_type = dy.String(nullable=True, description="of the episode; null outside of one")
