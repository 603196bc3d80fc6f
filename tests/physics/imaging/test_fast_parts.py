"""The parts of the compiled engines against what they stand for."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest
import torch

from spinloom.physics.imaging.chebyshev import fitted
from spinloom.physics.imaging.elementary import decay, halves, turned
from spinloom.physics.imaging.expansion import expansion
from spinloom.physics.imaging.lines import LineTransform
from spinloom.physics.imaging.pulse_cells import pulse_cells
from spinloom.physics.imaging.pulse_maps import solve
from spinloom.physics.imaging.pulse_solver import affine_maps
from spinloom.physics.imaging.pulse_terms import terms_of
from spinloom.physics.imaging.ranges import Range
from spinloom.physics.imaging.registers import load, store
from spinloom.sequence.spatial_steps import SpatialPulse


@numba.njit
def _elementary(numbers, time, rest, out):  # type: ignore[no-untyped-def]
    cosine, sine = turned(load(numbers, 0), time, rest)
    store(out, (0, 0), cosine)
    store(out, (1, 0), sine)
    store(out, (2, 0), decay(load(numbers, 0), time))


@pytest.mark.parametrize(("dtype", "digits"), [(np.float32, 3e-7), (np.float64, 1e-13)])
@pytest.mark.parametrize("time", [-1e-3, 0.0, 0.0123456789, 3.3])
def test_turns_and_decays_are_right_to_rounding_however_many(dtype: Any, digits: float, time: float) -> None:
    """Three seconds at 150 Hz are 500 turns, of which single precision would lose five digits."""
    numbers = np.linspace(1.3, 149.7, 64 // np.dtype(dtype).itemsize, dtype=dtype)
    out = np.empty((3, numbers.size), dtype=dtype)
    _elementary(numbers, *halves(time, np.dtype(dtype)), out)
    exact = numbers.astype(np.float64) * time
    np.testing.assert_allclose(out[0], np.cos(2 * np.pi * exact), atol=digits)
    np.testing.assert_allclose(out[1], np.sin(2 * np.pi * exact), atol=digits)
    np.testing.assert_allclose(out[2], np.exp(-exact), atol=digits * 8, rtol=digits * 8)  # up to 200 in the exponent


def pulse(segments: int, steep: bool) -> SpatialPulse:
    time = np.linspace(-1, 1, segments)
    gradient = np.stack([1e4 * np.sin(time), 2e4 * np.cos(time), 1e3 * time], axis=1) * steep
    return SpatialPulse(np.full(segments, 2e-3 / segments), 700 * np.sinc(2 * time) * np.exp(2j * time), gradient, 0.0)


@pytest.mark.parametrize("steep", [False, True], ids=["no gradient", "a gradient that varies"])
@pytest.mark.parametrize(("segments", "cells"), [(1, None), (300, None), (300, 20)])
def test_the_compiled_solver_is_the_readable_one(segments: int, cells: int | None, steep: bool) -> None:
    """21 spins, so that a register is left half empty; both sum their series to rounding."""
    draw, found = np.random.default_rng(0), pulse_cells(pulse(segments, steep), cells)
    numbers = draw.uniform([[-3000], [0.7], [0.3], [2]], [[3000], [1.3], [3], [50]], (4, 21))
    places = draw.uniform(-0.1, 0.1, (3, 21)) if steep else None
    expected = solve(found, torch.from_numpy(numbers), None if places is None else torch.from_numpy(places))
    np.testing.assert_allclose(affine_maps(found, numbers, places), expected.numpy().T, atol=1e-12)


def test_a_series_errs_by_what_was_asked() -> None:
    found = pulse_cells(pulse(300, False), None)
    numbers = np.random.default_rng(1).uniform([[-3000], [0.7], [0.3], [2]], [[3000], [1.3], [3], [50]], (4, 40))
    exact = affine_maps(found, numbers)
    for tolerance in (1e-3, 1e-6, 1e-9):
        assert np.abs(affine_maps(found, numbers, tolerance=tolerance) - exact).max() < tolerance


@pytest.mark.parametrize("full", [True, False], ids=["all entries", "those that meet no transverse magnetisation"])
def test_terms_that_are_left_out_add_up_to_what_was_allowed(full: bool) -> None:
    found = pulse_cells(pulse(40, False), None)
    low, high = np.array([-400.0, 0.8, 0.5, 2.0]), np.array([300.0, 1.2, 2.0, 30.0])
    table = fitted(lambda points: affine_maps(found, points), low, high, 1e-8, torch.device("cpu"))
    terms = terms_of(table, 1e-5, full)
    points = np.random.default_rng(2).uniform(low[:, None], high[:, None], (4, 200))
    u = (2 * points - (low + high)[:, None]) / (high - low)[:, None]
    waves = [np.cos(np.arange(count)[:, None] * np.arccos(u[number])) for number, count in enumerate(terms.counts)]
    held = np.concatenate(waves)
    held = np.concatenate([held, held[terms.pairs].prod(axis=1)])
    entries = terms.coefficients.T @ held[terms.places].prod(axis=1)
    wanted = np.arange(12) % 4 >= (0 if full else 2)
    assert np.abs(entries - affine_maps(found, points))[wanted].max() < 1e-5 + 1e-8
    assert len(terms.places) < table.coefficients[..., 0].numel() / 4


@pytest.mark.parametrize("turn", [0.1, 3.0, 40.0])
def test_an_expansion_errs_by_what_was_asked(turn: float) -> None:
    """Of off-resonance and decay up to `turn` radians from a readout's middle."""
    half = 2e-3
    b0, r2 = Range(20 - turn / half / 2 / np.pi, 20 + turn / half / 2 / np.pi), Range(1.0, 60.0)
    for tolerance in (1e-4, 1e-9):
        found = expansion(half, b0, r2, tolerance)
        times = np.linspace(-half, half, 19)
        field, rate = np.random.default_rng(3).uniform([[b0.low], [r2.low]], [[b0.high], [r2.high]], (2, 100))
        u, v = (field - b0.middle) / b0.half, (rate - r2.middle) / r2.half
        j, k = found.degrees.T[:, :, None]
        waves = np.cos(j * np.arccos(u)) * np.cos(k * np.arccos(v))
        exact = np.exp((2j * np.pi * field - rate) * times[:, None])
        assert np.abs(found.coefficients(times).T @ waves - exact).max() < tolerance * 1.2  # e^(r2 t) is up to 1.13


