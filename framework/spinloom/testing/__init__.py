"""What authors of plugins test with: contracts to subclass, a pretended device, independent solutions and timelines.

from spinloom.testing import SimulatorContract

class TestMine(SimulatorContract):
    simulator = "mine"
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spinloom.testing.deviation import Deviation
    from spinloom.testing.pretence import MixedDevicesError, pretended_device
    from spinloom.testing.sequence_family_contract import SequenceFamilyContract
    from spinloom.testing.simulator_contract import SimulatorContract
    from spinloom.testing.surrogate_contract import SurrogateContract

__all__ = [
    "Deviation",
    "MixedDevicesError",
    "SequenceFamilyContract",
    "SimulatorContract",
    "SurrogateContract",
    "pretended_device",
]

_HOMES = {
    "Deviation": "spinloom.testing.deviation",
    "MixedDevicesError": "spinloom.testing.pretence",
    "SequenceFamilyContract": "spinloom.testing.sequence_family_contract",
    "SimulatorContract": "spinloom.testing.simulator_contract",
    "SurrogateContract": "spinloom.testing.surrogate_contract",
    "pretended_device": "spinloom.testing.pretence",
}


def __getattr__(name: str) -> Any:
    """Import the home of `name` at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
