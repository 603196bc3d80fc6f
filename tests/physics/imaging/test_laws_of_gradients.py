"""Gradients of the readable engine with respect to maps, and what they are for: a T2 map from an image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from spinloom.physics.imaging.engine import solve_phantom
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.phantom import Phantom

SIDE, STEP = 6, 5.0
"""Voxels a side, and distance of samples in k [cycles/m]."""


def fast_spin_echo(train: Any, shots: int = 2, spacing: float = 20e-3) -> Timeline:
    """Shots of echoes refocused by 150 degrees between crushers along z; echo e reads line shots * e + shot."""
    half, length = spacing / 2, SIDE * 1e-5
    for shot in range(shots):
        train.pulse(90).wait(half, x=(SIDE / 2 + 0.5) * STEP, z=400.0)
        for line in range(shot, SIDE, shots):
            ky = (line - SIDE // 2) * STEP
            train.pulse(150, 90, "refocusing").wait(half - length / 2, y=ky, z=400.0)
            train.read(SIDE, 1e-5, x=STEP).wait(half - length / 2, y=-ky, z=400.0, x=0.5 * STEP)
        train.wait(0.3)
    return train.timeline()


def simulated(timeline: Timeline, subject: Phantom, **options: Any) -> Tensor:
    """Samples, differentiable."""
    solution = solve_phantom(timeline, subject, rtol=1e-6, dtype=torch.float64, engine="readable", **options)
    return solution.samples[0]


def texture(low: float, high: float, seed: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).uniform(low, high, (1, SIDE, SIDE)))


@pytest.mark.parametrize("name", ["m0", "t1", "t2", "b0", "b1"])
def test_gradients_with_respect_to_maps_agree_with_finite_differences(train: Any, phantom: Any, name: str) -> None:
    """Along a random direction; central differences of 1e-4 err by their square, signals are interpolated to 1e-6."""
    subject = phantom(
        (1, SIDE, SIDE),
        m0=texture(0.5, 1, 1),
        t1=texture(0.3, 1, 2),
        t2=texture(0.04, 0.1, 3),
        b0=texture(-20, 20, 4),
        b1=texture(0.8, 1.2, 5),
    )
    timeline, weights = fast_spin_echo(train, shots=3), texture(-1, 1, 6).reshape(-1)
    values = getattr(subject, name).clone().requires_grad_()
    direction = texture(-1, 1, 7) * float(values.detach().abs().max())

    def loss(along: float) -> Tensor:
        samples = simulated(timeline, replace(subject, **{name: values + along * direction}))
        return (samples.real * weights).sum() + (samples.imag * weights.flip(0)).sum()

    (gradient,) = torch.autograd.grad(loss(0.0), values)
    difference = (loss(1e-4) - loss(-1e-4)).item() / 2e-4
    assert (gradient * direction).sum().item() == pytest.approx(difference, rel=1e-4, abs=1e-6)


def test_a_t2_map_is_fitted_to_a_fast_spin_echo_image_by_gradients(train: Any, phantom: Any) -> None:
    """From 80 ms everywhere to 40 to 150 ms, by quasi-Newton steps on the logarithm; the image has no noise."""
    true = texture(0.04, 0.15, 8)
    subject = phantom((1, SIDE, SIDE), m0=texture(0.5, 1, 9), t2=true)
    timeline = fast_spin_echo(train)
    target = simulated(timeline, subject)
    unknown = torch.full_like(true, np.log(0.08)).requires_grad_()
    optimiser = torch.optim.LBFGS([unknown], max_iter=30, history_size=30, line_search_fn="strong_wolfe")

    def misfit() -> Tensor:
        optimiser.zero_grad()
        error = (simulated(timeline, replace(subject, t2=unknown.exp())) - target).abs().square().sum()
        scaled = 1e4 * error
        scaled.backward()
        return scaled

    optimiser.step(misfit)
    np.testing.assert_allclose(unknown.detach().exp().numpy(), true.numpy(), rtol=1e-2)
