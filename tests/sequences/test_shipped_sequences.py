"""The sequences that Spinloom ships: each is what its script writes, and plays what its protocol says."""

from __future__ import annotations

import hashlib
import runpy
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from spinloom.sequence.read import read_sequence, sequence_names
from spinloom.sequence.rf_facts import rf_facts
from spinloom.sequence.saturation import measurement_span, saturation_offsets
from spinloom.sequence.timeline import RfEvent, Timeline
from spinloom.units import MICROTESLA, PPM, PROTON_GAMMA_BAR

FOLDER = Path(__file__).parents[2] / "sequences" / "cest"
NAMES = ("aptw_3t_36pulses", "aptw_3t_block", "mrf_larginine_9p4t", "mrf_mt_7t", "mt_spectrum_3t", "wasabi_3t")

SIX_DIGITS = 5e-6
"""What a frequency may lose when pypulseq writes it with six significant digits, relative to it."""


@dataclass(frozen=True)
class Play:
    """An RF pulse as it is played, from `start` to `stop` [s]."""

    start: float
    stop: float
    event: RfEvent


def plays(timeline: Timeline) -> list[Play]:
    """The RF of a timeline in playing order."""
    found = []
    for block in timeline.blocks():
        if block.rf is not None:
            start = block.start + block.rf.delay
            found.append(Play(start, start + timeline.waveforms[block.rf.waveform].duration, block.rf))
    return found


def signal_times(timeline: Timeline) -> np.ndarray:
    """When each ADC event begins [s], which is when a marker's signal is taken."""
    return np.array([block.start + block.adc.delay for block in timeline.blocks() if block.adc is not None])


def offsets_ppm(timeline: Timeline) -> np.ndarray:
    larmor = timeline.definitions["FREQ"] * 1e6
    return saturation_offsets(timeline, larmor) / (larmor * PPM)


