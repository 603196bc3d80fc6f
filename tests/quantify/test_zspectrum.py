"""The Z-spectrum finds its M0, keeps its sign and tells spectra from fingerprints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from spinloom.interfaces import Signal
from spinloom.quantify.zspectrum import SpectrumError, z_spectrum

LARGININE_OFFSETS = [3.0] * 30
SEMISOLID_OFFSETS = [
    8,
    6,
    6,
    10,
    10,
    10,
    8,
    6,
    8,
    14,
    14,
    10,
    6,
    10,
    8,
    6,
    8,
    10,
    14,
    14,
    6,
    8,
    14,
    6,
    14,
    14,
    14,
    8,
    10,
    8,
]


def signal(offsets: Sequence[float], mz: torch.Tensor, samples: int = 1) -> Signal:
    count = len(offsets)
    repeated = mz.repeat_interleave(samples, dim=-1)
    return Signal(
        mz=repeated,
        mxy=torch.zeros_like(repeated, dtype=torch.complex128),
        time=np.arange(count * samples, dtype=float),
        measurement=np.repeat(np.arange(count), samples),
        offset_ppm=np.array(offsets, dtype=float),
    )


def test_z_is_mz_over_the_scan_at_the_files_m0_offset() -> None:
    spectrum = z_spectrum(signal([-300, -1, 0, 1], torch.tensor([0.8, 0.4, 0.0, 0.6])), {"M0_offset": -300.0})
    torch.testing.assert_close(spectrum.mz_over_m0, torch.tensor([1.0, 0.5, 0.0, 0.75]))
    assert spectrum.m0_scans.tolist() == [True, False, False, False]
    assert spectrum.m0_source == "M0 is the measurement at the file's M0_offset, -300 ppm."


def test_an_m0_offset_near_water_is_obeyed() -> None:
    spectrum = z_spectrum(signal([40, -1, 0, 1], torch.tensor([0.5, 0.1, 0.0, 0.1])), {"M0_offset": 40.0})
    assert spectrum.m0.item() == pytest.approx(0.5)


@pytest.mark.parametrize("definitions", [{}, {"M0_offset": 60.0}, {"M0_offset": "none"}], ids=str)
def test_without_a_measured_m0_offset_far_and_rf_free_scans_are_averaged(definitions: dict[str, object]) -> None:
    spectrum = z_spectrum(signal([-1560, np.nan, -1, 0, 1], torch.tensor([0.6, 1.0, 0.4, 0.0, 0.4])), definitions)
    assert spectrum.m0.item() == pytest.approx(0.8)
    assert spectrum.m0_source == "M0 is the mean of 2 measurements beyond 100 ppm or without RF."


def test_without_m0_scans_equilibrium_is_the_unit_and_a_sentence_says_so() -> None:
    spectrum = z_spectrum(signal([-1, 0, 1], torch.tensor([0.4, 0.1, 0.4])))
    assert torch.equal(spectrum.mz_over_m0, spectrum.mz)
    assert spectrum.m0_source == "No M0 scan was found, so M0 is the equilibrium magnetisation, 1."


def test_a_fingerprint_keeps_its_measurement_without_rf() -> None:
    """The L-arginine schedule has a point of B1 = 0; as M0 it once scaled all others by 2.4."""
    spectrum = z_spectrum(signal([3.0, 3.0, np.nan, 3.0], torch.tensor([0.3, 0.2, 0.4, 0.3])))
    assert not spectrum.m0_scans.any()
    assert torch.equal(spectrum.mz_over_m0, spectrum.mz)


def test_inverted_magnetisation_stays_negative() -> None:
    assert z_spectrum(signal([-300, 0], torch.tensor([0.5, -0.25]))).mz_over_m0[1].item() == -0.5


def test_each_tissue_has_its_own_m0() -> None:
    scale = torch.tensor([[1.0], [0.5]])
    spectrum = z_spectrum(signal([-300, -1, 0, 1], scale * torch.tensor([0.8, 0.4, 0.2, 0.4])))
    torch.testing.assert_close(spectrum.mz_over_m0[0], spectrum.mz_over_m0[1])
    assert spectrum.batch_shape == (2,)


def test_the_first_sample_stands_for_a_long_readout() -> None:
    mz = torch.tensor([0.8, 0.4, 0.2, 0.4])
    once, often = (z_spectrum(signal([-300, -1, 0, 1], mz, samples)) for samples in (1, 16))
    assert torch.equal(once.mz_over_m0, often.mz_over_m0)


def test_gradients_flow_through_the_division() -> None:
    mz = torch.tensor([0.8, 0.4], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: z_spectrum(signal([-300, 1], x)).mz_over_m0, mz)


def test_an_m0_of_zero_is_refused() -> None:
    with pytest.raises(SpectrumError, match=r"It is 0.*give the sequence another M0 scan"):
        z_spectrum(signal([-300, 1], torch.tensor([0.0, 0.4])))


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        pytest.param([-300, *np.arange(-4, 4.25, 0.25)], True, id="APTw"),
        pytest.param([-1, 0, 1], True, id="three offsets"),
        pytest.param([-300, *np.repeat(np.arange(-4, 4.25, 0.25), 2)], True, id="two averages"),
        pytest.param([-300, -3.5, 3.5], False, id="two offsets"),
        pytest.param(LARGININE_OFFSETS, False, id="L-arginine fingerprint"),
        pytest.param(SEMISOLID_OFFSETS, False, id="semisolid fingerprint"),
        pytest.param([np.nan] * 5, False, id="no RF at all"),
    ],
)
def test_a_spectrum_is_told_from_a_fingerprint(offsets: Sequence[float], expected: bool) -> None:
    assert z_spectrum(signal(offsets, torch.ones(len(offsets)))).is_spectrum is expected
