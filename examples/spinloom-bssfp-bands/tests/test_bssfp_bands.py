"""The plugin keeps its contracts, and its images show the bands and the steady state of balanced SSFP."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import spinloom
from spinloom.testing import SequenceFamilyContract, SimulatorContract

TR, FLIP, T1, T2 = 6e-3, math.radians(40), 0.3, 0.2


class TestSimulator(SimulatorContract):
    simulator = "bssfp_bands"
    sequence = "bssfp_bands(matrix=8, dummies=8)"
    differentiable = True


class TestFamily(SequenceFamilyContract):
    sequence_family = "bssfp_bands"
    parameters = {"matrix": 8, "dummies": 2}  # noqa: RUF012


def _image(b0: torch.Tensor, fov: float = 0.22) -> np.ndarray:
    """Magnitude of a uniform square of 16 x 16 spins in the field `b0` [Hz], which varies along y."""
    whole = torch.ones(1, 16, 16, dtype=torch.float64)
    phantom = spinloom.Phantom("square", (fov, fov, 5e-3), whole, T1 * whole, T2 * whole, b0 * whole, whole)
    timeline = spinloom.read_sequence("bssfp_bands(matrix=16, dummies=400)")
    kspace = spinloom.simulate(sequence=timeline, phantom=phantom, simulator="bssfp_bands", dtype="float64")
    return spinloom.reconstruct(kspace, timeline.definitions).data.abs().squeeze().numpy()


def test_on_resonance_the_image_is_the_steady_state_in_closed_form() -> None:
    """M sin a (1 - E1) / (1 - (E1 - E2) cos a - E1 E2) sqrt(E2) in the middle of TR (Freeman and Hill 1971).

    After 400 TR the transient is exp(-400 TR / T1) = 3e-4; the pulse lasts 0.4 ms, during which relaxation goes on.
    """
    e1, e2 = math.exp(-TR / T1), math.exp(-TR / T2)
    steady = math.sin(FLIP) * (1 - e1) / (1 - (e1 - e2) * math.cos(FLIP) - e1 * e2) * math.sqrt(e2)
    assert _image(torch.zeros(1, 16, 1)).mean() == pytest.approx(steady, rel=0.01)


def test_bands_lie_where_the_field_is_off_by_half_a_turn_a_tr() -> None:
    """A field that climbs by one turn a TR from edge to edge has its bands there, and is bright between."""
    rows = torch.linspace(-0.5, 0.5, 16)[None, :, None] / TR
    profile = _image(rows.to(torch.float64)).mean(axis=1)
    assert profile[8] > 3 * max(profile[0], profile[-1])
    assert np.argmin(profile) in (0, 15)


def test_what_is_not_balanced_is_refused() -> None:
    with pytest.raises(spinloom.RequirementError, match=r"plays balanced sequences, but .* leaves .* cycles/m"):
        spinloom.simulate(sequence="epi(matrix=8)", phantom="tubes", simulator="bssfp_bands")


def test_the_report_says_where_the_bands_are() -> None:
    from spinloom_bssfp_bands.simulator import BssfpBandsSimulator

    timeline = spinloom.read_sequence("bssfp_bands(matrix=8, dummies=2)")
    phantom = replace(spinloom.build_phantom({"name": "tubes", "matrix": 8}))
    simulator = BssfpBandsSimulator(spinloom.Numerics())
    (section,) = simulator.report(timeline, phantom, simulator.simulate(timeline, phantom))
    assert ("Bands, if pulses alternate", "every 166.7 Hz, the first at 83.33 Hz") in section.blocks[0].rows
