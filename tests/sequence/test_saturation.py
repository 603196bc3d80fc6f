"""The span and the saturation offset of each measurement, against a loop that reads block by block."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spinloom.errors import SequenceError
from spinloom.sequence.saturation import measurement_span, saturation_offsets
from spinloom.sequence.timeline import Timeline
from spinloom.testing.timelines import MARKER, SPOILER, block_pulse, timeline_of

LARMOR = 127.7292e6


def with_uses(timeline: Timeline, *uses: str) -> Timeline:
    """The timeline with its RF events marked."""
    return replace(timeline, rf=tuple(replace(event, use=use) for event, use in zip(timeline.rf, uses, strict=True)))


def block_by_block(timeline: Timeline, larmor: float) -> list[float]:
    """The offsets by the definition, one block after the other."""
    offsets, energies = [], {}
    for block in timeline.blocks():
        if block.rf is not None and block.rf.amplitude:
            energy = block.rf.amplitude**2 * timeline.waveforms[block.rf.waveform].power
            frequency = block.rf.frequency(larmor)
            energies[frequency] = energies.get(frequency, 0.0) + energy
        if block.adc is not None:
            offsets.append(max(energies, key=lambda key: (energies[key], key)) if energies else np.nan)
            energies = {}
    return offsets


def test_the_frequency_of_most_energy_is_the_saturation() -> None:
    readout = block_pulse(1e-3, 250.0)
    first = [1.0, block_pulse(0.1, 80.0, 500.0), block_pulse(0.1, 80.0, 500.0), SPOILER, readout, MARKER]
    second = [1.0, block_pulse(0.1, 80.0, -300.0), readout, MARKER]
    timeline = timeline_of([*first, *second])
    assert saturation_offsets(timeline, LARMOR).tolist() == [500.0, -300.0]


@pytest.mark.parametrize("seed", range(5))
def test_thousands_of_random_blocks_agree_with_reading_block_by_block(seed: int) -> None:
    random = np.random.default_rng(seed)
    library = [
        block_pulse(0.1, amplitude, frequency) for amplitude in (0.0, 40.0, 90.0) for frequency in (-1e3, 0.0, 7.0)
    ]
    few = timeline_of([*library, MARKER])
    kinds = random.integers(-1, 10, 5000)
    timeline = replace(
        few,
        block_duration=np.full(kinds.size, 0.2),
        block_rf=np.where(kinds < 9, kinds, -1),
        block_adc=np.where(kinds == 9, 0, -1),
        block_gradient=np.full((3, kinds.size), -1),
        block_extension=np.full(kinds.size, -1),
    )
    np.testing.assert_allclose(saturation_offsets(timeline, LARMOR), block_by_block(timeline, LARMOR))


def test_offsets_in_ppm_follow_the_field() -> None:
    timeline = timeline_of([block_pulse(1.0, 80.0), MARKER])
    timeline = replace(timeline, rf=(replace(timeline.rf[0], frequency_ppm=3.5),))
    assert saturation_offsets(timeline, LARMOR)[0] == pytest.approx(3.5e-6 * LARMOR)
    assert saturation_offsets(timeline, 2 * LARMOR)[0] == pytest.approx(7e-6 * LARMOR)


@pytest.mark.parametrize("before", [[1.0], [1.0, block_pulse(1.0, 0.0, 400.0)]], ids=["no RF", "RF of no amplitude"])
def test_silence_has_no_offset(before: list) -> None:
    timeline = timeline_of([block_pulse(1.0, 80.0, 500.0), MARKER, *before, MARKER])
    np.testing.assert_array_equal(saturation_offsets(timeline, LARMOR), [500.0, np.nan])


def test_a_marked_readout_is_no_saturation() -> None:
    timeline = timeline_of([block_pulse(1.0, 80.0, 500.0), MARKER, block_pulse(1e-3, 250.0), MARKER])
    assert saturation_offsets(timeline, LARMOR).tolist() == [500.0, 0.0]
    marked = with_uses(timeline, "saturation", "excitation")
    np.testing.assert_array_equal(saturation_offsets(marked, LARMOR), [500.0, np.nan])


def test_a_file_that_marks_all_of_its_pulses_excitation_still_has_offsets() -> None:
    timeline = timeline_of([block_pulse(1.0, 80.0, 500.0), MARKER, block_pulse(1.0, 80.0, 600.0), MARKER])
    assert saturation_offsets(with_uses(timeline, "excitation", "excitation"), LARMOR).tolist() == [500.0, 600.0]


def test_a_pulse_after_the_readout_of_its_own_block_belongs_to_the_next_measurement() -> None:
    apart = timeline_of([block_pulse(1.0, 80.0, 500.0), MARKER])
    together = replace(
        apart,
        rf=(replace(apart.rf[0], delay=2e-3),),
        block_duration=np.array([1.1, 0.1]),
        block_rf=np.array([0, -1]),
        block_adc=np.array([0, 0]),
    )
    np.testing.assert_array_equal(saturation_offsets(together, LARMOR), [np.nan, 500.0])


@pytest.mark.parametrize("parts", [[1.0], [1.0, MARKER], [block_pulse(1.0, 80.0)]], ids=["delay", "ADC", "RF"])
def test_timelines_without_rf_or_adc_are_no_accident(parts: list) -> None:
    timeline = timeline_of(parts)
    assert np.isnan(saturation_offsets(timeline, LARMOR)).sum() == (timeline.block_adc >= 0).sum()


def test_measurements_follow_each_other_without_a_gap() -> None:
    timeline = timeline_of([1.0, MARKER, 2.0, MARKER, 0.5])
    first, second = measurement_span(timeline, 1), measurement_span(timeline, 2)
    assert (first, second) == (pytest.approx((0.0, 1.001)), pytest.approx((1.001, 3.002)))


@pytest.mark.parametrize("number", [0, 3, -1])
def test_a_measurement_that_is_not_there_is_refused_with_their_number(number: int) -> None:
    timeline = timeline_of([1.0, MARKER, 2.0, MARKER])
    with pytest.raises(SequenceError, match=f"no measurement {number}; it has 1 to 2"):
        measurement_span(timeline, number)


def test_a_timeline_that_samples_nothing_says_so() -> None:
    with pytest.raises(SequenceError, match="nothing is sampled"):
        measurement_span(timeline_of([1.0]), 1)