@pytest.mark.parametrize("samples", [1, 7, 8])
@pytest.mark.parametrize("columns", [1, 15, 16, 32])
@pytest.mark.parametrize("even", [True, False], ids=["even steps", "uneven steps"])
def test_lines_are_fourier_sums_over_columns(samples: int, columns: int, even: bool) -> None:
    """Registers of 8 columns; two of three slots, two coils, three terms each."""
    k, x = (np.arange(samples) - (samples - 1) / 2) * 3.3, (np.arange(columns) - columns // 2) * 0.07
    cycles = (k if even else k + 0.1 * k**2)[:, None] * x
    draw = np.random.default_rng(4)
    sums = draw.normal(size=(-(-columns // 8), 3, 2, 3, 2, 8))
    factors = draw.normal(size=(3, samples)) + 1j * draw.normal(size=(3, samples))
    rows = sums.transpose(2, 1, 3, 4, 0, 5).reshape(2, 3, 3, 2, -1)[..., :columns]
    terms = (rows[:, :, :, 0] + 1j * rows[:, :, :, 1]) @ np.exp(2j * np.pi * cycles).T
    found = LineTransform(cycles, np.dtype(np.float64))(sums, np.array([0, 2]), factors)
    np.testing.assert_allclose(found.numpy(), (terms * factors).sum(axis=2)[:, [0, 2]], atol=1e-12)
