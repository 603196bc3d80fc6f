"""Extended phase graphs against closed forms of trains and steady states, and against sums over many isochromats."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from spinloom.errors import RequirementError
from spinloom.physics.epg import epg_echo_train, epg_gradient_echoes, epg_steady_state
from spinloom.sequence.timeline import AdcEvent, GradientEvent
from spinloom.testing.isochromat_sum import isochromat_sum
from spinloom.testing.timelines import block_pulse, timeline_of
from spinloom.tissue.phantom import Phantom

T1, T2 = torch.tensor([0.8, 1.6, 0.3]).double(), torch.tensor([0.05, 0.11, 0.2]).double()
INSTANT = 1e-9
"""Pulses and samples this short are instantaneous to 1e-8."""


def degrees(*values: float) -> torch.Tensor:
    return torch.deg2rad(torch.tensor(values, dtype=torch.float64))


def isochromats(parts: list[Any], t1: float, t2: float, b0: float = 0.0, count: int = 256) -> np.ndarray:
    """Signal of spins evenly spread over one metre along z, on which gradients of one cycle a metre act."""
    shape = (count, 1, 1)
    maps = {"m0": 1.0, "t1": t1, "t2": t2, "b0": b0, "b1": 1.0}
    filled = {name: torch.full(shape, value, dtype=torch.float64) for name, value in maps.items()}
    return isochromat_sum(timeline_of(parts), Phantom("voxel", (1.0, 1.0, 1.0), **filled))[0]


def pulse(flip: float, phase: float) -> Any:
    return block_pulse(INSTANT, flip / (2 * math.pi * INSTANT), phase=phase)


def gradient(duration: float) -> GradientEvent:
    """One cycle a metre, played evenly over `duration`."""
    knots = (0.0, 0.0, duration, duration)
    return GradientEvent("trapezoid", 1 / duration, 0.0, knots, None, None, False, 0.0, 0.0, 1e-5)


SAMPLE = AdcEvent(1, INSTANT, 0.0, 0.0, 0.0, 0.0, 0.0, None)


def test_perfect_refocusing_decays_with_t2_alone() -> None:
    """CPMG with 180 degrees: -exp(-n ESP / T2) in the frame where RF along x turns z to y, excitation along y."""
    echoes = epg_echo_train(T1, T2, degrees(*[180.0] * 12), spacing=9e-3)
    expected = -torch.exp(-9e-3 * torch.arange(1.0, 13.0).double() / T2[:, None])
    torch.testing.assert_close(echoes, expected + 0j, rtol=1e-12, atol=1e-12)


def test_imperfect_refocusing_has_the_first_echoes_of_the_closed_form() -> None:
    """Spin echo by sin2(a/2) each; the stimulated echo of two pulses by sin2(a) / 2, stored with T1 between them."""
    angle, spacing = math.radians(130), 9e-3
    found = epg_echo_train(T1, T2, degrees(130, 130), spacing)
    spin = math.sin(angle / 2) ** 2 * torch.exp(-spacing / T2)
    stimulated = math.sin(angle) ** 2 / 2 * torch.exp(-spacing / T1 - spacing / T2)
    torch.testing.assert_close(found, -torch.stack([spin, spin**2 + stimulated], dim=-1) + 0j, rtol=1e-12, atol=1e-12)


def test_b1_scales_every_flip_angle() -> None:
    b1 = torch.tensor([0.7, 1.0, 1.3]).double()
    together = epg_echo_train(T1, T2, degrees(150, 120, 100), 9e-3, b1=b1)
    for voxel, factor in enumerate(b1.tolist()):
        flips, excitation = factor * degrees(150, 120, 100), factor * math.pi / 2
        alone = epg_echo_train(T1[voxel], T2[voxel], flips, 9e-3, excitation=excitation)
        torch.testing.assert_close(together[voxel], alone)


def test_any_train_is_that_of_many_isochromats() -> None:
    """Random flip angles and phases, off resonance; 256 spins hold orders up to 127 apart."""
    rng = np.random.default_rng(8)
    flips, phases = rng.uniform(0.3, 3, 10), rng.uniform(0, 6, 10)
    half, b0 = 4e-3, 13.0
    parts: list[Any] = [pulse(1.2, 0.4)]
    for flip, phase in zip(flips, phases, strict=True):
        parts += [gradient(half), pulse(flip, phase), gradient(half), SAMPLE]
    expected = isochromats(parts, 0.8, 0.05, b0)
    found = epg_echo_train(T1[0], T2[0], torch.from_numpy(flips), 2 * half, torch.from_numpy(phases), 1.2, 0.4, b0=b0)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("balanced", [False, True], ids=["dephased", "balanced"])
def test_any_gradient_echoes_are_those_of_many_isochromats(balanced: bool) -> None:
    rng = np.random.default_rng(9)
    flips, phases, tr, te = rng.uniform(0.2, 1.5, 24), rng.uniform(0, 6, 24), 9e-3, 4e-3
    parts: list[Any] = []
    for flip, phase in zip(flips, phases, strict=True):
        parts += [pulse(flip, phase), te, SAMPLE, tr - te if balanced else gradient(tr - te)]
    expected = isochromats(parts, 0.8, 0.05, 21.0) * np.exp(-1j * phases)
    found = epg_gradient_echoes(
        T1[0], T2[0], torch.from_numpy(flips), torch.from_numpy(phases), tr, te, b0=21.0, balanced=balanced
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_spoiled_steady_state_is_ernsts() -> None:
    """T2 so short that nothing transverse survives a TR (e^-20): tissue with T1 alone has that closed form."""
    tr, te, t2 = 20e-3, 0.5e-3, torch.tensor(1e-3).double()
    e1 = torch.exp(-tr / T1)
    for flip in (0.2, float(torch.arccos(e1[0])), 1.2):
        expected = 1j * math.sin(flip) * (1 - e1) / (1 - math.cos(flip) * e1) * torch.exp(-te / t2)
        torch.testing.assert_close(epg_steady_state(T1, t2, flip, tr, te), expected, rtol=0, atol=1e-8)


def test_a_balanced_steady_state_is_the_closed_form() -> None:
    """Alternating phases on resonance (Freeman and Hill 1971)."""
    flip, tr, te = math.radians(50), 5e-3, 2.5e-3
    e1, e2 = torch.exp(-tr / T1), torch.exp(-tr / T2)
    size = math.sin(flip) * (1 - e1) / (1 - (e1 - e2) * math.cos(flip) - e1 * e2) * torch.exp(-te / T2)
    found = epg_steady_state(T1, T2, flip, tr, te, phase_step=math.pi, balanced=True)
    torch.testing.assert_close(found, 1j * size, rtol=1e-7, atol=1e-8)


def test_a_dephased_steady_state_is_the_closed_form() -> None:
    """SSFP-FID just after the pulse (Gyngell 1988)."""
    flip, tr = math.radians(40), 0.1
    e1, e2, cosine = torch.exp(-tr / T1), torch.exp(-tr / T2), math.cos(flip)
    p, q = 1 - e1 * cosine - e2**2 * (e1 - cosine), e2 * (1 - e1) * (1 + cosine)
    size = math.tan(flip / 2) * (1 - (e1 - cosine) * (1 - e2**2) / torch.sqrt(p**2 - q**2))
    torch.testing.assert_close(epg_steady_state(T1, T2, flip, tr, 0.0), 1j * size, rtol=0, atol=1e-8)


def test_rf_spoiling_comes_near_the_ernst_signal_and_constant_phase_does_not() -> None:
    """117 degrees was chosen for that (Zur 1991); it leaves some per cent, where a constant phase leaves a third."""
    flip, tr = math.radians(30), 10e-3
    t1, t2 = torch.tensor(0.2).double(), torch.tensor(0.05).double()
    e1 = math.exp(-tr / 0.2)
    ernst = math.sin(flip) * (1 - e1) / (1 - math.cos(flip) * e1)
    spoiled = epg_steady_state(t1, t2, flip, tr, 0.0, phase_curvature=math.radians(117))
    assert float(spoiled.abs()) == pytest.approx(ernst, rel=0.05)
    assert float(epg_steady_state(t1, t2, flip, tr, 0.0).abs()) > 1.3 * ernst


def test_gradients_agree_with_finite_differences() -> None:
    def train(t1: torch.Tensor, t2: torch.Tensor, flips: torch.Tensor, b1: torch.Tensor) -> torch.Tensor:
        return epg_echo_train(t1, t2, flips, 9e-3, b1=b1)

    values = [T1, T2, degrees(150, 120, 100, 90), torch.tensor([0.8, 1.0, 1.1]).double()]
    assert torch.autograd.gradcheck(train, [value.clone().requires_grad_() for value in values])


def test_a_steady_state_that_would_take_for_ever_is_refused() -> None:
    with pytest.raises(RequirementError, match=r"settles after .* repetitions"):
        epg_steady_state(torch.tensor(4.0), torch.tensor(0.1), 0.1, tr=1e-6, te=0.0)
