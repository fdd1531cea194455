"""The words of dispositions and follow-ups: results, channels, and what a result means for the
alert.
"""

from typing import Final, Literal

__all__ = [
    "CALLED_FRAUD",
    "OPEN",
    "SETTLED",
    "ContactChannel",
    "Finding",
    "FollowUpOutcome",
    "Result",
    "Source",
    "Status",
]

Result = Literal[
    "in_progress",
    "stopped",
    "contact_no_payment",
    "already_paid",
    "lawful",
    "not_found_yet",
    "cannot_be_found",
    "wrong_person",
    "refused",
    "duplicate",
    "handed_over",
]
Status = Literal["open"] | Result
# Nobody has to be reached any more; after "refused" and "not_found_yet" somebody has.
SETTLED: frozenset[str] = frozenset(
    {
        "stopped",
        "contact_no_payment",
        "already_paid",
        "lawful",
        "cannot_be_found",
        "wrong_person",
        "duplicate",
        "handed_over",
    }
)
CALLED_FRAUD: frozenset[str] = frozenset({"stopped", "contact_no_payment", "already_paid"})
ContactChannel = Literal["call", "visit", "family", "text"]
Source = Literal["screen", "api", "paper"]
Finding = Literal["safe", "in_contact", "paid", "not_reached"]
FollowUpOutcome = Finding | Literal["not_needed"]
OPEN: Final = "open"  # the status of an alert nobody has answered
