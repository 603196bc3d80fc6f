"""What gradients of sequences are for: flip angles and times that are best, against closed forms and phase graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from spinloom.physics.epg import epg_echo_train
from spinloom.physics.imaging.engine import solve_phantom
from spinloom.physics.sequence_changes import SequenceChanges
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.phantom import Phantom

SPACING = 10e-3
"""Of echoes [s]."""

FOV = 5e-3
"""Of a column of spins along z, over which a crusher dephases by one cycle [m]."""


def echoes_of(train: Any, refocusing: list[float]) -> Timeline:
    """A 90 degree pulse about x, and refocusing pulses about y [deg] between crushers, each with an echo."""
    wait = {"duration": SPACING / 2, "z": 1 / FOV}
    train.pulse(90)
    for flip in refocusing:
        train.wait(**wait).pulse(flip, 90, "refocusing").wait(**wait).read()
    return train.timeline()


def found(start: Tensor, misfit: Callable[[Tensor], Tensor]) -> Tensor:
    """Where quasi-Newton steps from `start` end."""
    values = start.clone().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [values], max_iter=50, tolerance_grad=1e-9, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = misfit(values)
        value.backward()
        return value

    optimiser.step(closure)
    return values.detach()


def signal(timeline: Timeline, column: Phantom, changes: SequenceChanges) -> Tensor:
    options = {"rtol": 1e-8, "dtype": torch.float64, "dephasing": False}
    return solve_phantom(timeline, column, changes=changes, **options).samples[0]


@pytest.fixture
def column(phantom: Any) -> Callable[..., Phantom]:
    """Makes 24 spins along z of one voxel, more than the cycles that a train of echoes here can dephase."""
    return lambda **maps: phantom((24, 1, 1), (FOV, FOV, FOV), **maps)


def test_a_refocusing_train_is_found_whose_echoes_are_as_large_as_asked_for(train: Any, column: Any) -> None:
    """The first of its angles has a closed form, sin2(a / 2) of what is left of M0; phase graphs confirm the others."""
    t1, t2, size = 1.0, 0.08, 0.4
    timeline, subject = echoes_of(train, [180.0] * 3), column(t1=t1, t2=t2)
    excitation = torch.ones(1, dtype=torch.float64)

    def misfit(scales: Tensor) -> Tensor:
        changes = SequenceChanges(rf_scale=torch.cat([excitation, scales]))
        return (signal(timeline, subject, changes).abs() - size).square().sum()

    angles = torch.pi * found(torch.full((3,), 0.6, dtype=torch.float64), misfit)
    closed = 2 * np.arcsin(np.sqrt(size * np.exp(SPACING / t2)))
    assert angles[0].item() == pytest.approx(closed, abs=1e-4)
    graph = epg_echo_train(torch.tensor(t1), torch.tensor(t2), angles, SPACING).abs()
    np.testing.assert_allclose(graph.numpy(), size, atol=1e-4)
    assert float((angles[1:] - angles[0]).abs().min()) > 0.1


def test_the_gradient_of_echoes_in_flip_angles_is_that_of_phase_graphs(train: Any, column: Any) -> None:
    """With off-resonance and B1+ of their own; the pulses here last a nanosecond, which is worth 1e-6."""
    flips = torch.tensor([150.0, 120.0, 100.0, 130.0], dtype=torch.float64)
    maps = {"t1": 0.7, "t2": 0.06, "b1": 0.9}
    scale = torch.ones(4, dtype=torch.float64, requires_grad=True)
    weights = torch.tensor([0.7, -0.4, 1.0, 0.3], dtype=torch.float64)
    changes = SequenceChanges(rf_scale=torch.cat([torch.ones(1, dtype=torch.float64), scale]))
    played = signal(echoes_of(train, flips.tolist()), column(**maps), changes).abs() @ weights
    t1, t2, b1 = (torch.tensor(value, dtype=torch.float64) for value in maps.values())
    graph = epg_echo_train(t1, t2, torch.deg2rad(flips) * scale, SPACING, b1=b1).abs() @ weights
    gradients = [torch.autograd.grad(value, scale)[0] for value in (played, graph)]
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-6)


def test_the_flip_angle_of_the_largest_steady_state_is_that_of_ernst(train: Any, column: Any) -> None:
    """cos a = exp(-TR / T1), where M+ decays between pulses; one number changes all of them."""
    t1, tr = 0.1, 0.05
    timeline = train.pulse(50).read().wait(tr).again(25).timeline()
    subject = column(t1=t1, t2=1e-3)

    def negative(scale: Tensor) -> Tensor:
        return -signal(timeline, subject, SequenceChanges(rf_scale=scale))[-1].abs()

    scale = found(torch.tensor(1.0, dtype=torch.float64), negative)
    assert 50 * scale.item() == pytest.approx(np.degrees(np.arccos(np.exp(-tr / t1))), abs=1e-2)


def test_the_delay_that_nulls_an_inverted_tissue_is_found(train: Any, column: Any) -> None:
    """TI = T1 ln 2 after an inversion that is complete; pulses and their halves take no time here."""
    t1 = 0.8
    timeline = train.pulse(180, use="inversion").wait(0.3).pulse(90).read().timeline()
    subject = column(t1=t1, t2=0.1)
    blocks = torch.zeros(len(timeline), dtype=torch.float64)

    def size(longer: Tensor) -> Tensor:
        delay = blocks.index_put((torch.tensor([1]),), longer)
        return signal(timeline, subject, SequenceChanges(delay=delay))[0].abs().square()

    longer = found(torch.zeros(1, dtype=torch.float64), size)
    assert 0.3 + longer.item() == pytest.approx(t1 * np.log(2), rel=1e-4)


def test_the_moment_that_rewinds_a_gradient_is_found(train: Any, column: Any) -> None:
    """The echo is largest where both moments cancel: from 30 % too little, the factor is 1 / 0.7."""
    timeline = train.pulse(90).wait(1e-3, z=0.4 / FOV).wait(1e-3, z=-0.28 / FOV).read().timeline()
    subject = column(t2=1e3)
    scale = torch.ones(3, len(timeline), dtype=torch.float64)

    def negative(factor: Tensor) -> Tensor:
        changes = SequenceChanges(gradient_scale=scale.index_put((torch.tensor([2]), torch.tensor([2])), factor))
        return -signal(timeline, subject, changes)[0].abs()

    assert found(torch.ones(1, dtype=torch.float64), negative).item() == pytest.approx(1 / 0.7, rel=1e-4)
