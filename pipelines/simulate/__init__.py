"""A simulated district: residents, their calls and payments, and fraud running through them, in the delivered form."""

from pipelines.simulate.district import Progress, SimulationReport, simulate
from pipelines.simulate.mix import Mix, load_mix

__all__ = ["Mix", "Progress", "SimulationReport", "load_mix", "simulate"]
