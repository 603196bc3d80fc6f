"""The plain sum over isochromats against closed forms and against the ODE of the Bloch-McConnell reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from spinloom.errors import RequirementError, SequenceError
from spinloom.sequence.timeline import AdcEvent, GradientEvent, RfShim, RfWaveform, Timeline
from spinloom.testing.isochromat_sum import isochromat_sum
from spinloom.testing.reference import reference_signal
from spinloom.testing.timelines import block_pulse, rf_event, timeline_of
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.pool_model import tissue_from_mapping

T1, T2 = 0.9, 0.06


def phantom(voxels: int = 1, **maps: Any) -> Phantom:
    """A row of equal voxels along x, 0.2 m wide."""
    shape = (1, 1, voxels)
    values = {"m0": 1.0, "t1": T1, "t2": T2, "b0": 0.0, "b1": 1.0} | maps
    filled = {name: torch.as_tensor(value, dtype=torch.float64).expand(shape) for name, value in values.items()}
    return Phantom("row", (0.2, 0.2, 0.01), **filled)


def readout(samples: int, dwell: float, frequency: float = 0.0, phase: float = 0.0, delay: float = 0.0) -> AdcEvent:
    return AdcEvent(samples, dwell, delay, frequency, phase, 0.0, 0.0, None)


def along_x(timeline: Timeline) -> Timeline:
    """The timeline with its gradients on x instead of z."""
    return replace(timeline, block_gradient=timeline.block_gradient[[2, 0, 1]])


def test_free_induction_decays_and_turns_counter_clockwise_at_a_positive_offset() -> None:
    """RF along x turns z towards y; a receiver at half the offset sees the rest of it."""
    timeline = timeline_of([block_pulse(1e-6, 0.25e6), 2e-3, readout(5, 1e-3, frequency=20.0, phase=0.3)])
    times = 1e-6 + 2e-3 + (np.arange(5) + 0.5) * 1e-3
    since = (np.arange(5) + 0.5) * 1e-3
    expected = 1j * np.exp(-times / T2 + 2j * np.pi * (40 * times - 20 * since) - 0.3j)
    found = isochromat_sum(timeline, phantom(b0=40.0))
    np.testing.assert_allclose(found[0], expected, rtol=1e-4)  # the pulse of 1 us turns by 40 Hz x 0.5 us, relaxes


def test_a_pulse_is_the_exponential_of_the_bloch_matrix() -> None:
    """Off resonance, with B1, phase, a frequency offset and relaxation during 20 ms; scipy's expm has other series."""
    length, w, offset, b1, frequency = 20e-3, 60.0, 35.0, 0.8, -50.0
    timeline = timeline_of([block_pulse(length, w, frequency, 0.7), readout(1, 1e-9)])
    d, e = 2 * np.pi * (offset - frequency), 2 * np.pi * w * b1
    c, s = e * np.cos(0.7), e * np.sin(0.7)
    matrix = np.array([[-1 / T2, -d, -s, 0], [d, -1 / T2, c, 0], [s, -c, -1 / T1, 1 / T1], [0, 0, 0, 0]])
    x, y, *_ = expm(length * matrix) @ [0, 0, 1, 1]
    expected = (x + 1j * y) * np.exp(2j * np.pi * frequency * length)
    found = isochromat_sum(timeline, phantom(b0=offset, b1=b1))
    np.testing.assert_allclose(found[0], [expected], rtol=1e-6)  # half a nanosecond of precession


def test_trains_of_shaped_pulses_agree_with_an_ode_in_the_larmor_frame() -> None:
    """Frequency offsets carry phase into later pulses; the ODE knows nothing of frames."""
    rng = np.random.default_rng(3)
    shape = RfWaveform(np.full(40, 1e-4), rng.normal(size=40) + 1j * rng.normal(size=40), exact=True)
    parts: list[Any] = []
    for pulse in range(3):
        parts += [(shape, rf_event(80.0, 37.0 * pulse, 0.4 * pulse)), 3e-3 * pulse, readout(2, 1e-3)]
    timeline = timeline_of(parts)
    pool = {"water_pool": {"t1": T1, "t2": T2}, "b0": 3, "rel_b1": 0.9, "reset_init_mag": False}
    _, expected = reference_signal(timeline, tissue_from_mapping(pool, "water"))
    found = isochromat_sum(timeline, phantom(b1=0.9))
    np.testing.assert_allclose(found[0], expected, atol=1e-9)  # the ODE is solved to 1e-11 a step


