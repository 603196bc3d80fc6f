"""Fast spin echo: where its samples are in k-space, when its echoes come, and the symmetry that pathways need."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

FOV, N = 0.22, 128
GRID = 1e-3 / FOV
"""How far a sample may be from its grid point [cycles/m]: six digits of the amplitudes, over N cycles of moment."""
CLOCK = 1e-10
"""Rounding of sums of times [s]."""

COARSE = 4 * GRID
"""The same where a crusher of N cycles shares its lobe with the phase encoding, whose rounding then never cancels."""

VARIANTS = {
    "defaults": "fse()",
    "sinc pulses": "fse(rf=sinc)",
    "centric order": "fse(order=centric)",
    "crushers in plane": "fse(crusher_axes=xyz, crusher_cycles=1)",
    "shortest spacing": "fse(esp_ms=4.58, max_b1_ut=25)",
    "one shot": "fse(shots=1, etl=128, esp_ms=8)",
    "dummy shots": "fse(dummy_shots=2, esp_ms=8)",
}
variants = pytest.mark.parametrize("expression", VARIANTS.values(), ids=VARIANTS)


def _shots(walked):
    """Excitation, refocusing pulses, and numbers of the samples of every shot that is sampled."""
    excitations = [*walked.pulses("excitation"), np.inf]
    refocusing = walked.pulses("refocusing")
    for begin, end in pairwise(excitations):
        samples = np.flatnonzero((walked.time > begin) & (walked.time < end))
        if samples.size:
            yield begin, refocusing[(refocusing > begin) & (refocusing < end)], samples


@variants
def test_every_sample_is_on_the_grid(expression: str, walk) -> None:
    walked = walk(expression)
    for excited, refocusing, samples in _shots(walked):
        for number in range(refocusing.size):
            echo = samples[number * N : (number + 1) * N]
            k = walked.pathway(excited, refocusing[: number + 1], walked.time[echo])
            expected = np.stack([walked.index[echo] - N // 2, walked.line[echo] - N // 2, 0 * echo], axis=1) / FOV
            np.testing.assert_allclose(k, expected, atol=COARSE if "xyz" in expression else GRID)


@variants
def test_echoes_come_an_echo_spacing_apart_with_refocusing_between(expression: str, walk) -> None:
    walked = walk(expression)
    spacing = walked.timeline.definitions["ESP"]
    for excited, refocusing, samples in _shots(walked):
        numbers = np.arange(refocusing.size)
        np.testing.assert_allclose(refocusing - excited, (numbers + 0.5) * spacing, atol=CLOCK)
        middles = walked.time[samples][walked.index[samples] == N // 2]
        np.testing.assert_allclose(middles - excited, (numbers + 1) * spacing, atol=CLOCK)


@variants
def test_the_moment_from_pulse_to_pulse_is_always_twice_that_to_the_first(expression: str, walk) -> None:
    """So that every pathway of an echo, stimulated ones too, arrives with the same moment (CPMG)."""
    walked = walk(expression)
    for excited, refocusing, _ in _shots(walked):
        moments = walked.moment(np.concatenate([[excited], refocusing]))
        steps = np.diff(moments, axis=0)
        np.testing.assert_allclose(steps[1:], np.broadcast_to(2 * steps[0], steps[1:].shape), atol=COARSE)


@variants
def test_every_line_is_read_once(expression: str, walk) -> None:
    walked = walk(expression)
    assert sorted(walked.line[walked.index == 0]) == list(range(N))


def test_linear_order_reads_bands_upwards_and_centric_order_from_the_middle(walk) -> None:
    linear, centric = (walk(text) for text in ("fse()", "fse(order=centric)"))
    first = linear.line[linear.index == 0].reshape(8, 16)
    assert (np.diff(first, axis=1) == 8).all()
    distance = np.abs(centric.line[centric.index == 0].reshape(8, 16) - N // 2)
    assert (distance[:, 1:].min(axis=0) >= distance[:, :-1].max(axis=0)).all()


@pytest.mark.parametrize(("expression", "echo"), [("fse(esp_ms=9)", 9), ("fse(esp_ms=9, order=centric)", 1)])
def test_the_stated_echo_time_is_that_of_the_middle_line(expression: str, echo: int, walk) -> None:
    walked = walk(expression)
    assert walked.timeline.definitions["TE"] == pytest.approx(echo * 9e-3)
    (middle,) = np.flatnonzero((walked.line == N // 2) & (walked.index == N // 2))
    excitations = walked.pulses("excitation")
    since = walked.time[middle] - excitations[excitations < walked.time[middle]].max()
    assert since == pytest.approx(walked.timeline.definitions["TE"], abs=CLOCK)


def test_shots_repeat_with_the_repetition_time_and_dummy_shots_are_not_sampled(walk) -> None:
    walked = walk("fse(dummy_shots=2, esp_ms=8)")
    excitations = walked.pulses("excitation")
    np.testing.assert_allclose(np.diff(excitations), 3.0, atol=CLOCK)
    assert excitations.size == 10
    assert walked.time[0] > excitations[2]
    assert walked.timeline.duration == pytest.approx(30.0, abs=CLOCK)


def test_a_crusher_dephases_by_its_cycles_across_the_slice_and_the_spoiler_after_the_train(walk) -> None:
    walked = walk("fse()")
    refocusing, excitations = walked.pulses("refocusing"), walked.pulses("excitation")
    around = walked.moment(refocusing[1:16])[:, 2] - walked.moment(refocusing[:15])[:, 2]
    np.testing.assert_allclose(around * 5e-3, 2 * 3, rtol=1e-5)
    assert (walked.moment(excitations[1])[0, 2] - walked.moment(refocusing[15])[0, 2]) * 5e-3 == pytest.approx(
        11, rel=1e-5
    )
