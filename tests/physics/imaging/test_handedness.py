"""A positive frequency offset under a positive gradient excites at positive places, whichever way it is played."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from spinloom.physics.imaging.engine import solve_phantom
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.phantom import Phantom

GRADIENT = 4e4
"""During pulses [Hz/m]: 8 kHz over the phantoms' 0.2 m."""


def excited(timeline: Timeline, subject: Phantom, axis: str, engine: str = "auto") -> tuple[np.ndarray, np.ndarray]:
    """Places along an axis, and the size of the magnetisation there, each place watched by a coil of its own."""
    number, count = "zyx".index(axis), subject.shape["zyx".index(axis)]
    shape = [1, 1, 1]
    shape[number] = count
    coils = torch.eye(count, dtype=torch.complex128).reshape(count, *shape).expand(count, *subject.shape)
    watched = Phantom(**{**vars(subject), "coils": coils * count})
    solution = solve_phantom(timeline, watched, rtol=1e-5, dtype=torch.float64, engine=engine)
    return subject.positions(axis).numpy(), np.abs(solution.samples[:, 0].numpy())


def centre_of_mass(places: np.ndarray, sizes: np.ndarray) -> float:
    return float(places @ sizes**2 / np.sum(sizes**2))


def sinc() -> np.ndarray:
    """Lobes with a cosine window, with which 4 ms are a slice of 1.5 kHz."""
    time = (np.arange(100) - 49.5) / 50
    return np.sinc(3 * time) * (0.5 + 0.5 * np.cos(np.pi * time))


@pytest.mark.parametrize("engine", ["fast", "readable"])
@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("offset", [-1500.0, 2000.0])
def test_an_offset_pulse_excites_where_offset_over_gradient_says(
    train: Any, phantom: Any, axis: str, offset: float, engine: str
) -> None:
    shape = {"x": (1, 14, 41), "y": (1, 41, 14), "z": (41, 1, 14)}[axis]
    subject = phantom(shape, fov=(0.2, 0.2, 0.2), t2=10.0)
    timeline = train.pulse(20, shape=sinc(), duration=4e-3, frequency=offset, **{axis: GRADIENT}).read().timeline()
    places, sizes = excited(timeline, subject, axis, engine)
    assert centre_of_mass(places, sizes) == pytest.approx(offset / GRADIENT, abs=5e-4)  # a tenth of a voxel
    assert sizes.max() == pytest.approx(np.sin(np.radians(20)), abs=0.01)  # flat top of the slice
    assert np.all(sizes[np.abs(places - offset / GRADIENT) > 0.04] < 0.01)


@pytest.mark.parametrize("frequency", [-900.0, 1400.0])
def test_a_dante_train_excites_where_its_phase_steps_say(train: Any, phantom: Any, frequency: float) -> None:
    """Hard pulses 0.1 ms apart whose phases grow by 2 pi f t are a pulse of frequency f, repeated every 10 kHz."""
    wait = 1e-4
    for number in range(40):
        train.pulse(1.0, 360 * frequency * wait * number).wait(wait - 1e-9, x=GRADIENT * wait)
    places, sizes = excited(train.read().timeline(), phantom((1, 1, 81), t2=10.0), "x")
    assert places[np.argmax(sizes)] == pytest.approx(frequency / GRADIENT, abs=0.2 / 81)
    assert centre_of_mass(places, sizes) == pytest.approx(frequency / GRADIENT, abs=0.2 / 81)


def test_an_offset_slice_has_the_phase_of_its_place(train: Any, phantom: Any) -> None:
    """After a balanced slice gradient the middle of every slice stands where RF along x puts it, at +y.

    In the frame of the pulse it does so at the pulse's end and the frame is ahead by the offset for all its length;
    the slice itself has turned back by the rephasing gradient, over half of it.
    """
    phases = []
    for offset in (0.0, 1000.0, 2500.0):
        balanced = type(train)().pulse(20, shape=sinc(), duration=4e-3, frequency=offset, x=GRADIENT)
        timeline = balanced.wait(1e-9, x=-GRADIENT * 2e-3).read().timeline()
        subject = phantom((1, 1, 1), t2=10.0)
        there = Phantom(**{**vars(subject), "centre": (offset / GRADIENT, 0.0, 0.0)})
        solution = solve_phantom(timeline, there, rtol=1e-5, dtype=torch.float64)
        phases.append(complex(solution.samples[0, 0]) * np.exp(-2j * np.pi * offset * 2e-3))
    np.testing.assert_allclose(phases, 1j * np.sin(np.radians(20)), atol=1e-3)  # T2 decays by 4 ms / 10 s
