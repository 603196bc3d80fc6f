"""Files of version 1.2 and 1.3, written by hand: delays by id, durations by the longest event, compressed shapes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spinloom.sequence.read import read_sequence
from spinloom.sequence.timeline import Timeline

Write = Callable[[str], Path]

OLD = """# Pulseq sequence file
[VERSION]
major 1
minor {minor}
revision {revision}

[BLOCKS]
{blocks}

[RF]
1  250 1 2 100 -300 0.5
2  500 3 0 0 0 0

[GRADIENTS]
4  1000 4 20

[TRAP]
1  25000 30 940 30 100
2  0 0 1000 0 0

[ADC]
1 16 50000 10 20 0.1

[DELAYS]
1 5000
2 50

[SHAPES]

Shape_ID 1
Num_Uncompressed 4
1
0
0
1

shape_id 2
num_samples 4
0
0
2

shape_id 3
num_samples 5
0.5
0.5
0
0
0
1

shape_id 4
num_samples 3
1
-0.5
-0.25
"""

BLOCKS_13 = """1 1 0 0 0 0 0 0
2 0 1 0 0 0 0 0
3 2 2 1 0 0 0 0
4 0 0 4 4 2 1 0
5 1 2 0 0 0 0 0"""
BLOCKS_12 = "\n".join(line.rsplit(" ", 1)[0] for line in BLOCKS_13.splitlines())


@pytest.fixture(params=["1.2.0", "1.2.1", "1.3.0", "1.3.1"])
def old(request: pytest.FixtureRequest, seq_file: Write) -> Timeline:
    """The same sequence in each old version; before 1.2.2 blocks have no column of extensions."""
    _, minor, revision = request.param.split(".")
    blocks = BLOCKS_12 if minor == "2" else BLOCKS_13
    return read_sequence(seq_file(OLD.format(minor=minor, revision=revision, blocks=blocks)))


def test_a_block_lasts_as_long_as_its_delay_or_its_longest_event(old: Timeline) -> None:
    readout = 10e-6 + 16 * 50e-6
    np.testing.assert_allclose(old.block_duration, [5e-3, 104e-6, 1100e-6, max(readout, 1e-3), 5e-3], rtol=1e-12)


def test_rf_events_have_their_delay_offsets_and_amplitude(old: Timeline) -> None:
    first, second = old.rf
    assert (first.amplitude, first.frequency_offset, first.phase_offset) == (250, -300, 0.5)
    assert first.delay == pytest.approx(1e-4, rel=1e-12)
    assert (second.amplitude, second.delay, first.use, first.frequency_ppm) == (500, 0, "undefined", 0)


def test_a_shape_of_as_many_numbers_as_samples_is_compressed_all_the_same(old: Timeline) -> None:
    """Four equal samples; pypulseq 1.5.0 fails on such a file with a TypeError."""
    waveform = old.waveforms[0]
    np.testing.assert_allclose(waveform.durations, [4e-6])
    np.testing.assert_allclose(waveform.values, [1.0])


def test_phase_shape_zero_means_no_phase(old: Timeline) -> None:
    waveform = old.waveforms[old.rf[1].waveform]
    np.testing.assert_allclose(waveform.values, [0.5, 1.0], atol=1e-15)
    np.testing.assert_allclose(waveform.durations, [1e-6, 4e-6])


def test_arbitrary_gradients_start_from_rest_and_end_on_their_line(old: Timeline) -> None:
    times, values = old.block(3).gradients["x"].points()
    np.testing.assert_allclose(times, 20e-6 + np.array([0, 5, 15, 25, 30]) * 1e-6)
    np.testing.assert_allclose(values, [0, 1000, 500, 250, 125])


def test_a_trapezoid_of_amplitude_zero_without_ramps_is_repaired_as_pypulseq_does(old: Timeline) -> None:
    gradient = old.block(3).gradients["z"]
    assert gradient.knots == pytest.approx((0, 1e-5, 99e-5, 1e-3))
    assert gradient.moment == 0


def test_a_repaired_trapezoid_never_lasts_a_negative_time(seq_file: Write) -> None:
    """pypulseq takes a ramp of 10 us from the flat time, even where that is shorter."""
    text = OLD.format(minor=3, revision=1, blocks=BLOCKS_13).replace("2  0 0 1000 0 0", "2  0 0 5 0 0")
    knots = read_sequence(seq_file(text)).block(3).gradients["z"].knots
    assert knots is not None
    assert list(knots) == sorted(knots)


def test_readouts_have_their_delay_and_dwell(old: Timeline) -> None:
    adc = old.block(3).adc
    assert adc is not None
    assert (adc.samples, adc.dwell, adc.delay) == (16, pytest.approx(50e-6), pytest.approx(1e-5))
    assert (adc.frequency_offset, adc.phase_offset) == (20, 0.1)


def test_a_trigger_holds_its_block_before_version_1_4(seq_file: Write) -> None:
    text = OLD.format(minor=3, revision=1, blocks=BLOCKS_13.replace("5 1 2 0 0 0 0 0", "5 1 2 0 0 0 0 1"))
    text += "\n[EXTENSIONS]\n1 1 1 0\n\nextension TRIGGERS 1\n1 2 1 500 9000\n"
    assert read_sequence(seq_file(text)).block_duration[-1] == pytest.approx(9.5e-3)


def test_rasters_default_to_those_of_the_format(old: Timeline) -> None:
    assert (old.rasters.rf, old.rasters.gradient, old.rasters.adc) == (1e-6, 1e-5, 1e-7)
