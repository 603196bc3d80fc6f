"""The timeline says what pypulseq's own blocks say, event by event, for files of version 1.5 and 1.4.1."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pypulseq as pp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spinloom.sequence.read import read_sequence
from spinloom.sequence.timeline import Block, Label, SoftDelay, Timeline, Trigger

SYSTEM = pp.Opts(
    max_grad=80, grad_unit="mT/m", max_slew=200, slew_unit="T/m/s", rf_dead_time=100e-6, rf_ringdown_time=60e-6,
    adc_dead_time=20e-6, B0=3.0,
)  # fmt: skip
LARMOR = SYSTEM.gamma * SYSTEM.B0

ON_RASTER = pp.make_delay(3e-3)
"""Blocks last whole rasters of 10 us, whatever the length of their pulse."""

Blocks = list[tuple[Any, ...]]


def block_pulses() -> Blocks:
    short = pp.make_block_pulse(0.3, duration=1e-4, system=SYSTEM, use="excitation", delay=1e-4)
    long = pp.make_block_pulse(3.0, duration=2.0, freq_offset=-400.0, phase_offset=1.0, system=SYSTEM, delay=1e-4)
    return [(short,), (long,), (short,)]


def shaped_pulses() -> Blocks:
    sinc, gz, gzr = pp.make_sinc_pulse(
        0.5, duration=2e-3, slice_thickness=4e-3, return_gz=True, system=SYSTEM, use="excitation", delay=2e-4
    )
    gauss = pp.make_gauss_pulse(3.0, duration=5e-3, freq_offset=440.0, phase_offset=2.0, system=SYSTEM, delay=1e-4)
    return [(sinc, gz), (gzr,), (gauss,), (sinc, gz)]


def adiabatic_pulses() -> Blocks:
    pulse = pp.make_adiabatic_pulse("hypsec", duration=8e-3, system=SYSTEM, use="inversion", delay=1e-4)
    return [(pulse,)]


def arbitrary_pulses() -> Blocks:
    signal = np.array([0.1, 0.4, -0.2j, 0.9, 0.9, 0.9, -0.3, 0.05])
    fine = pp.make_arbitrary_rf(signal, 0.7, system=SYSTEM, delay=1.3e-4)
    coarse = pp.make_arbitrary_rf(signal, 0.7, dwell=250e-6, system=SYSTEM, delay=1e-4)
    uneven = pp.make_arbitrary_rf(signal, 0.7, dwell=2.5e-6, system=SYSTEM, delay=1e-4)
    return [(pulse, ON_RASTER) for pulse in (fine, coarse, uneven)]


def pulses_with_points_in_time() -> Blocks:
    pulse = pp.make_arbitrary_rf(np.array([0.2, 1.0, 1.0j, 0.4]), 0.7, system=SYSTEM, delay=1e-4)
    pulse.t = np.array([0.0, 10.5, 40.0, 50.25]) * 1e-6
    pulse.shape_dur = 51e-6
    later = pp.make_arbitrary_rf(np.array([0.2, 1.0, 0.4]), 0.7, system=SYSTEM, delay=1e-4)
    later.t = np.array([7.0, 8.0, 20.0]) * 1e-6
    later.shape_dur = 20e-6
    return [(pulse, ON_RASTER), (later, ON_RASTER)]


def pulses_relative_to_the_field() -> Blocks:
    pulse = pp.make_gauss_pulse(
        3.0, duration=5e-3, freq_ppm=3.5, phase_ppm=0.1, freq_offset=10.0, system=SYSTEM, delay=1e-4, use="saturation"
    )
    adc = pp.make_adc(8, dwell=1e-4, delay=1e-4, freq_ppm=-2.0, phase_ppm=0.2, freq_offset=5.0, system=SYSTEM)
    return [(pulse,), (adc,)]


def trapezoids() -> Blocks:
    x = pp.make_trapezoid("x", area=500.0, duration=2e-3, system=SYSTEM)
    y = pp.make_trapezoid(
        "y", amplitude=-4e5, flat_time=5e-4, rise_time=2e-4, fall_time=3e-4, delay=1e-4, system=SYSTEM
    )
    z = pp.make_trapezoid("z", area=-20.0, system=SYSTEM)
    return [(x, y, z), (x,), (z, y)]


def extended_gradients() -> Blocks:
    first = pp.make_extended_trapezoid("x", amplitudes=np.array([0, 2e5, 1e5]), times=np.array([0, 2e-4, 1e-3]))
    second = pp.make_extended_trapezoid("x", amplitudes=np.array([1e5, 1e5, 0]), times=np.array([0, 3e-4, 5e-4]))
    delayed = pp.make_extended_trapezoid("y", amplitudes=np.array([0, 1e5, 0]), times=np.array([1e-4, 3e-4, 5e-4]))
    return [(first,), (second, delayed)]


def arbitrary_gradients() -> Blocks:
    wave = 1e5 * np.sin(np.linspace(0.05, 3.0, 60))
    one = pp.make_arbitrary_grad("x", wave, system=SYSTEM, first=0.0, last=1e5 * np.sin(3.05))
    other = pp.make_arbitrary_grad("x", wave[::-1] * 0.3, system=SYSTEM, first=1e5 * np.sin(3.05), last=0.0)
    late = pp.make_arbitrary_grad("z", 0.5 * wave, delay=1e-4, system=SYSTEM, first=0.0, last=0.0)
    return [(one,), (other, late)]


def oversampled_gradients() -> Blocks:
    wave = 1e5 * np.sin(np.linspace(0, np.pi, 83))[1:-1]
    return [(pp.make_arbitrary_grad("y", wave, oversampling=True, system=SYSTEM, first=0.0, last=0.0),)]


def readouts() -> Blocks:
    plain = pp.make_adc(64, duration=3.2e-3, delay=1e-4, freq_offset=123.0, phase_offset=0.3, system=SYSTEM)
    single = pp.make_adc(1, duration=1e-3, delay=2e-5, system=SYSTEM)
    return [(plain,), (single,), (plain, pp.make_trapezoid("x", flat_area=100.0, flat_time=4e-3, system=SYSTEM))]


def labels_and_triggers() -> Blocks:
    adc = pp.make_adc(4, dwell=1e-4, delay=2e-5, system=SYSTEM)
    labels = [pp.make_label("SLC", "SET", 4), pp.make_label("LIN", "INC", -2), pp.make_label("NAV", "SET", 1)]
    trigger = pp.make_trigger("physio2", delay=1e-4, duration=3e-3)
    output = pp.make_digital_output_pulse("ext1", delay=2e-4, duration=1e-3)
    return [(adc, *labels), (trigger,), (output, adc, labels[0]), (pp.make_delay(1e-2),)]


CASES: dict[str, Callable[[], Blocks]] = {
    case.__name__.replace("_", " "): case
    for case in (
        block_pulses, shaped_pulses, adiabatic_pulses, arbitrary_pulses, pulses_with_points_in_time,
        pulses_relative_to_the_field, trapezoids, extended_gradients, arbitrary_gradients, oversampled_gradients,
        readouts, labels_and_triggers,
    )
}  # fmt: skip


def write(blocks: Blocks, path: Path, older: bool) -> Path:
    sequence = pp.Sequence(SYSTEM)
    for events in blocks:
        sequence.add_block(*events)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sequence.write(str(path), v141_compat=older, remove_duplicates=False)  # which fails on oversampled gradients
    return path


def read_by_pypulseq(path: Path) -> pp.Sequence:
    sequence = pp.Sequence(SYSTEM)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sequence.read(str(path), detect_rf_use=False, remove_duplicates=False)
    return sequence


def assert_same(timeline: Timeline, sequence: pp.Sequence) -> None:
    numbers = list(sequence.block_events)
    assert len(timeline) == len(numbers)
    for block, number in zip(timeline.blocks(), numbers, strict=True):
        expected = sequence.get_block(number)
        assert block.duration == pytest.approx(expected.block_duration, rel=1e-12)
        assert_same_rf(timeline, block, expected.rf)
        for axis in "xyz":
            assert_same_gradient(block, axis, getattr(expected, f"g{axis}"))
        assert_same_readout(block, expected.adc)
        assert_same_extensions(block, expected)
    assert timeline.duration == pytest.approx(sequence.duration()[0], rel=1e-12)


def assert_same_rf(timeline: Timeline, block: Block, expected: SimpleNamespace | None) -> None:
    assert (block.rf is None) == (expected is None)
    if block.rf is None or expected is None:
        return
    offsets = (block.rf.delay, block.rf.frequency_offset, block.rf.phase_offset, block.rf.frequency_ppm)
    assert offsets == (expected.delay, expected.freq_offset, expected.phase_offset, expected.freq_ppm)
    assert (block.rf.phase_ppm, block.rf.use) == (expected.phase_ppm, expected.use)
    waveform = timeline.waveforms[block.rf.waveform]
    middles = np.cumsum(waveform.durations) - waveform.durations / 2
    dwell = 2 * expected.t[0]
    if np.allclose(expected.t, (np.arange(expected.t.size) + 0.5) * dwell, rtol=0, atol=1e-12):
        envelope = expected.signal[np.floor(middles / dwell).astype(int)]
        length = expected.t.size * dwell
    else:
        envelope = np.interp(middles, expected.t, expected.signal, left=0, right=0)
        length = expected.shape_dur
    np.testing.assert_allclose(
        block.rf.amplitude * waveform.values, envelope, rtol=0, atol=1e-9 * abs(block.rf.amplitude)
    )
    assert waveform.duration == pytest.approx(length, rel=1e-12)
    if waveform.exact or timeline.version >= (1, 5, 0):  # an old file's peak between points depends on their joining
        assert block.rf.centre == pytest.approx(expected.center, abs=1e-6)  # files round it to a microsecond


def assert_same_gradient(block: Block, axis: str, expected: SimpleNamespace | None) -> None:
    assert (axis in block.gradients) == (expected is not None)
    if expected is None:
        return
    gradient = block.gradients[axis]
    times, values = gradient.points()
    if expected.type == "trap":
        ramps = np.cumsum([0.0, expected.rise_time, expected.flat_time, expected.fall_time])
        np.testing.assert_allclose(times, expected.delay + ramps, rtol=1e-12)
        np.testing.assert_allclose(values, expected.amplitude * np.array([0, 1, 1, 0]))
        assert gradient.moment == pytest.approx(expected.area)
        return
    inner = slice(None) if gradient.timing is not None else slice(1, -1)
    np.testing.assert_allclose(times[inner], expected.delay + expected.tt, rtol=1e-12)
    np.testing.assert_allclose(values[inner], expected.waveform, rtol=1e-12, atol=1e-9 * abs(gradient.amplitude))
    if gradient.timing is not None:
        assert gradient.moment == pytest.approx(expected.area)
    if not gradient.oversampled:
        np.testing.assert_allclose(
            [gradient.first, gradient.last], [expected.first, expected.last], rtol=1e-9, atol=1e-3
        )


def assert_same_readout(block: Block, expected: SimpleNamespace | None) -> None:
    assert (block.adc is None) == (expected is None)
    if block.adc is None or expected is None:
        return
    times = expected.delay + (np.arange(expected.num_samples) + 0.5) * expected.dwell
    np.testing.assert_allclose(block.adc.sample_times(), times, rtol=1e-12)
    offsets = (block.adc.frequency_offset, block.adc.phase_offset, block.adc.frequency_ppm, block.adc.phase_ppm)
    assert offsets == (expected.freq_offset, expected.phase_offset, expected.freq_ppm, expected.phase_ppm)
    phases = block.adc.phase_shape.samples() if block.adc.phase_shape is not None else np.zeros(0)
    np.testing.assert_allclose(phases, expected.phase_modulation, atol=1e-9)


def assert_same_extensions(block: Block, expected: SimpleNamespace) -> None:
    labels = [(item.name, item.value, item.increment) for item in block.extensions if isinstance(item, Label)]
    theirs = expected.label.values() if expected.label is not None else ()
    assert labels == [(label.label, label.value, label.type == "labelinc") for label in theirs]
    triggers = [item for item in block.extensions if isinstance(item, Trigger)]
    theirs = list(getattr(expected, "trigger", {}).values())[::-1]
    assert [item.kind for item in triggers] == [trigger.type for trigger in theirs]
    times = [(item.delay, item.duration) for item in triggers]
    np.testing.assert_allclose(times, [(trigger.delay, trigger.duration) for trigger in theirs], rtol=1e-12)
    delays = [
        (item.number, item.offset, item.factor, item.hint) for item in block.extensions if isinstance(item, SoftDelay)
    ]
    soft = expected.soft_delay
    assert delays == ([(soft.numID, soft.offset, soft.factor, soft.hint)] if soft is not None else [])


@pytest.mark.parametrize("older", [False, True], ids=["version 1.5", "version 1.4.1"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_timeline_holds_what_pypulseq_reads(case: Callable[[], Blocks], older: bool, tmp_path: Path) -> None:
    path = write(case(), tmp_path / "case.seq", older)
    timeline = read_sequence(path)
    assert timeline.version == ((1, 4, 1) if older else (1, 5, 0))
    assert_same(timeline, read_by_pypulseq(path))


def test_phases_of_samples_and_soft_delays_of_version_1_5_are_those_that_pypulseq_reads(tmp_path: Path) -> None:
    modulated = pp.make_adc(
        6, dwell=1e-4, delay=2e-5, phase_modulation=np.array([0, 0.5, 1.1, 2.5, 3.0, 3.1]), system=SYSTEM
    )
    soft = pp.make_soft_delay("TE", offset=-2e-3, factor=2, default_duration=5e-3)
    path = write([(modulated,), (soft,)], tmp_path / "case.seq", older=False)
    timeline = read_sequence(path)
    assert_same(timeline, read_by_pypulseq(path))
    assert timeline.block(1).extensions == (SoftDelay(0, -2e-3, 2.0, "TE"),)


def test_offsets_in_ppm_are_those_that_pypulseq_writes_in_hertz_for_its_field(tmp_path: Path) -> None:
    newer, older = (
        read_sequence(write(pulses_relative_to_the_field(), tmp_path / f"{version}.seq", older=version == "1.4.1"))
        for version in ("1.5", "1.4.1")
    )
    for ours, theirs in ((newer.rf[0], older.rf[0]),):
        assert theirs.frequency_ppm == theirs.phase_ppm == 0
        assert ours.frequency(LARMOR) == pytest.approx(theirs.frequency_offset, rel=1e-5)
        assert ours.phase(LARMOR) == pytest.approx(theirs.phase_offset, rel=1e-5)


def test_sample_times_of_a_whole_sequence_are_pypulseqs(tmp_path: Path) -> None:
    path = write(readouts() + block_pulses() + readouts(), tmp_path / "case.seq", older=False)
    timeline, sequence = read_sequence(path), read_by_pypulseq(path)
    ours = np.concatenate([block.start + block.adc.sample_times() for block in timeline.blocks() if block.adc])
    np.testing.assert_allclose(ours, sequence.adc_times()[0], rtol=1e-12)
    assert timeline.adc_samples == ours.size


def test_a_block_pulse_stays_one_segment_however_long(tmp_path: Path) -> None:
    timeline = read_sequence(write(block_pulses(), tmp_path / "case.seq", older=False))
    assert [waveform.durations.tolist() for waveform in timeline.waveforms] == [
        [pytest.approx(1e-4)],
        [pytest.approx(2.0)],
    ]
    assert all(waveform.exact for waveform in timeline.waveforms)


def test_an_event_that_repeats_is_decoded_once(tmp_path: Path) -> None:
    timeline = read_sequence(write(shaped_pulses() * 20, tmp_path / "case.seq", older=False))
    assert (len(timeline), len(timeline.waveforms), len(timeline.rf), len(timeline.gradients)) == (80, 2, 2, 2)


@st.composite
def small_sequences(draw: st.DrawFn) -> Blocks:
    """One to six blocks of events drawn from the cases above, and delays."""
    pool = [
        events
        for case in (block_pulses, shaped_pulses, arbitrary_pulses, pulses_with_points_in_time, trapezoids, readouts)
        for events in case()
    ]
    pulses = st.builds(
        lambda flip, tens, offset, phase: (
            pp.make_block_pulse(
                flip, duration=tens * 1e-5, freq_offset=offset, phase_offset=phase, delay=1e-4, system=SYSTEM
            ),
        ),
        st.floats(0.01, 6), st.integers(1, 10**6), st.floats(-1e4, 1e4), st.floats(-7, 7),
    )  # fmt: skip
    delays = st.integers(1, 10**6).map(lambda rasters: (pp.make_delay(rasters * 1e-5),))
    return draw(st.lists(st.one_of(st.sampled_from(pool), pulses, delays), min_size=1, max_size=6))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(blocks=small_sequences(), older=st.booleans())
def test_any_small_sequence_is_read_as_pypulseq_reads_it(
    blocks: Blocks, older: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(blocks, tmp_path_factory.mktemp("small") / "case.seq", older)
    assert_same(read_sequence(path), read_by_pypulseq(path))
