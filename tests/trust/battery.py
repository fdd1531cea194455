"""The parts of the battery, one after the other."""

import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.trust.acknowledged_writes import AcknowledgedWrites, write_under_kills
from tests.trust.crashes.trials import Trials, can_trace, kill_at_points
from tests.trust.degraded import Degraded, take_parts_away
from tests.trust.hostile_input import HostileInput, try_hostile_input
from tests.trust.load import Load, press_pages
from tests.trust.once_found import Held, hold_what_was_found
from tests.trust.sizes import Sizes

__all__ = ["PARTS", "Outcome", "run_battery"]

PARTS = ("crash", "writes", "hostile", "degraded", "load", "found")
SEED = 20_261


@dataclass(kw_only=True)
class Outcome:
    """What each part came to; None where it was not asked for."""

    is_short: bool
    traced: bool = False
    crashes: list[Trials] = field(default_factory=list)
    writes: AcknowledgedWrites | None = None
    hostile: HostileInput | None = None
    degraded: Degraded | None = None
    load: Load | None = None
    held: Sequence[Held] = ()

    def faults(self) -> list[str]:
        """Everything that did not hold."""
        found = [f"{one.name}: {fault}" for one in self.crashes for fault in one.faults]
        for part in (self.writes, self.hostile, self.load):
            found += part.faults if part else []
        cases = self.degraded.cases if self.degraded else ()
        found += [f"without {case.part}: {fault}" for case in cases for fault in case.faults]
        found += [
            f"{one.found.number}: {one.failed} tests failed" for one in self.held if one.failed
        ]
        return found


def run_battery(
    sizes: Sizes,
    *,
    parts: Collection[str],
    is_short: bool,
    soak_minutes: float,
    say: Callable[[str], None],
) -> Outcome:
    """Run the chosen parts, each in a folder of its own that is gone afterwards."""
    outcome = Outcome(is_short=is_short, traced=can_trace())
    with tempfile.TemporaryDirectory() as root:

        def folder(name: str) -> Path:
            place = Path(root) / name
            place.mkdir()
            return place

        if "crash" in parts:
            for name, trials in sizes.trials.items():
                say(f"killing a {name} {trials} times")
                place = folder(name.replace(" ", "-"))
                found = kill_at_points(name, trials=trials, folder=place, seed=SEED)
                outcome.crashes.append(found)
        if "writes" in parts:
            say(f"writing {sizes.acknowledged} results while the pages are killed")
            outcome.writes = write_under_kills(
                folder("writes"), wanted=sizes.acknowledged, kills=sizes.kills, seed=SEED
            )
        if "hostile" in parts:
            say(f"reading {sizes.spoilt + sizes.broken} hostile files")
            outcome.hostile = try_hostile_input(
                folder("hostile"), spoilt=sizes.spoilt, broken=sizes.broken,
                bomb_mib=sizes.bomb_mib,
            )  # fmt: skip
        if "degraded" in parts:
            say("taking parts away")
            outcome.degraded = take_parts_away(folder("degraded"), say=say)
        if "load" in parts:
            say("pressing the pages")
            outcome.load = press_pages(
                folder("load"), each_s=sizes.load_s, soak_minutes=soak_minutes
            )
        if "found" in parts:
            say("running the tests of what was once found")
            outcome.held = hold_what_was_found(folder("found"))
    return outcome
