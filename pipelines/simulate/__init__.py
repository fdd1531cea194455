"""A simulated district: residents, their calls and payments, and fraud running through them, in the delivered form."""

from pipelines.simulate.dirty import FAULTS, Soiling, soil
from pipelines.simulate.district import Progress, SimulationReport, simulate
from pipelines.simulate.mix import Mix, load_mix

__all__ = ["FAULTS", "Mix", "Progress", "SimulationReport", "Soiling", "load_mix", "simulate", "soil"]
