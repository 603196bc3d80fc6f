"""Gradients of the signal with respect to every number of a tissue, against finite differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from spinloom.physics import propagation
from spinloom.physics.engine import solve_pools
from spinloom.sequence.timeline import RfWaveform
from spinloom.testing.timelines import MARKER, SPOILER, block_pulse, rf_event, timeline_of
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pools import LINESHAPES, Tissue

SOLUTE = {"f": 0.02, "t1": 1.1, "t2": 0.015, "k": 150, "dw": 2.0}
WHOLE = {"f": 0.05, "t1": 0.9, "t2": 1e-3, "k": 40, "dw": -2.5, "components": 3}
BOUND = {"f": 0.1, "t1": 1.0, "t2": 1.1e-5, "k": 30, "dw": -3.0}


def every_kind(lineshape: str) -> Tissue:
    """A tissue with each kind of pool, exchange beside water, T2*, and a field that is off."""
    return tissue_from_mapping(
        {
            "water_pool": {"t1": 1.2, "t2": 0.08, "t2star": 0.05, "isochromats": 3},
            "cest_pool": {"amide": SOLUTE},
            "mt_pool": {"whole": WHOLE, "bound": BOUND | {"lineshape": lineshape}},
            "exchange": {"amide-whole": {"k": 12}, "bound-amide": {"k": 5}},
            "b0": 3,
            "b0_inhom": 0.2,
            "rel_b1": 0.95,
            "scale": 0.8,
        },
        "every kind",
    )


def parameters(tissue: Tissue) -> list[Tensor]:
    found: list[Tensor] = []
    tissue.map(lambda value: found.append(value) or value)
    return found


def scaled(tissue: Tissue, factors: Tensor) -> Tissue:
    """The tissue with its n-th number times the n-th factor."""
    position = iter(range(factors.numel()))
    return tissue.map(lambda value: value * factors[next(position)])


def readout(parts: list) -> Callable[[Tissue], Tensor]:
    timeline = timeline_of(parts)

    def signal(tissue: Tissue) -> Tensor:
        solved = solve_pools(timeline, tissue, cells=8)
        return torch.cat([solved.mz, solved.mxy.real, solved.mxy.imag])

    return signal


def shaped(cells: int) -> RfWaveform:
    time = (np.arange(cells) + 0.5) / cells - 0.5
    values = np.sinc(2 * time) * np.exp(0.5j * time)
    return RfWaveform(np.full(cells, 0.01 / cells), values, exact=True)


TRAIN = [(shaped(32), rf_event(90.0, 250.0, 0.3)), 0.004, (shaped(32), rf_event(90.0, -380.0, 0.9))]


@pytest.mark.parametrize("lineshape", [name for name in LINESHAPES if name != "none"])
def test_every_number_of_a_tissue_has_the_gradient_of_finite_differences(lineshape: str) -> None:
    """Each number is scaled, so that one relative step of 1e-6 suits seconds and microseconds alike."""
    tissue = every_kind(lineshape)
    signal = readout([*TRAIN, 0.01, MARKER, SPOILER, block_pulse(1e-3, 100.0), MARKER])
    factors = torch.ones(len(parameters(tissue)), dtype=torch.float64, requires_grad=True)
    assert factors.numel() == 26
    assert torch.autograd.gradcheck(
        lambda values: signal(scaled(tissue, values)), (factors,), eps=1e-6, atol=1e-7, rtol=1e-5
    )


def test_every_number_that_matters_has_a_gradient_that_is_not_zero() -> None:
    tissue = every_kind("superlorentzian")
    signal = readout([*TRAIN, 0.01, MARKER])
    factors = torch.ones(len(parameters(tissue)), dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(signal(scaled(tissue, factors)).square().sum(), factors)
    assert bool((gradient.abs() > 1e-9).all())


@pytest.mark.parametrize("number", range(13))
def test_asking_for_the_gradient_of_a_single_number_is_enough(number: int) -> None:
    """Some numbers, such as the transmit field, enter with the RF alone; asking for theirs must not be overheard."""
    tissue = tissue_from_mapping(
        {"water_pool": {"t1": 1.2, "t2": 0.08}, "mt_pool": BOUND | {"lineshape": "superlorentzian"}, "b0": 3}, "star"
    )
    signal = readout([*TRAIN, 0.01, MARKER])
    assert not tissue.requires_grad
    assert len(parameters(tissue)) == 13
    asked = torch.ones((), dtype=torch.float64, requires_grad=True)
    position = iter(range(13))
    changed = tissue.map(lambda value: value * asked if next(position) == number else value)
    assert changed.requires_grad
    value = signal(changed).square().sum()
    assert value.requires_grad
    (gradient,) = torch.autograd.grad(value, asked)
    assert bool(gradient.isfinite())


def test_gradients_of_a_batch_are_those_of_its_tissues() -> None:
    signal = readout([*TRAIN, MARKER])

    def gradient(times: list[float]) -> Tensor:
        tissue = tissue_from_mapping(
            {"water_pool": {"t1": 1.0, "t2": times}, "cest_pool": {"amide": SOLUTE}, "b0": 3}, "batch"
        )
        values = tissue.water.t2.clone().requires_grad_()
        object.__setattr__(tissue.water, "t2", values)
        signal(tissue).sum().backward()
        assert values.grad is not None
        return values.grad

    together = gradient([0.05, 0.08, 0.2])
    alone = torch.cat([gradient([value]) for value in (0.05, 0.08, 0.2)])
    assert float((together - alone).abs().max()) <= 1e-10 * float(alone.abs().max())


@pytest.mark.parametrize("budget", [pytest.param(0, id="solved again"), pytest.param(2**40, id="kept")])
def test_gradients_that_solve_pulses_again_are_those_that_keep_them(monkeypatch, budget: int) -> None:
    tissue = every_kind("superlorentzian")
    signal = readout([*TRAIN, 0.01, MARKER])

    def gradient() -> Tensor:
        factors = torch.ones(len(parameters(tissue)), dtype=torch.float64, requires_grad=True)
        return torch.autograd.grad(signal(scaled(tissue, factors)).square().sum(), factors)[0]

    usual = gradient()
    monkeypatch.setattr(propagation, "GRADIENT_BUDGET", budget)
    assert torch.equal(gradient(), usual)
