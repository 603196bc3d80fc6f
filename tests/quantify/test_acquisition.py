"""Offsets come from the sequence that was played or from a list, and series are divided by their M0 scans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from spinloom.quantify.acquisition import read_acquisition
from spinloom.quantify.normalisation import normalise
from spinloom.quantify.zspectrum import SpectrumError
from spinloom.sequence.read import sequence_path


def listed(folder: Path, text: str) -> Path:
    path = folder / "offsets.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sequence_tells_its_offsets_m0_scans_and_field() -> None:
    acquisition = read_acquisition("wasabi_3t")
    np.testing.assert_allclose(acquisition.offset_ppm, [-300, *np.arange(-2, 2.01, 0.05)], atol=2e-3)
    assert np.flatnonzero(acquisition.m0_scans).tolist() == [0]
    assert acquisition.larmor == pytest.approx(127.7292e6, rel=1e-6)
    assert acquisition.measured.tolist() == list(range(1, 82))


def test_a_list_may_be_parted_by_anything_and_hold_remarks(tmp_path: Path) -> None:
    acquisition = read_acquisition(listed(tmp_path, "# ppm\n-300, -3.5 0\n3.5; nan # silent\n1.5"))
    np.testing.assert_array_equal(acquisition.offset_ppm, [-300, -3.5, 0, 3.5, np.nan, 1.5])
    assert acquisition.measured.tolist() == [1, 2, 3, 5]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("# none\n", "lists no offset; list one number"),
        ("1 two 3", "a word that is no number"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SpectrumError, match=reason):
        read_acquisition(listed(tmp_path, text))


def test_a_missing_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpectrumError, match=r"nothing\.txt cannot be read as a list of offsets"):
        read_acquisition(tmp_path / "nothing.txt")


def test_a_sequence_without_a_field_needs_one(tmp_path: Path) -> None:
    text = sequence_path("wasabi_3t").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith(("B0 ", "FREQ "))]
    path = tmp_path / "fieldless.seq"
    path.write_text("".join(lines).split("[SIGNATURE]")[0], encoding="utf-8")
    with pytest.raises(SpectrumError, match=r"states neither FREQ nor B0.*give the Larmor frequency"):
        read_acquisition(path)
    assert read_acquisition(path, larmor=127.7292e6).offset_ppm[1] == pytest.approx(-2, abs=1e-4)


def test_each_voxel_is_divided_by_the_mean_of_its_own_m0_scans(tmp_path: Path) -> None:
    """Noise of 1 % in each of 400 M0 scans leaves 0.05 % in their mean; 4 times that is passed once in 16,000."""
    offsets = [-300.0] * 400 + [-1.0, 0.0, 1.0]
    acquisition = read_acquisition(listed(tmp_path, " ".join(map(str, offsets))))
    z, m0 = torch.tensor([0.7, 0.1, 0.8]), torch.tensor([[1e-3], [500.0]])
    noise = torch.zeros(2, 403)
    noise[:, :400] = 0.01 * torch.randn(2, 400, generator=torch.Generator().manual_seed(2))
    measured, source = normalise(m0 * (torch.cat([torch.ones(400), z]) + noise), acquisition)
    torch.testing.assert_close(measured, z.double().expand(2, 3), rtol=4 * 0.01 / 400**0.5, atol=0)
    assert source == "M0 is the mean of 400 measurements beyond 100 ppm or without RF."


def test_a_voxel_without_m0_is_nan(tmp_path: Path) -> None:
    acquisition = read_acquisition(listed(tmp_path, "-300 -1 0 1"))
    z, _ = normalise(torch.tensor([[0.0, 1, 1, 1], [torch.nan, 1, 1, 1], [2.0, 1, 1, 1]]), acquisition)
    assert z.isnan().all(dim=1).tolist() == [True, True, False]


def test_without_m0_scans_the_series_is_taken_as_it_is(tmp_path: Path) -> None:
    z, source = normalise(torch.tensor([[0.5, 0.1, 0.6]]), read_acquisition(listed(tmp_path, "-1 0 1")))
    torch.testing.assert_close(z, torch.tensor([[0.5, 0.1, 0.6]]).double())
    assert "taken to be normalised already" in source


@pytest.mark.parametrize(
    ("offsets", "reason"),
    [
        ("-300 -1 0 1 2", "has 4 measurements, but 5 offsets are given"),
        ("-300 " * 4, "no Z-spectrum"),
    ],
)
def test_a_series_that_does_not_fit_is_refused(tmp_path: Path, offsets: str, reason: str) -> None:
    with pytest.raises(SpectrumError, match=reason):
        normalise(torch.ones(2, 4), read_acquisition(listed(tmp_path, offsets)))
