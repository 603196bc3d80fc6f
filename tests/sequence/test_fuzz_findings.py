"""Files that once broke the reader, or that small text makes enormous; each with its story."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spinloom.errors import SequenceError
from spinloom.sequence.read import read_sequence

Write = Callable[[str], Path]

HEAD = "[VERSION]\nmajor 1\nminor {minor}\nrevision 0\n\n[BLOCKS]\n1 {first} {rf} {gradient} 0 0 {adc} 0\n\n"


def text(*parts: str, minor: int = 3, first: int = 0, rf: int = 0, gradient: int = 0, adc: int = 0) -> str:
    """A file of one block with these sections."""
    return HEAD.format(minor=minor, first=first, rf=rf, gradient=gradient, adc=adc) + "\n".join(parts)


def shapes(*stored: tuple[int, str]) -> str:
    """A [SHAPES] section: `num_samples` and numbers of each shape, with ids from 1."""
    entries = (
        f"shape_id {key}\nnum_samples {size}\n" + "\n".join(numbers.split())
        for key, (size, numbers) in enumerate(stored, 1)
    )
    return "[SHAPES]\n\n" + "\n\n".join(entries) + "\n"


def test_a_file_without_shapes_is_read(seq_file: Write) -> None:
    """Pairing the begins of shapes with their ends once failed on none at all."""
    timeline = read_sequence(seq_file(text("[TRAP]\n1 100 10 10 10 0\n", minor=4, first=3, gradient=1)))
    assert timeline.gradients[0].moment == pytest.approx(100 * 20e-6)


def test_a_pulse_of_no_length_is_refused(seq_file: Write) -> None:
    """A first point at 0 and a second one within rounding of it once passed for cells of length 0."""
    file = text("[RF]\n1 100 1 0 2 0 0 0\n", shapes((2, "1 1"), (2, "0 1e-9")), minor=4, first=1, rf=1)
    with pytest.raises(SequenceError, match="RF event 1 has a time shape that does not rise from 0"):
        read_sequence(seq_file(file))


def test_a_text_for_a_raster_is_refused(seq_file: Write) -> None:
    """pypulseq multiplies block durations with whatever stands there."""
    file = text(minor=4, first=1).replace("[BLOCKS]", "[DEFINITIONS]\nBlockDurationRaster ten\n\n[BLOCKS]")
    with pytest.raises(SequenceError, match="the definition BlockDurationRaster is 'ten'"):
        read_sequence(seq_file(file))


USE = """
import resource, sys
from spinloom.errors import SequenceError
from spinloom.sequence.read import read_sequence
from spinloom.sequence.steps import step_program
import pypulseq

def use(timeline):
    [waveform.area for waveform in timeline.waveforms]
    [gradient.moment for gradient in timeline.gradients]
    [adc.sample_times() for adc in timeline.adcs]
    step_program(timeline)
    return timeline.duration

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print("read, lasts", use(read_sequence(sys.argv[1])))
except SequenceError as error:
    print("refused,", error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""

GIANTS = {
    "a flat pulse of 10^14 samples": (
        text("[RF]\n1 100 1 0 0 0 0\n", shapes((10**14, "1 0 0 99999999999997")), rf=1),
        "read, lasts 1000000",
    ),
    "a sloped pulse of 10^12 samples": (
        text("[RF]\n1 100 1 0 0 0 0\n", shapes((10**12, "1e-12 1e-12 999999999998")), rf=1),
        "expands to 1,000,000,000,000 samples",
    ),
    "a pulse whose two points lie 10^12 rasters apart": (
        text("[RF]\n1 100 1 0 2 0 0 0\n", shapes((2, "0 1"), (2, "0 1e12")), minor=4, first=10**11, rf=1),
        "expands to 999,999,999,999 samples",
    ),
    "a sloped gradient of 10^10 samples": (
        text("[GRADIENTS]\n1 100 1 0\n", shapes((10**10, "1e-9 1e-9 9999999998")), gradient=1),
        "expands to 10,000,000,000 samples",
    ),
    "a flat gradient of 10^10 samples": (
        text("[GRADIENTS]\n1 100 1 0\n", shapes((10**10, "1 0 0 9999999997")), gradient=1),
        "expands to 10,000,000,000 samples",
    ),
    "a readout of 10^9 samples": (text("[ADC]\n1 1000000000 1000 0 0 0\n", adc=1), "takes 1,000,000,000 samples"),
    "a readout of 4 million samples": (text("[ADC]\n1 4000000 1000 0 0 0\n", adc=1), "takes 4,000,000 ADC samples"),
    "a thousand pulses of a million samples": (
        text(
            "[RF]\n" + "\n".join(f"{key} 100 1 {key + 1} 0 0 0" for key in range(1, 1001)) + "\n",
            shapes((10**6, "1e-6 1e-6 999998"), *[(10**6, f"1e-{9 + key % 5} 0 0 999997") for key in range(1000)]),
            rf=1,
        ),
        "at most",
    ),
    "the longest sloped pulse that is read": (
        text("[RF]\n1 100 1 0 0 0 0\n", shapes((4 * 10**6, "1e-7 1e-7 3999998")), rf=1),
        "read, lasts 4",
    ),
    "a block of 10^15 rasters": (text(minor=4, first=10**15 - 1), "read, lasts 9999999999"),
    "amplitudes of 10^15": (
        text("[RF]\n1 1e15 1 0 0 0 0\n", shapes((4, "1e15 1e15 2")), rf=1),
        "read, lasts 4e-06",
    ),
}  # fmt: skip


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is in kilobytes on Linux alone")
@pytest.mark.parametrize(("file", "answer"), GIANTS.values(), ids=GIANTS.keys())
def test_small_text_of_giant_meaning_takes_neither_the_memory_nor_the_day(
    file: str, answer: str, seq_file: Write
) -> None:
    run = subprocess.run([sys.executable, "-c", USE, seq_file(file)], capture_output=True, text=True, timeout=60)
    said, memory = run.stdout.strip().split("\n")
    assert answer in said
    assert int(memory) < 1e9
