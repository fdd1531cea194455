"""What the engineers' page and ``forestall status`` call things: runs, datasets, figures, gates and
groups.
"""

from collections.abc import Mapping
from types import MappingProxyType

from data_contracts.ages import AGE_BANDS
from serving.presentation.translations import N_, NN_, NP_, Translator
from serving.vocabulary.reports import GateSaid

__all__ = [
    "ATTRIBUTES",
    "COUNTED_FACTS",
    "DATASETS",
    "FACTS",
    "FIGURES",
    "GATES",
    "GROUPS",
    "HAPPENED",
    "OUTCOMES",
    "PICTURES",
    "UNFORESEEN",
    "VERBS",
    "describe_fact",
    "format_figure",
    "gate_requirement",
    "gate_value",
]

SHARES = ("precision", "coverage", "money", "lead_1h_share")
UNKNOWN = "–"
UNFORESEEN = N_("Look into the log of this run; if you cannot tell why, report it with the log.")

VERBS: Mapping[str, str] = MappingProxyType(
    {
        "ingest": N_("Loading"),
        "train": N_("Training"),
        "nightly": N_("List of the night"),
        "intraday": N_("List of the day"),
        "replay": N_("Replay"),
    }
)

DATASETS: Mapping[str, str] = MappingProxyType(
    {
        "calls": N_("Calls"),
        "transfers": N_("Transfers"),
        "residents": N_("Residents"),
        "subscribers": N_("Phone numbers"),
        "accounts": N_("Bank accounts"),
        "cases": N_("Reported cases"),
        "number_tags": N_("Tagged numbers"),
        "unknown": N_("Unknown files"),
    }
)

OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "accepted": NP_("outcome", "Accepted"),
        "partly": NP_("outcome", "Partly accepted"),
        "held": NP_("outcome", "Held"),
        "unreadable": NP_("outcome", "Unreadable"),
        "duplicate": NP_("outcome", "Loaded before"),
        "rejected": NP_("outcome", "Rejected"),
        "warning": NP_("outcome", "Taken with a warning"),
    }
)

FACTS: Mapping[str, str] = MappingProxyType(
    {
        "accepted": N_("accepted"),
        "quarantined": N_("quarantined"),
        "duplicates": N_("duplicates"),
        "held": N_("held"),
        "model": N_("model"),
        "version": N_("version"),
        "promoted": N_("promoted"),
        "losses": N_("with a loss"),
    }
)
# Of a cluster, what is so or not so: its number says nothing.
HAPPENED: Mapping[str, str] = MappingProxyType(
    {
        "scheduler_missing": N_("cluster not reached, this machine computed alone"),
        "scheduler_lost": N_("cluster lost on the way, this machine computed the rest"),
        "workers_missing": N_("cluster without workers, this machine computed alone"),
        "index_here_alone": N_("older registers, this machine computed alone"),
    }
)
POSITIVE = NN_("{count} positive sample", "{count} positive samples")
NEGATIVE = NN_("{count} negative sample", "{count} negative samples")
COUNTED_FACTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "files": NN_("{count} file", "{count} files"),
        "unreadable": NN_("{count} file not read", "{count} files not read"),
        "retried": NN_("{count} rejected row read again", "{count} rejected rows read again"),
        "replaced": NN_("{count} file replaced", "{count} files replaced"),
        "waived": NN_("{count} file accepted as it is", "{count} files accepted as they are"),
        "undone": NN_("{count} file with undone payments", "{count} files with undone payments"),
        "withdrawn": NN_("{count} file taken out again", "{count} files taken out again"),
        "gone": NN_("{count} waiting file gone", "{count} waiting files gone"),
        "removed": NN_("{count} row removed", "{count} rows removed"),
        "scored": NN_("{count} person scored", "{count} people scored"),
        "late": NN_(
            "{count} of them by records that came too late for the run before",
            "{count} of them by records that came too late for the run before",
        ),
        "alerts": NN_("{count} alert", "{count} alerts"),
        "episodes": NN_("{count} reported episode", "{count} reported episodes"),
        "moments": NN_("{count} moment", "{count} moments"),
        "positive_samples": POSITIVE,
        "negative_samples": NEGATIVE,
        "live_moments": POSITIVE,  # so named in reports published earlier
        "quiet_moments": NEGATIVE,
        "workers": NN_("{count} worker", "{count} workers"),
        "pieces_by_workers": NN_(
            "{count} piece computed by workers", "{count} pieces computed by workers"
        ),
        "pieces_here": NN_(
            "{count} piece computed on this machine", "{count} pieces computed on this machine"
        ),
        "worker_lost": NN_(
            "{count} worker lost, its piece computed elsewhere",
            "{count} workers lost, their pieces computed elsewhere",
        ),
        "worker_late": NN_(
            "{count} worker too slow, its piece computed elsewhere",
            "{count} workers too slow, their pieces computed elsewhere",
        ),
        "worker_failed": NN_(
            "{count} worker failed, its piece computed on this machine",
            "{count} workers failed, their pieces computed on this machine",
        ),
        "worker_differs": NN_(
            "{count} worker with other versions or another processor, not used",
            "{count} workers with other versions or other processors, not used",
        ),
        "store_unread": NN_(
            "{count} worker could not open the event store",
            "{count} workers could not open the event store",
        ),
    }
)

FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "alerts_per_day": N_("Alerts a day"),
        "precision_at_budget": N_("Right among the alerts"),
        "coverage_at_budget": N_("Losses warned of in time"),
        "money_at_budget": N_("Money warned of in time"),
        "lead_h_median": N_("Hours before the main payment (median)"),
        "lead_1h_share": N_("Warned at least an hour before"),
        "losses": N_("Reported losses"),
        "calibration_error": N_("Calibration error"),
        "oof_auc": N_("AUC, out of fold"),
        "oof_average_precision": N_("Average precision, out of fold"),
        "max_feature_auc": N_("AUC of the strongest feature"),
        "episodes": N_("Reported episodes"),
        "precision": N_("Right among the alerts"),
        "coverage": N_("Losses warned of in time"),
    }
)

GATES: Mapping[str, str] = MappingProxyType(
    {
        "rule_precision_at_budget": N_("More often right than today's rule"),
        "rule_coverage_at_budget": N_("Warns of more losses than today's rule"),
        "champion_precision_at_budget": N_("As often right as the champion"),
        "champion_coverage_at_budget": N_("Warns of as many losses as the champion"),
        "champion_money_at_budget": N_("Warns of as much money as the champion"),
        "calibration_error": N_("Its probabilities hold"),
        "episodes": N_("Learned from enough reported episodes"),
        "max_feature_auc": N_("No single feature gives victims away"),
        "residency_gap_precision": N_("As often right for local and floating residents"),
        "residency_gap_coverage": N_("Warns local and floating residents alike"),
    }
)

ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "residency": N_("Residency"),
        "sex": N_("Sex"),
        "age_band": N_("Age"),
        "data_seen": N_("Records there are"),
    }
)

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "local": N_("local"),
        "floating": N_("floating"),
        "F": N_("women"),
        "M": N_("men"),
        **{band: band.replace("-", "–") for band in AGE_BANDS},
        # Reports of earlier versions have these bands.
        "under 18": N_("under 18"),
        "18-39": "18–39",
        "40-59": "40–59",
        "60+": "60+",
        "both": N_("calls and transfers"),
        "calls only": N_("calls only"),
        "transfers only": N_("transfers only"),
        "none": N_("none"),
        "unknown": N_("unknown"),
    }
)


PICTURES: Mapping[str, str] = MappingProxyType(
    {
        "calibration": N_("Do its probabilities hold?"),
        "budgets": N_("What a budget buys"),
        "importance": N_("What it looks at"),
        "scores": N_("How its scores spread"),
        "groups": N_("How it serves each group"),
    }
)


def format_figure(name: str, value: float | None, say: Translator) -> str:
    """Return a figure as people read it: shares in per cent, counts whole, others with a few
    decimals.
    """
    if value is None:
        return UNKNOWN
    if name.startswith(SHARES):
        return say.percent(value)
    return say.number(value, 0 if float(value).is_integer() else 3 if abs(value) < 1 else 1)


def describe_fact(name: str, value: float | str, say: Translator) -> str:
    """Return what a run tells of itself, such as ``1,650 people scored``."""
    if name in COUNTED_FACTS and not isinstance(value, str):
        return say.plural(*COUNTED_FACTS[name], round(value))
    if name in HAPPENED:
        return say(HAPPENED[name])
    label = say.label(FACTS, name)
    if name == "promoted":
        return label if value else say("not promoted")
    if isinstance(value, str):
        return f"{label} {value}"
    return say("{count} {thing}", count=say.number(value), thing=label)


def gate_requirement(gate: GateSaid, say: Translator) -> str:
    """Return what a gate asks for."""
    if gate.other is None:
        return UNKNOWN
    if gate.gate.startswith("rule_"):
        return say("more than {figure}", figure=say.percent(gate.other + (gate.allowed or 0)))
    if gate.gate.startswith("champion_"):
        return say("at least {figure}", figure=say.percent(gate.other - (gate.allowed or 0)))
    if gate.gate.startswith("residency_"):
        return say("at most {points} points, or no more than chance", points=say.number(gate.other))
    words = N_("at least {figure}") if gate.gate == "episodes" else N_("at most {figure}")
    return say(words, figure=format_figure(gate.gate, gate.other, say))


def gate_value(gate: GateSaid, say: Translator) -> str:
    """Return the figure that a gate looked at."""
    if gate.gate.startswith(("rule_", "champion_")):
        return format_figure("precision", gate.own, say)
    if gate.gate.startswith("residency_") and gate.own is not None:
        return say("{points} points", points=f"{gate.own:+.1f}")
    return format_figure(gate.gate, gate.own, say)
