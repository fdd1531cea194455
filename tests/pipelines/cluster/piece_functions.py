"""What workers are asked to compute in these tests: twice the piece, after something bad."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from data_contracts.errors import ModelError
from features.event_index import EventIndex

PIECES = range(8)
DOUBLED = [0, 2, 4, 6, 8, 10, 12, 14]
BAD = 3  # the piece at which it happens


@dataclass(frozen=True)
class Scene:
    """What the functions know: who asks, a folder for marks, and whom to kill."""

    asking: int
    folder: Path
    victim: int = 0

    def is_first(self, name: str) -> bool:
        """Whether nobody came here before, on whatever worker."""
        try:
            (self.folder / name).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def wait_for(self, name: str) -> None:
        """Wait for a mark, or until the test is over and its folder gone."""
        while self.folder.exists() and not (self.folder / name).exists():
            time.sleep(0.05)


def double(event_index: EventIndex, scene: Scene, piece: int) -> int:
    assert len(event_index.people) == 3
    return 2 * piece


def die_once(event_index: EventIndex, scene: Scene, piece: int) -> int:
    if piece == BAD and os.getpid() != scene.asking and scene.is_first("died"):
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * piece


def die_always(event_index: EventIndex, scene: Scene, piece: int) -> int:
    if piece == BAD and os.getpid() != scene.asking:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * piece


def hang_once(event_index: EventIndex, scene: Scene, piece: int) -> int:
    if piece == BAD and os.getpid() != scene.asking and scene.is_first("hung"):
        scene.wait_for("go on")
        (scene.folder / "too late").touch()
    return 2 * piece


def hang_on_workers(event_index: EventIndex, scene: Scene, piece: int) -> int:
    if os.getpid() != scene.asking:
        scene.wait_for("go on")
    return 2 * piece


def fail(event_index: EventIndex, scene: Scene, piece: int) -> int:
    if piece == BAD:
        (scene.folder / f"failed-{os.getpid()}-{time.monotonic_ns()}").touch()
        raise ModelError("the snapshot lacks a feature", remedy="Train again.")
    return 2 * piece


def fail_on_workers(event_index: EventIndex, scene: Scene, piece: int) -> int:
    if piece == BAD and os.getpid() != scene.asking:
        raise OSError(28, "No space left on device")
    return 2 * piece


def kill_victim(event_index: EventIndex, scene: Scene, piece: int) -> int:
    """As :func:`double`; the worker of the bad piece kills somebody, and from there on no worker
    answers.
    """
    if piece >= BAD and os.getpid() != scene.asking:
        if piece == BAD:
            scene.wait_for("next begun")
            os.kill(scene.victim, signal.SIGKILL)
        (scene.folder / "next begun").touch()
        scene.wait_for("go on")
    return 2 * piece