def test_every_shipped_file_is_known_by_its_stem() -> None:
    assert set(NAMES) <= set(sequence_names())
    assert sorted(path.stem for path in FOLDER.glob("*.seq")) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_its_script_writes_the_same_bytes_again(name: str, tmp_path: Path) -> None:
    for script in FOLDER.glob("*.py"):
        shutil.copy(script, tmp_path)
    subprocess.run(
        [sys.executable, str(tmp_path / f"{name}.py")], cwd="/", check=True, timeout=120, capture_output=True
    )
    assert (tmp_path / f"{name}.seq").read_bytes() == (FOLDER / f"{name}.seq").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_timing_rules_of_pulseq(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    for helper in ("blocks", "fingerprint"):
        monkeypatch.delitem(sys.modules, helper, raising=False)
    sound, errors = runpy.run_path(str(FOLDER / f"{name}.py"))["build"]().check_timing()
    assert sound, errors


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_and_its_signature_holds(name: str) -> None:
    content = (FOLDER / f"{name}.seq").read_bytes()
    signed, signature = content.split(b"\n[SIGNATURE]\n")
    assert len(content) < 300_000
    assert f"Hash {hashlib.md5(signed).hexdigest()}".encode() in signature


@pytest.mark.parametrize("name", NAMES)
def test_its_definitions_say_what_it_plays(name: str) -> None:
    timeline = read_sequence(name)
    stated = timeline.definitions
    assert stated["seq_id_string"] == name
    assert stated["num_meas"] == (timeline.block_adc >= 0).sum() == len(stated["offsets_ppm"])
    assert stated["FREQ"] == pytest.approx(stated["B0"] * PROTON_GAMMA_BAR * 1e-6, rel=1e-9)
    played = offsets_ppm(timeline)
    heard = ~np.isnan(played)
    np.testing.assert_allclose(played[heard], np.array(stated["offsets_ppm"])[heard], rtol=SIX_DIGITS, atol=1e-9)
    assert timeline.duration == pytest.approx(stated["TotalDuration"], abs=1e-9)


@pytest.mark.parametrize("name", ["aptw_3t_36pulses", "aptw_3t_block"])
def test_aptw_takes_the_spectrum_from_minus_4_to_4_ppm(name: str) -> None:
    expected = np.concatenate([[-300.0], np.arange(-4, 4.01, 0.25)])
    np.testing.assert_allclose(offsets_ppm(read_sequence(name)), expected, rtol=SIX_DIGITS, atol=1e-9)


def test_wasabi_takes_the_spectrum_from_minus_2_to_2_ppm() -> None:
    expected = np.concatenate([[-300.0], np.arange(-2, 2.01, 0.05)])
    np.testing.assert_allclose(offsets_ppm(read_sequence("wasabi_3t")), expected, rtol=SIX_DIGITS, atol=1e-9)


def test_the_train_has_the_published_amplitudes() -> None:
    """Mean 1.78 uT over a pulse, root mean square 1.9962 uT over pulses and pauses (specified to four decimals)."""
    timeline = read_sequence("aptw_3t_36pulses")
    (pulse,) = rf_facts(timeline).pulses
    duty_cycle = 0.05 / 0.055
    assert pulse.b1_mean_ut == pytest.approx(1.78, abs=1e-5)
    assert pulse.b1_rms_ut * np.sqrt(duty_cycle) == pytest.approx(1.9962, abs=5e-5)
    assert timeline.definitions["B1rms"] == pytest.approx(1.9962, abs=5e-5)


def test_the_pulse_is_a_raised_cosine_sinc_of_500_cells() -> None:
    (waveform,) = read_sequence("aptw_3t_36pulses").waveforms
    time = (np.cumsum(waveform.durations) - waveform.durations / 2) / 0.05 - 0.5
    shape = (0.85 + 0.15 * np.cos(2 * np.pi * time)) * np.sinc(2 * time)
    np.testing.assert_allclose(waveform.durations, 1e-4, rtol=1e-9)
    np.testing.assert_allclose(waveform.values, shape / shape.max(), atol=1e-6)
    assert waveform.exact


def test_the_train_is_36_pulses_5_ms_apart_after_3500_ms_of_recovery() -> None:
    timeline = read_sequence("aptw_3t_36pulses")
    pulses = np.array([(play.start, play.stop) for play in plays(timeline)]).reshape(34, 36, 2)
    np.testing.assert_allclose(pulses[..., 1] - pulses[..., 0], 0.05, atol=1e-9)
    np.testing.assert_allclose(pulses[:, 1:, 0] - pulses[:, :-1, 1], 0.005, atol=1e-9)
    begins = [measurement_span(timeline, number)[0] for number in range(1, 35)]
    np.testing.assert_allclose(pulses[:, 0, 0] - begins, 3.5, atol=1e-9)
    assert np.all(signal_times(timeline) - pulses[:, -1, 1] < 0.006)


def test_the_phase_of_a_train_goes_on_over_its_pulses_and_rests_in_the_pauses() -> None:
    timeline = read_sequence("aptw_3t_36pulses")
    phases = np.array([play.event.phase_offset for play in plays(timeline)]).reshape(34, 36)
    frequency = np.array(timeline.definitions["offsets_ppm"]) * PPM * 3 * PROTON_GAMMA_BAR
    expected = 2 * np.pi * frequency[:, None] * 0.05 * np.arange(36)
    np.testing.assert_allclose(np.exp(1j * phases), np.exp(1j * expected), atol=1e-5)


def test_the_block_pulse_of_two_seconds_stays_two_numbers() -> None:
    timeline = read_sequence("aptw_3t_block")
    (waveform,) = timeline.waveforms
    assert (waveform.durations.tolist(), waveform.values.tolist()) == ([2.0], [1.0])
    amplitudes = [play.event.amplitude for play in plays(timeline)]
    assert amplitudes == pytest.approx([2 * MICROTESLA * PROTON_GAMMA_BAR] * 34)


def test_wasabi_plays_5_ms_at_3700_nanotesla_and_recovers_longest_before_its_first_measurement() -> None:
    timeline = read_sequence("wasabi_3t")
    (pulse,) = rf_facts(timeline).pulses
    assert (pulse.duration, pulse.b1_peak_ut) == (pytest.approx(0.005), pytest.approx(3.7, rel=1e-5))
    begins = np.array([measurement_span(timeline, number)[0] for number in range(1, 83)])
    recovery = np.array([play.start for play in plays(timeline)]) - begins
    np.testing.assert_allclose(recovery, [12.0] + [3.0] * 81, atol=1e-9)


@pytest.mark.parametrize("name", ["aptw_3t_36pulses", "aptw_3t_block", "wasabi_3t"])
def test_a_spoiler_on_all_axes_stands_right_before_every_readout_and_nowhere_else(name: str) -> None:
    timeline = read_sequence(name)
    readouts = np.flatnonzero(timeline.block_adc >= 0)
    for axis in timeline.block_gradient:
        np.testing.assert_array_equal(np.flatnonzero(axis >= 0), readouts - 1)
    assert all(gradient.moment > 4000 for gradient in timeline.gradients)


@pytest.mark.parametrize(("name", "repetition"), [("mrf_larginine_9p4t", 4.0), ("mrf_mt_7t", 3.5)])
def test_a_fingerprint_repeats_evenly_and_never_spoils(name: str, repetition: float) -> None:
    timeline = read_sequence(name)
    assert timeline.duration == pytest.approx(30 * repetition, abs=1e-9)
    np.testing.assert_allclose(np.diff(signal_times(timeline)), repetition, atol=1e-9)
    assert (timeline.block_gradient < 0).all()


@pytest.mark.parametrize("name", ["mrf_larginine_9p4t", "mrf_mt_7t"])
def test_a_fingerprint_reads_20_ms_after_a_hard_pulse_of_60_degrees_on_resonance(name: str) -> None:
    timeline = read_sequence(name)
    readouts = [play for play in plays(timeline) if play.event.use == "excitation"]
    np.testing.assert_allclose(signal_times(timeline) - [play.stop for play in readouts], 0.020, atol=1e-9)
    (pulse,) = [pulse for pulse in rf_facts(timeline).pulses if pulse.use == "excitation"]
    assert pulse.flip_deg == pytest.approx(60, rel=1e-5)
    assert {play.event.frequency(1e8) for play in readouts} == {0.0}


@pytest.mark.parametrize(("name", "saturation"), [("mrf_larginine_9p4t", 3.0), ("mrf_mt_7t", 2.5)])
def test_a_fingerprint_saturates_with_the_amplitudes_of_its_schedule(name: str, saturation: float) -> None:
    timeline = read_sequence(name)
    schedule = timeline.definitions["B1pa"]
    pulses = [play for play in plays(timeline) if play.event.use == "saturation"]
    played = [play.event.amplitude / PROTON_GAMMA_BAR / MICROTESLA for play in pulses]
    assert played == pytest.approx([b1 for b1 in schedule if b1 > 0], rel=1e-5)
    np.testing.assert_allclose([play.stop - play.start for play in pulses], saturation, atol=1e-9)


def test_a_point_without_saturation_is_a_delay_and_has_no_offset() -> None:
    offsets = offsets_ppm(read_sequence("mrf_larginine_9p4t"))
    assert np.flatnonzero(np.isnan(offsets)).tolist() == [17]


def test_the_mt_series_plays_sixteen_offsets_at_each_of_three_amplitudes() -> None:
    timeline = read_sequence("mt_spectrum_3t")
    pulses = plays(timeline)
    np.testing.assert_allclose([play.stop - play.start for play in pulses], 2.0, atol=1e-9)
    amplitudes = [play.event.amplitude / PROTON_GAMMA_BAR / MICROTESLA for play in pulses]
    np.testing.assert_allclose(amplitudes, [1] + 16 * [1] + 16 * [2] + 16 * [4], rtol=1e-5)
    offsets = np.array([play.event.frequency(1e8) for play in pulses])
    assert offsets[0] == -200e3
    for first in (1, 17, 33):
        np.testing.assert_allclose(np.diff(np.log10(offsets[first : first + 16])), 2 / 15, atol=3e-4)
        assert (offsets[first], offsets[first + 15]) == (1e3, 1e5)
