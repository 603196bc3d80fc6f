"""Gradients with respect to the parameters of a family, against sequences of other parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from spinloom.errors import SequenceError
from spinloom.family_gradients import differentiable_sequence
from spinloom.physics.imaging.engine import solve_phantom
from spinloom.physics.sequence_changes import SequenceChanges
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import build_sequence
from spinloom.tissue.phantom import Phantom

SMALL = {"shots": 2, "etl": 2, "matrix": 4, "tr_ms": 80.0}

FEW_LINES = {"matrix": 32, "shift_x": (6, -3, 6, -4), "shift_y": (8, 8, 8, -12), "esp_ms": 0.6}

PARAMETERS: dict[str, tuple[str, dict[str, Any], float, float]] = {
    "esp_ms": ("fse", SMALL, 9.0, 0.02),
    "tr_ms": ("fse", SMALL, 80.0, 0.1),
    "flip_deg": ("fse", SMALL, 70.0, 0.5),
    "refocusing_deg": ("fse", SMALL, 140.0, 0.5),
    "crusher_cycles": ("fse", SMALL, 1.5, 0.01),
    "te_ms": ("epi", {"matrix": 8, "esp_ms": 1.0}, 20.0, 0.01),
    "slice_offset_mm": ("epi", {"matrix": 8, "esp_ms": 1.0, "te_ms": 20.0, "rf": "sinc"}, 1.0, 0.01),
    "shift_scale": ("moled", FEW_LINES, 1.0, 1e-3),
}
"""Family, its other parameters, the value, and a step whose central difference errs by less than 2e-3 of itself."""


def signal(timeline: Timeline, changes: SequenceChanges | None = None) -> Tensor:
    """One number of a small textured phantom."""
    random = np.random.default_rng(1)
    spans = {"m0": (0.5, 1), "t1": (0.3, 1), "t2": (0.04, 0.1), "b0": (-20, 20), "b1": (0.8, 1.2)}
    maps = {name: torch.from_numpy(random.uniform(*span, (1, 5, 5))) for name, span in spans.items()}
    phantom = Phantom("textured", (0.22, 0.22, 0.005), **maps)
    solution = solve_phantom(timeline, phantom, rtol=1e-7, dtype=torch.float64, engine="readable", changes=changes)
    samples = solution.samples[0]
    weights = torch.linspace(-1, 1, samples.numel(), dtype=torch.float64)
    return (samples.real * weights).sum() + (samples.imag * weights.flip(0)).sum()


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_gradient_of_a_parameter_is_the_difference_between_its_sequences(name: str) -> None:
    """To 1 %: the six digits of a file round small differences of moments."""
    family, others, value, step = PARAMETERS[name]
    parameter = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    timeline, changes = differentiable_sequence(family, **others | {name: parameter})
    (gradient,) = torch.autograd.grad(signal(timeline, changes), parameter)
    above, below = (build_sequence(family, **others | {name: value + side * step}).timeline() for side in (1, -1))
    difference = (signal(above) - signal(below)).item() / (2 * step)
    assert gradient.item() == pytest.approx(difference, rel=1e-2)


def test_the_sequence_is_that_of_the_parameters_and_its_changes_are_none() -> None:
    """The echo spacing plays on a raster of 0.02 ms."""
    spacing = torch.tensor(9.007, requires_grad=True)
    timeline, changes = differentiable_sequence("fse", **SMALL, esp_ms=spacing)
    assert timeline.definitions["esp_ms"] == 9.0
    assert changes.names == ("delay",)
    assert changes.delay.requires_grad
    assert not changes.delay.detach().any()


def test_numbers_that_follow_a_parameter_alike_are_one() -> None:
    """So that pulses that differ in nothing else are solved once."""
    changes = differentiable_sequence("epi", matrix=8, esp_ms=1.0, te_ms=20.0, flip_deg=torch.tensor(60.0))[1]
    assert changes.names == ("rf_scale",)
    assert changes.rf_scale.shape == ()
    assert changes.rf_scale == 1


def test_longer_echo_spacings_move_each_refocusing_pulse_by_half_of_them_and_each_echo_by_the_whole() -> None:
    """In milliseconds a millisecond: what is added to the blocks before, over what is added to the spacing."""
    spacing = torch.tensor(10.0, dtype=torch.float64, requires_grad=True)
    timeline, changes = differentiable_sequence("fse", **SMALL | {"shots": 1, "etl": 4}, esp_ms=spacing)
    starts = 1e3 * changes.delay.cumsum(0)
    pulses = [block - 1 for block in np.flatnonzero(timeline.block_rf >= 0)[1:].tolist()]
    echoes = [block - 1 for block in np.flatnonzero(timeline.block_adc >= 0).tolist()]
    moved = [torch.autograd.grad(starts[block], spacing, retain_graph=True)[0].item() for block in pulses + echoes]
    np.testing.assert_allclose(moved, [0.5, 1.5, 2.5, 3.5, 1, 2, 3, 4], rtol=1e-6)


def test_each_number_of_a_tuple_has_a_gradient() -> None:
    shifts = torch.tensor([24.0, -12.0, 24.0, -18.0], dtype=torch.float64, requires_grad=True)
    _, changes = differentiable_sequence("moled", shift_x=shifts)
    (gradient,) = torch.autograd.grad(changes.gradient_scale.sum(), shifts)
    assert gradient.shape == (4,)
    assert bool((gradient != 0).all())


@pytest.mark.parametrize(
    ("family", "name", "value", "sentence"),
    [
        ("fse", "etl", 16.0, "etl is no number that varies smoothly; give it as it is, not as a tensor"),
        (
            "epi",
            "esp_ms",
            0.46,
            r"has no gradient with respect to esp_ms. epi.seq and .* differ in the .* of block . in playing order",
        ),
        ("fse", "excitation_ms", 1.0, "no gradient with respect to excitation_ms.* the shape or the time of the pulse"),
        ("fse", "flip", 90.0, "Family 'fse' has no parameter 'flip'"),
        ("fse", "esp_ms", 0.1, "esp_ms"),
    ],
    ids=["a whole number", "readouts change", "pulses change", "unknown", "too short"],
)
def test_parameters_without_a_gradient_are_refused_by_name(family: str, name: str, value: float, sentence: str) -> None:
    with pytest.raises(SequenceError, match=sentence):
        differentiable_sequence(family, **{name: torch.tensor(value, requires_grad=True)})
