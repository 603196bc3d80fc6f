"""Gradients of the readable engine with respect to maps, and what they are for: a T2 map from an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from spinloom.physics.imaging.engine import solve_phantom
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.t2_prime import spread_t2_prime

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
    return solution.samples


def texture(low: float, high: float, seed: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).uniform(low, high, (1, SIDE, SIDE)))


@pytest.fixture
def textured(phantom: Any) -> Phantom:
    """Maps that vary from voxel to voxel, received by two coils."""
    coils = torch.complex(*(torch.stack([texture(-1, 1, seed), texture(0, 1, seed + 1)]) for seed in (10, 20)))
    return phantom(
        (1, SIDE, SIDE),
        m0=texture(0.5, 1, 1),
        t1=texture(0.3, 1, 2),
        t2=texture(0.04, 0.1, 3),
        b0=texture(-20, 20, 4),
        b1=texture(0.8, 1.2, 5),
        coils=coils,
    )


WEIGHTS = torch.from_numpy(np.random.default_rng(6).uniform(-1, 1, (2, 2, SIDE**2)))
"""What real and imaginary parts of the samples of two coils count for in a loss."""


def agrees_with_differences(samples_at: Callable[[Tensor], Tensor], values: Tensor, seed: int = 7) -> None:
    """Along a random direction; central differences of 1e-4 err by their square, signals are interpolated to 1e-6."""
    random = np.random.default_rng(seed)
    direction = torch.from_numpy(random.uniform(-1, 1, values.shape)) * float(values.abs().max())
    leaf = values.clone().requires_grad_()

    def loss(along: float) -> Tensor:
        samples = samples_at(leaf + along * direction)
        return (samples.real * WEIGHTS[0]).sum() + (samples.imag * WEIGHTS[1]).sum()

    (gradient,) = torch.autograd.grad(loss(0.0), leaf)
    difference = (loss(1e-4) - loss(-1e-4)).item() / 2e-4
    assert (gradient * direction).sum().item() == pytest.approx(difference, rel=1e-4)


@pytest.mark.parametrize("name", ["m0", "t1", "t2", "b0", "b1"])
def test_gradients_with_respect_to_maps_agree_with_finite_differences(train: Any, textured: Phantom, name: str) -> None:
    timeline = fast_spin_echo(train, shots=3)
    agrees_with_differences(
        lambda values: simulated(timeline, replace(textured, **{name: values})), getattr(textured, name)
    )


def test_gradients_with_respect_to_coils_agree_with_finite_differences(train: Any, textured: Phantom) -> None:
    """Of real and imaginary parts alike."""
    timeline = fast_spin_echo(train, shots=3)
    assert textured.coils is not None
    agrees_with_differences(
        lambda values: simulated(timeline, replace(textured, coils=torch.view_as_complex(values))),
        torch.view_as_real(textured.coils),
    )


def test_gradients_with_respect_to_t2_prime_agree_with_finite_differences(train: Any, textured: Phantom) -> None:
    """Its spread of off-resonance over nine sub-spins a voxel dephases what gradient echoes show."""
    train.pulse(90).wait(4e-3, x=-0.5 * SIDE * STEP)
    timeline = train.read(SIDE, 1e-4, x=STEP).again(SIDE).timeline()
    agrees_with_differences(
        lambda values: simulated(timeline, spread_t2_prime(replace(textured, t2_prime=values), (3, 3, 1))),
        texture(0.01, 0.04, 11),
    )


def test_gradients_with_respect_to_where_mz_begins_agree_with_finite_differences(train: Any, textured: Phantom) -> None:
    timeline = fast_spin_echo(train, shots=3)
    agrees_with_differences(lambda values: simulated(timeline, textured, start=values), texture(-0.5, 1, 12))


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
