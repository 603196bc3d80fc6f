"""The MT simulator: the physics of CEST, asked of tissues with a semisolid pool, with a report of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import spinloom
from spinloom.errors import RequirementError
from spinloom.physics.saturation_rate import saturation_rates
from spinloom.quantify.mt_series import MtSeries, mt_series
from spinloom.sequence.saturation_power import saturation_rms
from spinloom.tissue.files import load_mapping
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.units import MICROTESLA, PROTON_GAMMA_BAR
from spinloom_mt.report import mt_section

SERIES, SCHEDULE = ("mt_spectrum_3t", "wm_3t_stanisz2005_mt"), ("mrf_mt_7t", "mouse_brain_7t_mt")


def series(sequence: str, tissue: str) -> MtSeries:
    timeline, subject = spinloom.read_sequence(sequence), spinloom.read_tissue(tissue)
    return mt_series(timeline, subject, spinloom.simulate(simulator="mt", sequence=timeline, tissue=subject))


@pytest.mark.parametrize(("sequence", "tissue"), [SERIES, SCHEDULE])
def test_it_computes_what_the_cest_simulator_computes(sequence: str, tissue: str) -> None:
    mt, cest = (spinloom.simulate(simulator=name, sequence=sequence, tissue=tissue) for name in ("mt", "cest"))
    assert torch.equal(mt.mz, cest.mz)
    assert torch.equal(mt.mxy, cest.mxy)


def test_a_tissue_without_a_semisolid_pool_is_refused_with_what_to_add() -> None:
    with pytest.raises(RequirementError, match=r"'mt' needs a tissue with a semisolid pool \(`mt_pool: .*has none"):
        spinloom.simulate(simulator="mt", sequence="mt_spectrum_3t", tissue="water_3t")


def test_transfer_grows_with_power_and_falls_with_offset() -> None:
    curves = [found.mtr[members].numpy() for found in [series(*SERIES)] for _, members in found.powers()]
    assert len(curves) == 3
    assert all(np.all(np.diff(curve) < 0) for curve in curves)
    assert np.all(curves[0] < curves[1])
    assert np.all(curves[1] < curves[2])


def test_far_from_water_continuous_waves_reach_henkelmans_steady_state() -> None:
    """Two pools without direct saturation: Mz = (R1b RMa/.. + ..), solved here as two linear equations."""
    mapping = {**load_mapping("wm_3t_stanisz2005_mt"), "reset_init_mag": "false"}
    mapping["water_pool"] = {"t1": 0.2, "t2": 0.069}  # 2 s of saturation are ten times T1
    mapping["mt_pool"] = {**mapping["mt_pool"], "lineshape": "Lorentzian", "t1": 0.2}
    tissue, timeline = tissue_from_mapping(mapping, "gel"), spinloom.read_sequence("mt_spectrum_3t")
    found = mt_series(timeline, tissue, spinloom.simulate(simulator="mt", sequence=timeline, tissue=tissue))
    f, k, r1 = 0.139, 23.0, 5.0
    far = np.flatnonzero(found.offset_hz > 20e3)
    for place in far:
        rate = float(found.rates[0, place])
        matrix = np.array([[r1 + k * f, -k], [-k * f, r1 + k + rate]])
        water, _ = np.linalg.solve(matrix, [r1, r1 * f])
        assert float(found.mz[place]) == pytest.approx(water, abs=2e-3)  # direct saturation, and 10 ms of recovery


def test_the_saturation_rate_is_w1_squared_times_the_line() -> None:
    mapping = load_mapping("wm_3t_stanisz2005_mt")
    mapping["mt_pool"] = {**mapping["mt_pool"], "lineshape": "Lorentzian", "dw": 0}
    tissue = tissue_from_mapping({**mapping, "rel_b1": [1.0, 0.5]}, "two")
    rates = saturation_rates(spinloom.read_sequence("mt_spectrum_3t"), tissue)
    assert rates.shape == (1, 2, 49)
    nutation, detuning = 2 * np.pi * PROTON_GAMMA_BAR * 2e-6, 2 * np.pi * 1000
    assert float(rates[0, 0, 17]) == pytest.approx(nutation**2 * 1e-5 / (1 + (detuning * 1e-5) ** 2), rel=1e-5)
    assert torch.allclose(rates[0, 1], rates[0, 0] / 4, rtol=1e-12)


def test_power_is_the_root_mean_square_of_what_saturates_and_zero_where_nothing_does() -> None:
    played = saturation_rms(spinloom.read_sequence("mrf_larginine_9p4t")) / (PROTON_GAMMA_BAR * MICROTESLA)
    schedule = spinloom.read_sequence("mrf_larginine_9p4t").definitions["B1pa"]
    np.testing.assert_allclose(played, schedule, rtol=1e-5)
    train = saturation_rms(spinloom.read_sequence("aptw_3t_36pulses")) / (PROTON_GAMMA_BAR * MICROTESLA)
    np.testing.assert_allclose(train * np.sqrt(50 / 55), 1.9962, rtol=1e-4)  # the protocol counts the pauses of 5 ms in


def test_a_power_series_is_told_from_a_schedule() -> None:
    assert series(*SERIES).is_power_series
    assert not series(*SCHEDULE).is_power_series
    assert [power for power, _ in series(*SERIES).powers()] == [1.0, 2.0, 4.0]


def test_a_series_reports_curves_and_a_table_of_w_by_offset_and_power() -> None:
    picture, table = mt_section(series(*SERIES), spinloom.read_tissue(SERIES[1])).blocks
    assert isinstance(picture, spinloom.Picture)
    assert b"MTR" in picture.image
    assert isinstance(table, spinloom.Table)
    assert table.columns == ("Offset [kHz]", "W at 1 µT", "W at 2 µT", "W at 4 µT")
    assert len(table.rows) == 16


def test_a_schedule_reports_a_row_a_measurement() -> None:
    (table,) = mt_section(series(*SCHEDULE), spinloom.read_tissue(SCHEDULE[1])).blocks
    assert isinstance(table, spinloom.Table)
    assert table.columns == ("Measurement", "Offset [ppm]", "B1 RMS [µT]", "W of mt [1/s]", "Mz")
    assert [row[:3] for row in table.rows[:2]] == [("1", "8", "2"), ("2", "6", "2")]
    assert len(table.rows) == 30


def test_its_section_follows_the_signal_in_the_report_of_a_run(tmp_path: Path, monkeypatch) -> None:
    from click.testing import CliRunner

    from spinloom.cli import root

    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(root, ["simulate", "experiment=mt_spectrum", "tracking=off", "output=out"])
    assert done.exit_code == 0, done.output
    page = Path("out/report.html").read_text()
    headings = [part.split("<")[0].split(">")[1] for part in page.split("<h2")[1:]]
    assert headings[:3] == ["Series of Z-spectra", "Magnetisation transfer", "Sequence"]
