"""T2* by isochromats: the free induction, echoes, spoiled experiments, and convergence with the number of spins."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from spinloom.physics.engine import PoolSolution, solve_pools
from spinloom.physics.isochromats import lorentzian_spins
from spinloom.testing.timelines import MARKER, SPOILER, block_pulse, timeline_of
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pools import Tissue

T2, T2STAR = 0.1, 0.04
HALF_WIDTH = 1 / T2STAR - 1 / T2
EXCITATION, REFOCUSING = block_pulse(1e-6, 0.25e6), block_pulse(1e-6, 0.5e6)


def water(count: int | None, t2star: float | list[float] = T2STAR) -> Tissue:
    pool = {"t1": 1.0, "t2": T2} | ({"t2star": t2star, "isochromats": count} if count else {})
    return tissue_from_mapping({"water_pool": pool, "b0": 3, "reset_init_mag": False}, "water")


def solve(parts: list, tissue: Tissue) -> PoolSolution:
    return solve_pools(timeline_of(parts), tissue, cells="all")


@pytest.mark.parametrize("count", [20, 60])
def test_the_free_induction_decays_with_t2star_within_what_the_number_of_spins_allows(count: int) -> None:
    """1.7 / n of the envelope, until three times 1/half width: the law that the spins' places were chosen for."""
    steps = 12
    delay = 3 / HALF_WIDTH / steps
    signal = solve([EXCITATION, *[delay - MARKER.duration, MARKER] * steps], water(count)).mxy.abs().numpy()
    time = delay * np.arange(1, steps + 1) - MARKER.duration
    assert np.abs(signal / np.exp(-time / T2) - np.exp(-HALF_WIDTH * time)).max() <= 1.7 / count


def test_the_error_falls_with_the_number_of_spins() -> None:
    """First order: three times the spins, a third of the error, within a factor of two for where its largest lies."""
    time = np.linspace(0.0, 3.0, 601)

    def error(count: int) -> float:
        offsets, weights = lorentzian_spins(count)
        return float(np.abs(np.cos(np.outer(time, offsets)) @ weights - np.exp(-time)).max())

    errors = np.array([error(count) for count in (30, 90, 270)])
    assert np.all(errors <= 1.7 / np.array([30, 90, 270]))
    assert np.all(errors[1:] < errors[:-1] / 2)


def test_an_echo_decays_with_t2_alone() -> None:
    """What the pulses of 1 us turn beside the far spins of the spread leaves 1e-3."""
    delay = 0.03
    signal = solve([EXCITATION, delay, REFOCUSING, delay, MARKER], water(100)).mxy.abs()
    assert float(signal) == pytest.approx(math.exp(-2 * delay / T2), abs=1e-3)


def test_mz_after_spoiling_recovers_as_without_t2star() -> None:
    parts = [EXCITATION, SPOILER, 0.2, MARKER]
    spread, plain = (float(solve(parts, water(count)).mz) for count in (100, None))
    assert spread == pytest.approx(plain, abs=1e-3)


def test_spins_of_a_batch_stay_with_their_tissue() -> None:
    parts = [EXCITATION, 0.03, MARKER]
    together = solve(parts, water(15, [0.03, 0.05, 0.1])).mxy
    alone = torch.cat([solve(parts, water(15, [value])).mxy for value in (0.03, 0.05, 0.1)])
    assert float((together - alone).abs().max()) <= 1e-12  # series of a batch end where its fastest tissue allows
    assert float(together[2].abs()) == pytest.approx(math.exp(-0.03 / T2), abs=1e-4)  # T2* of T2: no spread


def test_the_signal_is_differentiable_with_respect_to_t2star() -> None:
    def signal(t2star: torch.Tensor) -> torch.Tensor:
        tissue = water(9)
        object.__setattr__(tissue.isochromats, "t2star", t2star)
        return solve([EXCITATION, 0.02, MARKER], tissue).mxy.abs()

    assert torch.autograd.gradcheck(signal, (torch.tensor(T2STAR, dtype=torch.float64, requires_grad=True),))


def test_the_report_says_what_stands_for_t2star() -> None:
    assert "100 isochromats" in solve([EXCITATION, MARKER], water(100)).notes[-1]
    assert "T2* has no effect" in solve([EXCITATION, MARKER], water(1)).notes[-1]
    assert not any("T2*" in note for note in solve([EXCITATION, MARKER], water(None)).notes)
