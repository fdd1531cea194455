"""The frames of an evaluation: alerts, what became of them and of the losses, and the truth of a
simulated district.
"""

import dataframely as dy

from features.kernel.frames import Frame, moment

__all__ = ["Alert", "JudgedAlert", "JudgedLoss", "Truth"]


class Alert(Frame):
    """An alert as it was issued, by a replay or by today's rule."""

    person = dy.String(primary_key=True, description="pseudonym")
    issued_at = moment("the tick", primary_key=True)
    score = dy.Float64(nullable=False, min=0, description="probability, or points of the rule")
    level = dy.String(nullable=False, description="red, orange, yellow or blue")
    scam_type = dy.String(nullable=False, description="unknown where none is likely enough")
    reasons = dy.List(dy.String(nullable=False), nullable=False, description="codes, best first")
    repeat = dy.Bool(nullable=False, description="issued within the cool-down, as money has moved")
    already_paid = dy.Bool(nullable=False, description="the main payment has probably gone")


class JudgedAlert(Frame):
    """The first alert on a person in 72 hours, with its tiers; further columns are as given."""

    person = dy.String(primary_key=True, description="pseudonym")
    issued_at = moment("the tick", primary_key=True)
    lost = dy.Bool(nullable=False, description="tier c: in a reported episode with a loss")
    reported = dy.Bool(nullable=False, description="tier b: in a reported episode")
    confirmed = dy.Bool(nullable=True, description="tier a: or met by a fraudster; null: unknown")


class JudgedLoss(Frame):
    """A reported loss, and whether it was warned of; an episode with these columns besides."""

    case_id = dy.String(primary_key=True)
    person = dy.String(nullable=False, description="pseudonym")
    scam_type = dy.String(nullable=True)
    warned_at = moment("the first alert on the person; null without", nullable=True)
    lead_h = dy.Float64(nullable=True, description="hours from the alert to the main payment")
    covered = dy.Bool(nullable=False, description="alerted 10 minutes before the main payment")
    traced = dy.Bool(nullable=True, description="a record was known 20 minutes before it")
    total_cny = dy.Float64(nullable=False, min=0, description="CNY lost")
    ahead_cny = dy.Float64(nullable=False, min=0, description="CNY unpaid 10 min after the alert")


class Truth(Frame):
    """Every fraud of a simulated district, reported or not; moments are naive Shanghai time."""

    journey = dy.Int64(primary_key=True)
    person = dy.String(nullable=False, description="pseudonym")
    scam_type = dy.String(nullable=False)
    outcome = dy.String(nullable=False, description="loss, attempt or contact")
    first_trace_at = dy.Datetime(nullable=True, description="when a record could first be known")
    contact_at = dy.Datetime(nullable=True, description="the first contact")
    main_transfer_at = dy.Datetime(nullable=True, description="null where nothing was paid")
    last_transfer_at = dy.Datetime(nullable=True, description="null where nothing was paid")
    loss = dy.Float64(nullable=False, min=0, description="CNY")
    moves = dy.String(nullable=False, description="moment|CNY of each payment, with ; between")
