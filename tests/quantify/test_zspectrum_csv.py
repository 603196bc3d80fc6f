"""`zspectrum.csv` gives back what was written, bit for bit, and refuses what it cannot hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from spinloom.interfaces import Signal
from spinloom.quantify.zspectrum import SpectrumError, ZSpectrum, z_spectrum
from spinloom.quantify.zspectrum_csv import read_csv, write_csv


def spectrum(mz: torch.Tensor) -> ZSpectrum:
    offsets = np.array([-300.0, 3.4999999999999996, 1 / 3, np.nan, -1e-17])
    return z_spectrum(Signal(mz, torch.zeros_like(mz), np.arange(5.0), np.arange(5), offsets), {"M0_offset": -300.0})


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("batch", [(), (1,)], ids=["single", "batch of one"])
def test_reading_gives_back_every_bit(tmp_path: Path, dtype: torch.dtype, batch: tuple[int, ...]) -> None:
    written = spectrum(torch.tensor([0.9, -1 / 7, 1e-300, 0.1 + 0.2, 2 / 3], dtype=dtype).reshape(*batch, 5))
    write_csv(tmp_path / "zspectrum.csv", written)
    read = read_csv(tmp_path / "zspectrum.csv")
    np.testing.assert_array_equal(read["offset_ppm"], written.offset_ppm)
    np.testing.assert_array_equal(read["mz"], written.mz.flatten().numpy())
    np.testing.assert_array_equal(read["mz_over_m0"], written.mz_over_m0.flatten().numpy())


def test_the_table_has_three_columns_and_the_files_order(tmp_path: Path) -> None:
    write_csv(tmp_path / "zspectrum.csv", spectrum(torch.tensor([0.5, 0.25, 0.0, 0.5, -0.5])))
    lines = (tmp_path / "zspectrum.csv").read_text().splitlines()
    assert lines[:3] == ["offset_ppm,mz,mz_over_m0", "-300.0,0.5,1.0", "3.4999999999999996,0.25,0.5"]
    assert len(lines) == 6


def test_a_batch_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SpectrumError, match=r"batch of shape \(2,\); select one tissue"):
        write_csv(tmp_path / "zspectrum.csv", spectrum(torch.full((2, 5), 0.5)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "does not begin with the columns offset_ppm,mz,mz_over_m0", id="empty"),
        pytest.param(b"offset,z\n1,2\n", "does not begin with the columns", id="other columns"),
        pytest.param(
            b"offset_ppm,mz,mz_over_m0\n1.0,high,2\n", "could not convert string to float: 'high'", id="words"
        ),
        pytest.param(b"offset_ppm,mz,mz_over_m0\n1.0,0.5\n", "a row that is not three numbers", id="short row"),
        pytest.param(b"\xff\xfe\x00", "cannot be read as a Z-spectrum", id="binary"),
    ],
)
def test_what_is_no_z_spectrum_is_refused_by_name(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "zspectrum.csv"
    path.write_bytes(content)
    with pytest.raises(SpectrumError, match=message) as refusal:
        read_csv(path)
    assert str(path) in str(refusal.value)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SpectrumError, match=r"nowhere\.csv cannot be read.*name a run's zspectrum\.csv"):
        read_csv(tmp_path / "nowhere.csv")
