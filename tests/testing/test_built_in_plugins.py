"""Every installed plugin keeps its contract: found through the registry, tested by existing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import torch

from spinloom.learning.artefact import save_surrogate
from spinloom.registry import plugins
from spinloom.testing import SequenceFamilyContract, SimulatorContract, SurrogateContract

EPI = "epi(matrix=8, esp_ms=0.4, te_ms=5)"
MOLED = {"matrix": 16, "esp_ms": 0.5, "shift_x": (3, -2, 3, -2), "shift_y": (4, 4, 4, -6)}
CEST_EPI = {"matrix": 8, "esp_ms": 0.6, "pulses": 1, "pulse_ms": 10, "recovery_ms": 50, "largest_ppm": 1, "step_ppm": 1}
LARGININE = {"sequence": "mrf_larginine_9p4t", "subject": "larginine_phantom_9p4t"}
SMALL = {"hidden": [8]}
"""Architecture of a network that is drawn and trained in a moment."""


def _expression(family: str, parameters: dict[str, Any]) -> str:
    return f"{family}({', '.join(f'{name}={value}' for name, value in parameters.items())})"


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="spinloom-")


@cache
def random_network() -> Path:
    """A network that nobody trained, for the simulator that plays networks."""
    surrogate, folder = plugins().surrogate("dynamic_mlp")(SMALL), Path(_folder().name) / "model"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_surrogate(folder, surrogate, "dynamic_mlp", SMALL, surrogate.network().state_dict(), {"made_by": "a test"})
    return folder


SIMULATORS: dict[str, dict[str, Any]] = {
    "cest": {"differentiable": True},
    "mt": {"differentiable": True},
    "bloch": {"sequence": EPI, "without_effect": {"t1"}, "differentiable": True},
    "epi": {"sequence": EPI, "without_effect": {"t1"}, "differentiable": True},
    "fse": {"sequence": "fse(matrix=8, shots=2, etl=4, esp_ms=6, tr_ms=100)", "differentiable": True},
    "moled": {"sequence": _expression("moled", MOLED), "differentiable": True},
    # its preparation is solved by `cest`, whose gradients are tested, and for maps takes 15 s
    "cest_epi": {"sequence": _expression("cest_epi", CEST_EPI), "differentiable": False},
    # a network knows what it was trained with, and rest is not among it
    "surrogate": {
        **LARGININE,
        "options": property(lambda self: {"model": str(random_network())}),
        "equilibrium": False,
        "differentiable": False,  # they come, in float32, where differences are noise
    },
}
"""What the contract is told of a simulator beside its name; one that is not here is tested with what fits it."""

SURROGATES: dict[str, dict[str, Any]] = {
    "dynamic_mlp": {"sequence": "mrf_larginine_9p4t", "tissue": "larginine_phantom_9p4t", "architecture": SMALL},
    "trajectory_mlp": {
        "sequence": "cest_train(pulses=10)",
        "tissue": "wm_3t_7pool",
        "architecture": SMALL,
    },
}

LIMITS = {"max_grad_mt_m", "max_slew_t_m_s", "max_b1_ut"}
"""Parameters that bound a sequence, and change it only where it meets them."""

FAMILIES: dict[str, dict[str, Any]] = {
    "epi": {"parameters": {"matrix": 8, "esp_ms": 0.4, "te_ms": 5.0, "rf": "sinc"}, "without_effect": LIMITS},
    "fse": {
        "parameters": {"matrix": 8, "shots": 2, "etl": 4, "esp_ms": 12.0, "tr_ms": 100.0, "rf": "sinc"},
        "without_effect": LIMITS,
    },
    "moled": {"parameters": MOLED, "without_effect": {*LIMITS, "slice_thickness_mm", "slice_offset_mm"}},  # hard pulses
    "cest_epi": {
        "parameters": {**CEST_EPI, "rf": "sinc", "pulses": 2},
        "others": {"largest_ppm": 2.0, "step_ppm": 0.5},
        "without_effect": LIMITS,
    },
    "cest_train": {"parameters": {"pulses": 2, "largest_ppm": 1.0}, "others": {"largest_ppm": 2.0, "step_ppm": 0.5}},
    "cest_fingerprint": {"parameters": {"points": 4}},
}


def _contracts() -> Iterator[tuple[str, type]]:
    """A test class for each name in the registry."""
    found = plugins()
    kinds = (
        ("simulator", SimulatorContract, found.simulators(), SIMULATORS),
        ("surrogate", SurrogateContract, found.surrogates(), SURROGATES),
        ("sequence_family", SequenceFamilyContract, found.sequence_families(), FAMILIES),
    )
    for kind, contract, names, told in kinds:
        for name in names:
            title = f"Test_{name}_as_a_{kind}"
            yield title, type(title, (contract,), {kind: name, **told.get(name, {})})


globals().update(_contracts())
