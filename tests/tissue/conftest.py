"""What the tests of tissues share: a complete pool model to change, and everything that a tissue holds."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch

from spinloom.tissue.pools import Tissue

COMPLETE: dict[str, Any] = {
    "water_pool": {"f": 1.0, "t1": 1.2, "t2": 0.07},
    "mt_pool": {"f": "11.2 / 111", "t1": 1.0, "t2": "63e-6", "k": 29, "dw": -1.5, "lineshape": "Lorentzian"},
    "cest_pool": {
        "amide": {"f": 0.001, "r1": 2.0, "r2": 10.0, "k": 50, "dw": 3.5},
        "noe": {"f": 0.004, "t1": 1.3, "t2": 0.005, "k": 20, "dw": -3.0},
    },
    "b0": 3,
    "gamma": 267.5153,
    "b0_inhom": 0.1,
    "rel_b1": 0.9,
    "scale": 0.5,
    "reset_init_mag": False,
    "max_pulse_samples": 300,
    "verbose": False,
}


@pytest.fixture(scope="session")
def changed() -> Callable[..., dict[str, Any]]:
    """The complete model with values set at dotted places; `...` removes the key."""

    def change(*changes: tuple[str, Any]) -> dict[str, Any]:
        mapping = copy.deepcopy(COMPLETE)
        for place, value in changes:
            *parents, key = place.split(".")
            section = mapping
            for parent in parents:
                section = section[parent]
            if value is ...:
                del section[key]
            else:
                section[key] = value
        return mapping

    return change


@pytest.fixture(scope="session")
def tensors() -> Callable[[Tissue], list[torch.Tensor]]:
    """All parameter tensors of a tissue, in a fixed order."""

    def collect(tissue: Tissue) -> list[torch.Tensor]:
        found: list[torch.Tensor] = []

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            found.append(tensor)
            return tensor

        tissue.map(keep)
        return found

    return collect


@pytest.fixture(scope="session")
def facts(tensors: Callable[[Tissue], list[torch.Tensor]]) -> Callable[[Tissue], tuple[object, ...]]:
    """Everything that a tissue holds but its name, to compare."""

    def describe(tissue: Tissue) -> tuple[object, ...]:
        pools = [pool.name for pool in tissue.exchanging], [pool.lineshape for pool in tissue.semisolid]
        pairs = [(pair.first, pair.second) for pair in tissue.exchange]
        spins = tissue.isochromats and tissue.isochromats.count
        return (
            *pools,
            pairs,
            spins,
            tissue.reset,
            tissue.max_pulse_samples,
            [tensor.tolist() for tensor in tensors(tissue)],
        )

    return describe