def test_the_signal_of_a_row_is_the_fourier_sum_of_its_voxels() -> None:
    """S(k) = mean of M exp(+2 pi i k x), x from voxel n // 2, exact under the sloping gradient of a ramp."""
    m0 = np.random.default_rng(1).random(8)
    ramp = GradientEvent("trapezoid", 4e4, 0.0, (0.0, 2e-3, 2e-3, 4e-3), None, None, False, 0.0, 0.0, 1e-5)
    timeline = along_x(timeline_of([block_pulse(1e-7, 2.5e6), ramp]))
    adc = readout(16, 1e-4)
    timeline = replace(timeline, adcs=(adc,), block_adc=np.array([-1, 0]))
    times = (np.arange(16) + 0.5) * 1e-4
    k, x = 4e4 * times**2 / 2 / 2e-3, (np.arange(8) - 4) * 0.2 / 8
    expected = 1j * np.exp(-times / T2) * (m0 * np.exp(2j * np.pi * np.outer(k, x))).mean(axis=1)
    found = isochromat_sum(timeline, phantom(8, m0=torch.from_numpy(m0)[None, None]))
    np.testing.assert_allclose(found[0], expected, atol=1e-5)  # a pulse of 0.1 us relaxes by 1e-6


def test_an_offset_pulse_under_a_gradient_excites_where_offset_over_gradient_says() -> None:
    """+f under +G at +x (the handedness that some simulators mirror)."""
    gradient = GradientEvent("trapezoid", 1e5, 0.0, (0.0, 1e-6, 4e-3, 4.001e-3), None, None, False, 0, 0, 1e-5)
    shape = RfWaveform(np.full(200, 2e-5), np.sinc(np.linspace(-2, 2, 200)) + 0j, exact=True)
    pulse = timeline_of([(shape, rf_event(240.0, frequency=4000.0)), readout(1, 1e-9)])
    timeline = replace(pulse, gradients=(gradient,), block_gradient=np.array([[0, -1], [-1, -1], [-1, -1]]))
    excited = [
        abs(isochromat_sum(timeline, phantom(32, m0=torch.eye(32, dtype=torch.float64)[None, [voxel]]))[0, 0])
        for voxel in range(32)
    ]
    assert (np.argmax(excited) - 16) * 0.2 / 32 == pytest.approx(4000 / 1e5, abs=0.2 / 32)


def test_coils_weigh_voxels_and_chunks_change_nothing() -> None:
    rng = np.random.default_rng(2)
    coils = torch.from_numpy(rng.normal(size=(3, 1, 1, 10)) + 1j * rng.normal(size=(3, 1, 1, 10)))
    row = replace(phantom(10, b0=torch.arange(10.0).double()), coils=coils)
    timeline = timeline_of([block_pulse(1e-3, 200.0), readout(4, 1e-3)])
    found = isochromat_sum(timeline, row)
    single = [isochromat_sum(timeline, phantom(b0=float(voxel)))[0] for voxel in range(10)]
    np.testing.assert_allclose(found, coils[:, 0, 0].numpy() @ np.array(single) / 10, rtol=1e-12)
    np.testing.assert_allclose(isochromat_sum(timeline, row, spins_at_once=3), found, rtol=1e-12)


def test_complete_recovery_returns_to_equilibrium_before_an_excitation() -> None:
    pulse = block_pulse(1e-3, 250.0)
    shot = [pulse, 1e-3, readout(2, 1e-3), 5e-3]
    first, second = isochromat_sum(timeline_of(shot * 2), phantom(), complete_recovery=True)[0].reshape(2, 2)
    np.testing.assert_allclose(second, first, rtol=1e-12)
    saturated = isochromat_sum(timeline_of(shot * 2), phantom())[0].reshape(2, 2)[1]
    assert np.abs(saturated).max() < 0.05 * np.abs(first).max()


def test_what_one_isochromat_a_voxel_cannot_be_is_refused() -> None:
    timeline = timeline_of([block_pulse(1e-3, 250.0), readout(2, 1e-3)])
    with pytest.raises(RequirementError, match="'row' has pools or T2'"):
        isochromat_sum(timeline, replace(phantom(), t2_prime=torch.full((1, 1, 1), 0.02, dtype=torch.float64)))
    under = replace(timeline, block_adc=np.array([0, -1]))
    with pytest.raises(SequenceError, match=r"block 1 .* samples before its RF pulse has ended"):
        isochromat_sum(under, phantom())
    shimmed = replace(timeline, extensions=((RfShim((1.0 + 0j,)),),), block_extension=np.array([0, -1]))
    with pytest.raises(SequenceError, match="RF_SHIMS"):
        isochromat_sum(shimmed, phantom())
