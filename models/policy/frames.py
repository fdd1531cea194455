"""The frame of scores: what the alert policy reads of a run, and remembers of it."""

import dataframely as dy

from features.kernel.frames import Frame, moment

__all__ = ["ScoredRow"]


class ScoredRow(Frame):
    """A person as scored at a tick; further columns are of the run that scored it."""

    person = dy.String(primary_key=True, description="pseudonym")
    at = moment("the tick", primary_key=True)
    score = dy.Float64(nullable=False, min=0, max=1, description="calibrated probability")
    preventable_loss_cny = dy.Float64(
        nullable=True, min=0, description="CNY a warning would save in an episode; null: unknown"
    )
