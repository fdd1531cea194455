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
    broken_off: list[str] = field(default_factory=list)

    def faults(self) -> list[str]:
        """Everything that did not hold."""
        found = [*self.broken_off]
        found += [f"{one.name}: {fault}" for one in self.crashes for fault in one.faults]
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
    battery = _Battery(sizes, outcome, soak_minutes=soak_minutes, say=say)
    for part in parts:
        try:
            with tempfile.TemporaryDirectory() as folder:
                getattr(battery, part)(Path(folder))
        except Exception as error:  # noqa: BLE001 -- what the others found is not lost with it
            outcome.broken_off.append(f"{part} was broken off: {error!r}")
    return outcome


class _Battery:
    """A method for each of ``PARTS``; it is given an empty folder."""

    def __init__(
        self, sizes: Sizes, outcome: Outcome, *, soak_minutes: float, say: Callable[[str], None]
    ) -> None:
        self._sizes, self._outcome = sizes, outcome
        self._soak_minutes, self._say = soak_minutes, say

    def crash(self, folder: Path) -> None:
        for name, trials in self._sizes.trials.items():
            self._say(f"killing a {name} {trials} times")
            place = folder / name.replace(" ", "-")
            found = kill_at_points(name, trials=trials, folder=place, seed=SEED)
            self._outcome.crashes.append(found)

    def writes(self, folder: Path) -> None:
        wanted, kills = self._sizes.acknowledged, self._sizes.kills
        self._say(f"writing {wanted} results while the pages are killed")
        self._outcome.writes = write_under_kills(folder, wanted=wanted, kills=kills, seed=SEED)

    def hostile(self, folder: Path) -> None:
        spoilt, broken = self._sizes.spoilt, self._sizes.broken
        self._say(f"reading {spoilt + broken} hostile files")
        self._outcome.hostile = try_hostile_input(
            folder, spoilt=spoilt, broken=broken, bomb_mib=self._sizes.bomb_mib
        )

    def degraded(self, folder: Path) -> None:
        self._outcome.degraded = take_parts_away(folder, say=self._say)

    def load(self, folder: Path) -> None:
        self._say("pressing the pages")
        self._outcome.load = press_pages(
            folder, each_s=self._sizes.load_s, soak_minutes=self._soak_minutes
        )

    def found(self, folder: Path) -> None:
        self._say("running the tests of what was once found")
        self._outcome.held = hold_what_was_found(folder)
