"""A simulated district: residents, their calls and payments, and fraud running through them, in the
delivered form.
"""

from pipelines.simulate.dirty import FAULTS, InjectedFault, inject_faults
from pipelines.simulate.district import DayProgress, SimulationReport, simulate
from pipelines.simulate.mix.district_mix import Mix, load_mix

__all__ = [
    "FAULTS",
    "DayProgress",
    "InjectedFault",
    "Mix",
    "SimulationReport",
    "inject_faults",
    "load_mix",
    "simulate",
]
