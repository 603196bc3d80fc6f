"""Shapes: what is decoded equals what pypulseq's own compression encodes, and runs hold the same waveform."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypulseq.compress_shape import compress_shape
from pypulseq.decompress_shape import decompress_shape

from spinloom.errors import SequenceError
from spinloom.sequence.shape import MAX_DECODED_SAMPLES, Shape, decode

levels = st.integers(-5, 5).map(lambda level: level / 5)
waveforms = st.lists(st.tuples(levels, st.integers(1, 6)), min_size=1, max_size=12).map(
    lambda runs: np.concatenate([np.full(count, level) for level, count in runs])
)


@settings(derandomize=True, deadline=None)
@given(waveform=waveforms, forced=st.booleans())
def test_decoding_undoes_pypulseqs_compression(waveform: np.ndarray, forced: bool) -> None:
    stored = compress_shape(waveform, force_compression=forced)
    may_be_plain = not forced
    decoded = decode(np.asarray(stored.data), waveform.size, "shape 1", may_be_plain)
    np.testing.assert_allclose(decoded.samples(), waveform, atol=1e-6)
    theirs = decompress_shape(
        SimpleNamespace(data=np.asarray(stored.data), num_samples=waveform.size), force_decompression=forced
    )
    np.testing.assert_allclose(decoded.samples(), theirs, atol=1e-12)


@settings(derandomize=True, deadline=None)
@given(waveform=waveforms)
def test_runs_are_the_samples_and_no_two_neighbours_are_equal(waveform: np.ndarray) -> None:
    stored = compress_shape(waveform, force_compression=True)
    shape = decode(np.asarray(stored.data), waveform.size, "shape 1", may_be_plain=False)
    values, counts = shape.runs()
    np.testing.assert_allclose(np.repeat(values, counts), shape.samples(), atol=1e-12)
    assert np.all(np.diff(values) != 0)


@pytest.mark.parametrize(
    ("stored", "waveform"),
    [
        pytest.param([0, 0.1, 0.15, 0.25, 0.5, 0, 0, 4, -0.25, -0.25, 2],
                     [0, 0.1, 0.25, 0.5, 1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0], id="ramp, plateau and ramp"),
        pytest.param([0, 0, 98], [0] * 100, id="a hundred zeros"),
        pytest.param([1, 0, 0, 97], [1] * 100, id="a hundred ones"),
        pytest.param([0.5, 0.5, 3], [0.5, 1, 1.5, 2, 2.5], id="a run from the first sample on"),
        pytest.param([2, 2, 2, 2, 2, 1], [2, 4, 6, 8, 10, 12, 14], id="a run length that equals its value"),
    ],
)  # fmt: skip
def test_the_examples_of_the_specification_decode(stored: list[float], waveform: list[float]) -> None:
    shape = decode(np.array(stored, dtype=float), len(waveform), "shape 1")
    np.testing.assert_allclose(shape.samples(), waveform, atol=1e-12)
    assert (shape.size, shape.last) == (len(waveform), pytest.approx(waveform[-1]))


def test_as_many_numbers_as_samples_are_plain_since_version_1_4_and_compressed_before() -> None:
    """Four ones compress to (1, 0, 0, 1): four numbers for four samples, which only the version tells apart."""
    stored = np.array([1.0, 0.0, 0.0, 1.0])
    np.testing.assert_array_equal(decode(stored, 4, "shape 1").samples(), [1, 0, 0, 1])
    np.testing.assert_array_equal(decode(stored, 4, "shape 1", may_be_plain=False).samples(), [1, 1, 1, 1])


def test_a_long_flat_stretch_costs_one_run() -> None:
    values, counts = decode(np.array([1.0, 0.0, 0.0, 15_000_000 - 3]), 15_000_000, "shape 1").runs()
    assert (values.tolist(), counts.tolist()) == ([1.0], [15_000_000])


@pytest.mark.parametrize(
    ("stored", "size", "complaint"),
    [
        pytest.param([], 4, "holds 0 numbers for 4 samples", id="no numbers"),
        pytest.param([1.0], 0, "holds 1 numbers for 0 samples", id="no samples"),
        pytest.param([1, 0, 0, 90], 100, "decodes to 93 samples, but its num_samples says 100", id="too few samples"),
        pytest.param([1, 2, 3, 4], 3, "decodes to 4 samples, but its num_samples says 3", id="too many samples"),
        pytest.param([1, 0, 0], 100, "ends before the length of its last run", id="cut within a run"),
        pytest.param([1, 0, 0, -1], 100, "repeats a sample -1 times", id="negative run length"),
        pytest.param([1, 0, 0, 97.5], 100, "repeats a sample 97.5 times", id="broken run length"),
        pytest.param([1, 0, 0, 1e14], 100, "repeats a sample 1e+14 times", id="giant run length"),
    ],
)
def test_what_does_not_decode_is_refused(stored: list[float], size: int, complaint: str) -> None:
    with pytest.raises(SequenceError) as refusal:
        decode(np.array(stored, dtype=float), size, "shape 7")
    assert str(refusal.value).startswith("shape 7 ")
    assert complaint in str(refusal.value)


def test_a_waveform_too_long_to_expand_is_refused_with_its_size_and_the_way_out() -> None:
    slope = Shape(np.array([1e-9]), np.array([MAX_DECODED_SAMPLES + 1]))
    for expand in (slope.samples, slope.runs):
        with pytest.raises(SequenceError, match=r"4,000,001 samples, more than the 4,000,000 .* coarser time shape"):
            expand()


@pytest.mark.parametrize(
    ("samples", "rises"),
    [([0, 1, 2], True), ([0.5, 1.5], True), ([5], True), ([0, 0, 1], False), ([-1, 1], False), ([0, 2, 2], False)],
)
def test_a_time_shape_rises_strictly_from_zero_or_more(samples: list[float], rises: bool) -> None:
    stored = compress_shape(np.array(samples, dtype=float), force_compression=True)
    assert decode(stored.data, len(samples), "shape 1", may_be_plain=False).rises is rises
