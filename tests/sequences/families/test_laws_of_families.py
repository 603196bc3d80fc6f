"""What holds for every built-in family: limits, timing, published ranges, ways out of refusals, reproduction."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

import spinloom
from spinloom import build_sequence, sequence_families
from spinloom.errors import SequenceError
from spinloom.sequence.design.hardware import Hardware
from spinloom.sequence.design.pulses import PulseDesign

FAMILIES = ("epi", "fse", "moled")
SIX_DIGITS = 1 + 1e-5

CASES = {
    "epi defaults": ("epi", {}),
    "epi with a sinc pulse": ("epi", {"rf": "sinc", "slice_offset_mm": 20}),
    "epi on ramps": ("epi", {"ramp_sampling": True, "esp_ms": 0.54, "max_grad_mt_m": 80, "max_slew_t_m_s": 200}),
    "fse defaults": ("fse", {}),
    "fse with sinc pulses": ("fse", {"rf": "sinc", "slice_offset_mm": -20}),
    "fse with crushers in plane": ("fse", {"crusher_axes": "xyz", "crusher_cycles": 2}),
    "moled defaults": ("moled", {}),
    "moled with sinc pulses": ("moled", {"rf": "sinc", "slice_offset_mm": 20}),
    "moled on a whole-body scanner": ("moled", {"esp_ms": 0.9, "max_grad_mt_m": 80, "max_slew_t_m_s": 200}),
}
cases = pytest.mark.parametrize(("family", "parameters"), CASES.values(), ids=CASES)


def test_the_built_in_families_are_known() -> None:
    assert set(FAMILIES) <= set(sequence_families())


@cases
def test_gradients_and_pulses_of_the_file_are_within_the_limits_that_it_states(family: str, parameters: dict) -> None:
    built = build_sequence(family, **parameters)
    timeline = built.timeline()
    limits = Hardware(*(built.parameters[name] for name in ("max_grad_mt_m", "max_slew_t_m_s", "max_b1_ut")))
    for gradient in timeline.gradients:
        times, values = gradient.points()
        assert np.abs(values).max() <= limits.max_grad * SIX_DIGITS
        rising = np.diff(times) > 0
        slopes = np.abs(np.diff(values)[rising] / np.diff(times)[rising])
        assert slopes.max() <= limits.max_slew * 1e6 * SIX_DIGITS
    for pulse in timeline.rf:
        assert abs(pulse.amplitude) * timeline.waveforms[pulse.waveform].peak <= limits.max_b1 * SIX_DIGITS


@cases
def test_it_keeps_the_timing_rules_of_pulseq(family: str, parameters: dict) -> None:
    known = sequence_families()[family]
    sound, errors = known.function(**known.complete(parameters)).check_timing()
    assert sound, errors


@cases
def test_the_file_names_the_family_and_parameters_that_build_the_same_bytes(family: str, parameters: dict) -> None:
    built = build_sequence(family, **parameters)
    stated = built.timeline().definitions["Family"]
    again = spinloom.read_sequence(stated)
    assert again.sha256 == built.timeline().sha256
    assert again.definitions["Family"] == stated
    assert build_sequence(family, **built.parameters).content == built.content


@pytest.mark.parametrize("family", FAMILIES)
def test_published_ranges_play_from_end_to_end(family: str) -> None:
    published = sequence_families()[family].published()
    assert published
    for values in itertools.product(*([low, (low + high) / 2, high] for low, high in published.values())):
        built = build_sequence(family, **dict(zip(published, values, strict=True)))
        for name, value in zip(published, values, strict=True):
            # echo spacings play on a raster of 20 us at the coarsest, so the nearest is 10 us away
            assert built.parameters[name] == pytest.approx(value, abs=0.01 + 1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_drawn_parameters_build_and_are_drawn_again_by_the_same_seed(family: str) -> None:
    drawn = spinloom.draw_parameters(family, seed=3, count=4)
    assert drawn == spinloom.draw_parameters(family, seed=3, count=4)
    assert drawn != spinloom.draw_parameters(family, seed=4, count=4)
    contents = [build_sequence(family, **parameters).content for parameters in drawn]
    assert len(set(contents)) == 4


@pytest.mark.parametrize(("family", "name", "asked", "played"), [
    ("epi", "esp_ms", 0.375, 0.38),
    ("epi", "esp_ms", 0.4649, 0.46),
    ("epi", "te_ms", 50.0049, 50.0),
    ("fse", "esp_ms", 9.0099, 9.0),
    ("fse", "tr_ms", 2000.006, 2000.01),
    ("fse", "excitation_ms", None, 0.5),
    ("moled", "t0_ms", 3.604, 3.6),
])  # fmt: skip
def test_what_is_off_the_raster_plays_as_the_nearest_and_the_file_says_so(
    family: str, name: str, asked: float | None, played: float
) -> None:
    built = build_sequence(family, **{name: asked})
    assert built.parameters[name] == played
    assert built.timeline().definitions[name] == played
    assert f"{name}={played:g}," in built.expression


SCANNER = {"max_grad_mt_m": 80, "max_slew_t_m_s": 200}
REFUSED = {
    "lobes that are too steep": ("epi", {"esp_ms": 0.3}, "esp_ms", 0.01, "max_slew_t_m_s=900"),
    "lobes that are too strong": ("epi", {"max_grad_mt_m": 30}, "esp_ms", 0.01, "max_grad_mt_m=30"),
    "flat lobes of a whole-body scanner": ("epi", SCANNER, "esp_ms", 0.01, "without ramp_sampling=true"),
    "lobes of a whole-body scanner": ("epi", {**SCANNER, "ramp_sampling": True}, "esp_ms", 0.01, "max_slew_t_m_s=200"),
    "samples that are too close": ("epi", {"ramp_sampling": True, "esp_ms": 0.2}, "esp_ms", 0.01, "raster of 2 us"),
    "an echo before its train": ("epi", {"te_ms": 20}, "te_ms", 0.01, "64 lines of 0.46 ms"),
    "a train without time": ("fse", {"esp_ms": 3}, "esp_ms", 0.02, "max_grad_mt_m=80 and max_slew_t_m_s=200"),
    "a shot longer than its repetition": ("fse", {"tr_ms": 100}, "tr_ms", 0.01, "16 echoes"),
    "a readout that is too strong": ("fse", {"dwell_us": 2, "max_grad_mt_m": 40}, "dwell_us", 2, "max_grad_mt_m=40"),
    "a hard pulse that is too strong": ("fse", {"refocusing_ms": 0.3}, "refocusing_ms", 0.02, "max_b1_ut=25"),
    "a sinc pulse that is too strong": (
        "moled",
        {"rf": "sinc", "refocusing_ms": 1},
        "refocusing_ms",
        0.02,
        "max_b1_ut=25",
    ),
    "a slice that is too thin": (
        "epi",
        {"rf": "sinc", "slice_thickness_mm": 0.1},
        "slice_thickness_mm",
        0.001,
        "max_grad_mt_m=200",
    ),
    "a first line too early": ("moled", {"t0_ms": 0.5}, "t0_ms", 0.01, "half an echo spacing"),
    "excitations too close": ("moled", {"excitation_ms": 15}, "esp_ms", 0.01, "32 lines"),
}
"""Family and parameters, the parameter that is blamed, the raster of its values, and the limit that is named."""


@pytest.mark.parametrize(("family", "parameters", "name", "step", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_names_the_limit_and_the_nearest_value_that_plays(
    family: str, parameters: dict, name: str, step: float, reason: str
) -> None:
    with pytest.raises(SequenceError, match=f"^{name}=.* cannot be played: ") as refused:
        build_sequence(family, **parameters)
    assert reason in str(refused.value)
    stated = re.search(rf"The nearest value that plays is {name}=([\d.]+)\.$", str(refused.value))
    assert stated, refused.value
    nearest = float(stated[1])
    built = build_sequence(family, **{**parameters, name: nearest})
    assert built.parameters[name] == nearest
    with pytest.raises(SequenceError):
        build_sequence(family, **{**parameters, name: nearest - step})


@pytest.mark.parametrize(("parameters", "sentence"), [
    ({"etl": 12}, "shots=8 of etl=12 echoes are 96 lines, but matrix=128; .* etl=16 makes them"),
    ({"shots": 16}, "etl=8 or shots=8 makes them"),
    ({"shots": 9, "etl": 9}, "choose factors of the matrix"),
])  # fmt: skip
def test_shots_and_echoes_that_do_not_make_the_lines_are_refused(parameters: dict, sentence: str) -> None:
    with pytest.raises(SequenceError, match=sentence):
        build_sequence("fse", **parameters)


@pytest.mark.parametrize("shift_y", [(32, 32, -32, -48), (32, 32, 32, -80), (64, 32, 32, -48)])
def test_shift_gradients_whose_echoes_are_out_of_order_or_of_k_space_are_refused(shift_y: tuple) -> None:
    with pytest.raises(SequenceError, match="With these shift_y the echoes are in lines"):
        build_sequence("moled", shift_y=shift_y)


def test_no_spacing_at_all_is_refused_too() -> None:
    with pytest.raises(SequenceError, match="No echo spacing up to 100 ms plays 1024 samples over 1 mm"):
        build_sequence("epi", matrix=1024, fov_mm=1, max_grad_mt_m=10)


@pytest.mark.parametrize(
    ("family", "parameters", "shortest"),
    [
        ("epi", {}, 0.38),
        ("epi", {"ramp_sampling": True}, 0.34),
        ("epi", SCANNER, 0.8),
        ("epi", {**SCANNER, "ramp_sampling": True}, 0.54),
        ("moled", SCANNER, 0.8),
        ("fse", {}, 4.42),
        ("fse", {"rf": "sinc"}, 7.36),
    ],
)
def test_the_shortest_echo_spacings_are_those_of_the_documents(family: str, parameters: dict, shortest: float) -> None:
    with pytest.raises(SequenceError, match=rf"plays is esp_ms={shortest:g}\.$"):
        build_sequence(family, **parameters, esp_ms=0.1)


@pytest.mark.parametrize("half_raster", [False, True])
def test_a_slice_pulse_has_its_phase_at_its_middle_and_equal_moments_around_it(half_raster: bool) -> None:
    design = PulseDesign("sinc", Hardware(80, 200, 25), thickness_mm=5, offset_mm=30)
    pulse = design.pulse("excitation_ms", "excitation", 90, 2560, phase=0.7, half_raster=half_raster)
    frequency = pulse.selection.amplitude * 30e-3
    assert pulse.rf.freq_offset == pytest.approx(frequency)
    at_middle = pulse.rf.phase_offset + 2 * np.pi * frequency * 1.28e-3
    assert np.exp(1j * at_middle) == pytest.approx(np.exp(0.7j), abs=1e-9)
    middle = pulse.selection_delay_us + pulse.selection.duration_us / 2
    assert middle == pulse.before_us == pytest.approx(pulse.rf.delay * 1e6 + 1280)
