"""How much is tried: in full for the report, in short on every change."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FULL", "SHORT", "Sizes"]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """``trials`` are the kills of each writer, ``acknowledged`` the results that are waited for,
    ``kills`` those of the web process meanwhile, ``spoilt`` and ``broken`` the hostile files,
    ``bomb_mib`` what the made ones unpack to, ``load_s`` how long each kind of request is sent.
    """

    trials: Mapping[str, int]
    acknowledged: int
    kills: int
    spoilt: int
    broken: int
    bomb_mib: int
    load_s: float


FULL = Sizes(
    trials={
        "load": 200, "store update": 200, "training": 200, "publication": 200, "results": 200
    },
    acknowledged=20_000,
    kills=60,
    spoilt=2_000,
    broken=2_000,
    bomb_mib=10 * 1024,
    load_s=600,
)  # fmt: skip
SHORT = Sizes(
    trials={"load": 15, "store update": 15, "training": 3, "publication": 15, "results": 12},
    acknowledged=300,
    kills=3,
    spoilt=50,
    broken=150,
    bomb_mib=256,
    load_s=10,
)
