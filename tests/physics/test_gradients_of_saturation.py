"""Gradients of pools with respect to pulses and delays of a sequence, against sequences built from other numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from spinloom.errors import ConfigurationError, SequenceError
from spinloom.family_gradients import differentiable_sequence
from spinloom.physics import propagation
from spinloom.physics.engine import PoolSolution, solve_pools
from spinloom.physics.sequence_changes import SequenceChanges
from spinloom.sequence.timeline import RfWaveform, Timeline
from spinloom.sequence_sources import build_sequence
from spinloom.testing.timelines import MARKER, SPOILER, block_pulse, rf_event, timeline_of
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pools import Tissue

NUMBERS = {
    "rf_scale": [90.0, 60.0, 90.0, 250.0],
    "rf_phase": [0.0, 1.0, 2.0, 0.5],
    "rf_offset": [200.0, -150.0, 200.0, 0.0],
    "delay": [4e-3, 0.0, 10e-3, 1e-3],
}
"""Amplitudes [Hz], phases [rad] and offsets [Hz] of the pulses, and lengths of the delays [s], one of which is none."""

DELAYS = (1, 4, 6, 8)
"""Blocks of the delays."""

STEPS = {"rf_scale": 1e-2, "rf_phase": 1e-4, "rf_offset": 1e-2, "delay": 1e-6}


def built(**changed: list[float]) -> Timeline:
    """Two saturation pulses, a sample, a third pulse, spoiling, a fourth pulse and another sample."""
    numbers = NUMBERS | changed
    time = (np.arange(24) + 0.5) / 24 - 0.5
    shaped = RfWaveform(np.full(24, 0.02 / 24), np.sinc(2 * time) * np.exp(0.5j * time), exact=True)
    pulses = [
        (shaped, rf_event(*values))
        for values in zip(numbers["rf_scale"], numbers["rf_offset"], numbers["rf_phase"], strict=True)
    ]
    pulses[3] = block_pulse(1e-3, numbers["rf_scale"][3], numbers["rf_offset"][3], numbers["rf_phase"][3])
    wait = numbers["delay"]
    return timeline_of(
        [pulses[0], wait[0], pulses[1], MARKER, wait[1], pulses[2], wait[2], SPOILER, wait[3], pulses[3], MARKER]
    )


def tissue(**more: Any) -> Tissue:
    description = {
        "water_pool": {"t1": 1.2, "t2": [0.08, 0.1]},
        "cest_pool": {"amide": {"f": 0.02, "t1": 1.1, "t2": 0.015, "k": 150, "dw": 2.0}},
        "mt_pool": {"f": 0.1, "t1": 1.0, "t2": 1.1e-5, "k": 30, "dw": -3.0, "lineshape": "SuperLorentzian"},
        "b0": 3,
        "reset_init_mag": False,
    }
    return tissue_from_mapping(description | more, "two tissues")


def changes_to(name: str, values: Tensor) -> SequenceChanges:
    """The changes that put `values` in the place of the numbers of the sequence."""
    start = torch.tensor(NUMBERS[name], dtype=torch.float64)
    if name == "rf_scale":
        return SequenceChanges(rf_scale=values / start)
    if name == "delay":
        delay = torch.zeros(11, dtype=torch.float64).index_put((torch.tensor(DELAYS),), values - start)
        return SequenceChanges(delay=delay)
    return SequenceChanges(**{name: values - start})


def parts(solution: PoolSolution) -> Tensor:
    return torch.cat([solution.mz, solution.mxy.real, solution.mxy.imag])


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("engine", ["readable", "fast", "with gradients"])
def test_a_changed_sequence_is_the_sequence_built_anew(name: str, engine: str) -> None:
    """To rounding where the engine is the same; the compiled one sums its series to 1e-13 where all samples are."""
    values = [1.1 * value + 2e-3 for value in NUMBERS[name]]
    asked = torch.tensor(values, dtype=torch.float64, requires_grad=engine == "with gradients")
    chosen = "auto" if engine == "with gradients" else engine
    found = solve_pools(built(), tissue(), cells="all", engine=chosen, changes=changes_to(name, asked))
    anew = solve_pools(built(**{name: values}), tissue(), cells="all", engine="readable")
    plain = solve_pools(built(), tissue(), cells="all", engine="readable")
    assert float((parts(anew) - parts(plain)).abs().max()) > 1e-4
    torch.testing.assert_close(parts(found).detach(), parts(anew), rtol=0, atol=1e-11)
    np.testing.assert_allclose(found.time, anew.time, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("reset", [False, True], ids=["carried on", "reset"])
def test_gradients_agree_with_differences_of_sequences_built_anew(name: str, reset: bool) -> None:
    """Each number by itself, those of a delay of no length to one side; central differences err by their square."""
    values = torch.tensor(NUMBERS[name], dtype=torch.float64, requires_grad=True)
    subject = tissue(reset_init_mag=reset, scale=0.8)
    weights = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(6, 2)
    solution = solve_pools(built(), subject, cells="all", changes=changes_to(name, values))
    (gradient,) = torch.autograd.grad((parts(solution) * weights).sum(), values)
    for number, value in enumerate(NUMBERS[name]):
        sides = [value + side * STEPS[name] for side in (1, -1)]
        sides[1] = value if name == "delay" and not value else sides[1]
        moved = [[*NUMBERS[name][:number], side, *NUMBERS[name][number + 1 :]] for side in sides]
        above, below = (
            (parts(solve_pools(built(**{name: each}), subject, cells="all")) * weights).sum() for each in moved
        )
        difference = float(above - below) / (sides[0] - sides[1])
        assert gradient[number].item() == pytest.approx(difference, rel=1e-4, abs=1e-9)


def test_one_scale_for_all_pulses_has_the_sum_of_their_gradients() -> None:
    one = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    many = torch.ones(4, dtype=torch.float64, requires_grad=True)
    together, singly = (
        torch.autograd.grad(
            solve_pools(built(), tissue(), cells=8, changes=SequenceChanges(rf_scale=scale)).mz.sum(), scale
        )[0]
        for scale in (one, many)
    )
    torch.testing.assert_close(together, singly.sum(), rtol=1e-9, atol=1e-12)


def test_gradients_that_solve_pulses_again_are_those_that_keep_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def gradient(budget: float) -> Tensor:
        monkeypatch.setattr(propagation, "GRADIENT_BUDGET", budget)
        scale = torch.ones(4, dtype=torch.float64, requires_grad=True)
        changes = SequenceChanges(rf_scale=scale)
        return torch.autograd.grad(solve_pools(built(), tissue(), cells=8, changes=changes).mz.sum(), scale)[0]

    torch.testing.assert_close(gradient(0), gradient(math.inf), rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", ["rf_phase", "delay"])
def test_second_derivatives_are_those_of_first_ones(name: str) -> None:
    start = torch.tensor(NUMBERS[name], dtype=torch.float64)
    values = (start + (1e-3 if name == "delay" else 0.0)).requires_grad_()
    weights = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(6, 2)

    def loss(values: Tensor) -> Tensor:
        return (parts(solve_pools(built(), tissue(), cells=4, changes=changes_to(name, values))) * weights).sum()

    assert torch.autograd.gradgradcheck(loss, (values,), eps=1e-6, atol=1e-5, rtol=1e-4)


def test_the_b1_of_a_family_has_the_gradient_of_its_sequences() -> None:
    """Of Mz after trains of three pulses at either side of water; six digits of a file are worth 1e-4 of a slope."""
    water = tissue_from_mapping({"water_pool": {"t1": 1.2, "t2": 0.08}, "b0": 3}, "water")
    small = {"pulses": 3, "largest_ppm": 1.0, "step_ppm": 1.0, "recovery_ms": 500.0}

    def beside_water(timeline: Timeline, changes: SequenceChanges | None = None) -> Tensor:
        mz = solve_pools(timeline, water, cells=32, engine="readable", changes=changes).mz
        return mz[..., [1, 3]].sum()

    b1 = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(beside_water(*differentiable_sequence("cest_train", **small, b1_ut=b1)), b1)
    files = [build_sequence("cest_train", **small, b1_ut=value).timeline() for value in (2.01, 1.99)]
    difference = float(beside_water(files[0]) - beside_water(files[1])) / 0.02
    assert gradient.item() == pytest.approx(difference, rel=2e-3)


def test_a_saturation_power_is_found_that_leaves_what_is_asked_for() -> None:
    """A long block pulse on resonance leaves 1 / (1 + w^2 T1 T2) along z; Newton's steps find its w."""
    t1, t2, left = 1.0, 0.02, 0.4
    water = tissue_from_mapping({"water_pool": {"t1": t1, "t2": t2}, "b0": 3}, "water")
    timeline = timeline_of([block_pulse(20.0, 1.0), MARKER])
    scale = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    for _ in range(12):
        mz = solve_pools(timeline, water, changes=SequenceChanges(rf_scale=scale)).mz.reshape(())
        (slope,) = torch.autograd.grad(mz, scale)
        scale = (scale - (mz - left) / slope).detach().requires_grad_()
    nutation = math.sqrt((1 / left - 1) / (t1 * t2)) / (2 * math.pi)
    assert scale.item() == pytest.approx(nutation, rel=1e-6)


def test_what_changes_cannot_do_to_tissues_is_refused() -> None:
    with pytest.raises(SequenceError, match=r"changes\.gradient_scale is not 1, but a tissue without a place"):
        solve_pools(built(), tissue(), changes=SequenceChanges(gradient_scale=2.0))
    with pytest.raises(ConfigurationError, match="timing is 'pulseq_cest', which plays no changes"):
        solve_pools(built(), tissue(), timing="pulseq_cest", changes=SequenceChanges(rf_scale=2.0))
    with pytest.raises(SequenceError, match="plays 4 RF pulses"):
        solve_pools(built(), tissue(), changes=SequenceChanges(rf_scale=torch.ones(3)))
