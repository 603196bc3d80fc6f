"""What images are made of: Fourier sums, shifts by the field, crushers, slices; both imaging engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from spinloom.physics.epg import epg_echo_train
from spinloom.physics.imaging.depths import COLUMNS, ROWS
from spinloom.physics.imaging.engine import solve_phantom
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.phantom import Phantom

ENGINES = pytest.mark.parametrize("engine", ["fast", "readable"])

SIDE, STEP = 24, 5.0
"""Voxels and lines a side; distance of samples in k [cycles/m], which belongs to the phantoms' 0.2 m."""


def signal(timeline: Timeline, subject: Phantom, engine: str, **options: Any) -> np.ndarray:
    """Samples of the first coil."""
    solution = solve_phantom(timeline, subject, rtol=1e-10, dtype=torch.float64, engine=engine, **options)
    found: np.ndarray = solution.samples[0].numpy()
    return found


def echo_planar(train: Any, dwell: float, spacing: float) -> Timeline:
    """Every line of k-space after one excitation, all read forwards, sample SIDE // 2 of a line at kx = 0."""
    back = -(SIDE // 2 + 0.5) * STEP
    train.pulse(90).wait(1e-9, x=back, y=-(SIDE // 2) * STEP)
    rest = spacing - SIDE * dwell
    for _ in range(SIDE):
        train.read(SIDE, dwell, x=STEP).wait(rest, x=-SIDE * STEP, y=STEP)
    return train.timeline()


def image(samples: np.ndarray) -> np.ndarray:
    """The sum over all k of S exp(-2 pi i k r), shape (y, x)."""
    lines = samples.reshape(SIDE, SIDE)
    return np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(lines)))


def textured(seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random((1, SIDE, SIDE)))


@ENGINES
def test_an_image_without_time_is_the_phantom_and_keeps_its_energy(train: Any, phantom: Any, engine: str) -> None:
    """Parseval: k-space has the energy of the image; 1e-6: half a microsecond of T2 1 s in all."""
    subject = phantom(m0=textured(1), t2=1.0)
    samples = signal(echo_planar(train, 1e-10, 1e-8), subject, engine)
    np.testing.assert_allclose(image(samples), 1j * subject.m0[0].numpy(), atol=1e-6)
    energy = np.sum(np.abs(samples) ** 2)
    assert energy == pytest.approx(float((subject.m0**2).mean()), rel=1e-6)


@ENGINES
def test_signals_of_phantoms_add_up(train: Any, phantom: Any, engine: str) -> None:
    maps = {"b1": 0.8 + 0.4 * textured(4), "t2": 0.03 + textured(5)}
    train.pulse(80).wait(3e-3, x=30.0).pulse(130, 40, "refocusing").wait(2e-3, x=-17.0)
    timeline = train.read(SIDE, 1e-5, x=STEP).timeline()
    one, two = 0.1 + textured(7), 0.1 + textured(8)
    parts = [signal(timeline, phantom(m0=m0, **maps), engine) for m0 in (one, two)]
    whole = signal(timeline, phantom(m0=one + 2 * two, **maps), engine)
    np.testing.assert_allclose(whole, parts[0] + 2 * parts[1], atol=1e-12)  # all three are interpolated alike


@ENGINES
@pytest.mark.parametrize("pixels", [-5, 3])
def test_the_field_shifts_an_echo_planar_image_by_lines_times_spacing(
    train: Any, phantom: Any, engine: str, pixels: int
) -> None:
    """A positive field moves the image towards positive y, by dB0 x lines x echo spacing pixels."""
    spacing, place = 1e-3, (9, 14)
    m0 = torch.zeros(1, SIDE, SIDE, dtype=torch.float64)
    m0[0, place[0], place[1]] = 1.0
    subject = phantom(m0=m0, b0=pixels / (SIDE * spacing), t2=1e3)
    found = image(signal(echo_planar(train, 1e-8, spacing), subject, engine))
    assert abs(found[place[0] + pixels, place[1]]) == pytest.approx(1, abs=1e-3)  # T2 1000 s
    found[place[0] + pixels, place[1]] = 0
    assert np.abs(found).max() < 1e-3  # the field within a line: 208 Hz for 0.12 us


@ENGINES
def test_crushers_remove_the_free_induction_of_a_refocusing_pulse(train: Any, phantom: Any, engine: str) -> None:
    """Every whole number of cycles over the thickness, until as many as there are depths; without depth, none."""
    subject = phantom((1, 2 * ROWS, 2 * COLUMNS))  # each depth as often as the others
    train.pulse(140, 0, "refocusing")
    for _ in range(ROWS * COLUMNS):
        train.wait(1e-9, z=1 / 5e-3).read()
    found = np.abs(signal(train.timeline(), subject, engine))
    assert found[:-1].max() < 1e-10
    flat = np.abs(signal(train.timeline(), subject, engine, dephasing=False))
    np.testing.assert_allclose([found[-1], *flat], np.sin(np.radians(140)), rtol=1e-5)  # 0.2 us of T2 0.1 s


@ENGINES
def test_a_crushed_echo_train_follows_extended_phase_graphs(train: Any, phantom: Any, engine: str) -> None:
    """Refocusing by 140 degrees; 9 echoes reach 19 cycles over 24 columns at most, so that none comes back."""
    spacing = 8e-3
    train.pulse(90, 90)
    for _ in range(9):
        train.wait(spacing / 2, x=STEP).pulse(140, 0, "refocusing").wait(spacing / 2, x=STEP).read()
    subject = phantom(t1=0.7, t2=0.05, b0=37.0, b1=1.1)
    found = signal(train.timeline(), subject, engine)
    one = {name: torch.tensor(value, dtype=torch.float64) for name, value in (("t1", 0.7), ("t2", 0.05))}
    flips = torch.full((9,), np.radians(140), dtype=torch.float64)
    expected = epg_echo_train(**one, refocusing=flips, spacing=spacing, b1=1.1, b0=37.0).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)  # 37 Hz for 18 ns of pulses and samples


@ENGINES
def test_the_number_of_threads_changes_nothing(train: Any, phantom: Any, engine: str) -> None:
    subject = phantom((3, 80, 80), m0=torch.rand(3, 80, 80, dtype=torch.float64), b0=20.0)
    timeline = train.pulse(80).wait(1e-3, x=-60.0, z=8.0).read(SIDE, 1e-5, x=STEP).timeline()
    found = [solve_phantom(timeline, subject, engine=engine, threads=number).samples for number in (1, 3)]
    assert torch.equal(found[0], found[1])
