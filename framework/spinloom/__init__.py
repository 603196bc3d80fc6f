"""Spinloom: simulation and learning for MR, driven by Pulseq sequence files.

This front page is complete and lazy: `import spinloom` imports nothing heavy, and each name brings its home along
at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spinloom.errors import ConfigurationError, SpinloomError
    from spinloom.evaluation.figures import plot
    from spinloom.hookspecs import API_VERSION, hookimpl
    from spinloom.interfaces import Numerics, Requirements, RunInfo, Signal, Simulator
    from spinloom.physics.engine import PoolSolution, solve_pools
    from spinloom.physics.offsets import offsets_ppm
    from spinloom.pool_simulator import PoolSimulator
    from spinloom.sequence.read import read_sequence
    from spinloom.sequence.timeline import Timeline
    from spinloom.signal_files import read_parameters, read_signal
    from spinloom.tasks.simulate import simulate
    from spinloom.tissue.files import read_tissue
    from spinloom.tissue.pools import Tissue

__version__ = "0.1.0"

__all__ = [
    "API_VERSION",
    "ConfigurationError",
    "Numerics",
    "PoolSimulator",
    "PoolSolution",
    "Requirements",
    "RunInfo",
    "Signal",
    "Simulator",
    "SpinloomError",
    "Timeline",
    "Tissue",
    "hookimpl",
    "offsets_ppm",
    "plot",
    "read_parameters",
    "read_sequence",
    "read_signal",
    "read_tissue",
    "simulate",
    "solve_pools",
]

_HOMES = {
    "API_VERSION": "spinloom.hookspecs",
    "ConfigurationError": "spinloom.errors",
    "Numerics": "spinloom.interfaces",
    "PoolSimulator": "spinloom.pool_simulator",
    "PoolSolution": "spinloom.physics.engine",
    "Requirements": "spinloom.interfaces",
    "RunInfo": "spinloom.interfaces",
    "Signal": "spinloom.interfaces",
    "Simulator": "spinloom.interfaces",
    "SpinloomError": "spinloom.errors",
    "Timeline": "spinloom.sequence.timeline",
    "Tissue": "spinloom.tissue.pools",
    "hookimpl": "spinloom.hookspecs",
    "offsets_ppm": "spinloom.physics.offsets",
    "plot": "spinloom.evaluation.figures",
    "read_parameters": "spinloom.signal_files",
    "read_sequence": "spinloom.sequence.read",
    "read_signal": "spinloom.signal_files",
    "read_tissue": "spinloom.tissue.files",
    "simulate": "spinloom.tasks.simulate",
    "solve_pools": "spinloom.physics.engine",
}


def __getattr__(name: str) -> Any:
    """Import the home of `name` at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
