"""Gradients of a simulator's signal against central differences."""

from __future__ import annotations

import torch
from torch import Tensor

from spinloom.interfaces import Subject
from spinloom.testing.deviation import require
from spinloom.testing.experiments import Experiment, measured
from spinloom.testing.subjects import NUMBERS, number, with_number

STEP = 1e-4
"""Step of the differences, relative to a number of the subject: truncation 1e-8, rounding 1e-12 / 1e-4."""

TOLERANCE = 2e-3
"""Relative; engines for gradients and for speed sample pulses each in its own way."""


def check_gradients(experiment: Experiment, claimed: bool) -> bool:
    """Compare the gradient of a sum of the signal with differences; False where there is none and none is claimed."""
    subject = experiment.subject
    values = {name: number(subject, name).detach().clone().requires_grad_() for name in NUMBERS}
    for name, tensor in values.items():
        subject = with_number(subject, name, tensor)
    signal = measured(experiment.on(subject).play())
    require(
        signal.requires_grad or not claimed,
        f"Simulator '{experiment.simulator}' claims gradients, but its signal carries none: whoever fits with it gets "
        "an error from torch, deep inside.",
    )
    if not signal.requires_grad:
        return False
    weights = _weights(signal)
    found = torch.autograd.grad((signal * weights).real.sum(), list(values.values()), allow_unused=True)
    scale = max(
        float((g * v.detach()).abs().sum()) for g, v in zip(found, values.values(), strict=True) if g is not None
    )
    for (name, tensor), gradient in zip(values.items(), found, strict=True):
        direction = _direction(name, tensor)
        along = 0.0 if gradient is None else float((gradient * direction).sum())
        expected = _difference(experiment, name, tensor.detach(), direction, weights)
        require(
            abs(along - expected) <= TOLERANCE * max(abs(expected), 1e-2 * scale),
            f"Simulator '{experiment.simulator}' gives {along:.6g} as its derivative along {name}, where differences "
            f"give {expected:.6g}: a fit would walk the wrong way, without a word.",
        )
    return True


def _difference(experiment: Experiment, name: str, values: Tensor, direction: Tensor, weights: Tensor) -> float:
    def sum_at(step: float) -> float:
        subject: Subject = with_number(experiment.subject, name, values + step * direction)
        return float((measured(experiment.on(subject).play()) * weights).real.sum())

    return (sum_at(STEP) - sum_at(-STEP)) / (2 * STEP)


def _direction(name: str, values: Tensor) -> Tensor:
    """As large as the numbers themselves, field shifts by a tenth of a ppm or 10 Hz, alike for all but in size."""
    ramp = torch.linspace(0.5, 1.0, values.numel(), dtype=values.dtype).reshape(values.shape)
    largest = float(values.detach().abs().max()) if name == "b0" else 1.0
    return ramp * (largest or 1.0) if name == "b0" else ramp * values.detach()


def _weights(signal: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(signal.shape, dtype=signal.dtype, generator=generator)
