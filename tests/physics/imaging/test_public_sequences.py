"""Imaging files as others write them with pypulseq: each is played as the plain sum over isochromats says, or refused.

Gradient echoes, echo trains, balanced ones, volumes, spokes and spirals, with labels, triggers, soft delays, rotations
and RF shims.  pypulseq writes no rotations and shims yet: `extended` adds them to the text.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pypulseq as pp
import pytest
import torch

import spinloom
from spinloom.errors import SequenceError
from spinloom.sequence.timeline import Timeline
from spinloom.testing.isochromat_sum import isochromat_sum
from spinloom.tissue.phantom import Phantom

SYSTEM = pp.Opts(
    max_grad=40, grad_unit="mT/m", max_slew=150, slew_unit="T/m/s", rf_dead_time=1e-4, rf_ringdown_time=2e-5
)
FOV, SIDE, THICK = 0.2, 8, 5e-3


def line(samples: int = SIDE) -> tuple[Any, Any, Any]:
    """A readout gradient, its ADC and the gradient before it."""
    gradient = pp.make_trapezoid("x", flat_area=samples / FOV, flat_time=samples * 2e-5, system=SYSTEM)
    adc = pp.make_adc(samples, dwell=2e-5, delay=gradient.rise_time, system=SYSTEM)
    return gradient, adc, pp.make_trapezoid("x", area=-gradient.area / 2, duration=1e-3, system=SYSTEM)


def step(axis: str, number: int, count: int = SIDE, sign: int = 1) -> Any:
    """Phase encoding of a line, or what takes it back."""
    return pp.make_trapezoid(axis, area=sign * (number - count / 2) / FOV, duration=1e-3, system=SYSTEM)


def slice_pulse(flip: float, phase: float = 0.0, use: str = "excitation") -> tuple[Any, Any, Any]:
    """A sinc pulse, its slice gradient and what rephases it; its raster is coarse to keep the plain sum quick."""
    pulse: tuple[Any, Any, Any] = pp.make_sinc_pulse(
        np.radians(flip),
        duration=1e-3,
        dwell=1e-5,
        slice_thickness=THICK,
        time_bw_product=4,
        phase_offset=phase,
        return_gz=True,
        system=SYSTEM,
        delay=1e-4,
        use=use,
    )
    return pulse


def spoiled_gradient_echo(sequence: pp.Sequence) -> None:
    """Two slices in turn, with RF spoiling that the receiver follows; every second line, for its pulses take long."""
    gradient, adc, back = line()
    for number in range(0, SIDE, 2):
        for place, offset in enumerate((-THICK, THICK)):
            phase = np.radians(117 * number * (number + 1) / 2 % 360)
            pulse, select, rephase = slice_pulse(25, phase)
            pulse.freq_offset, adc.phase_offset = select.amplitude * offset, phase
            sequence.add_block(pulse, select)
            sequence.add_block(rephase, back, step("y", number))
            labels = pp.make_label("LIN", "SET", number), pp.make_label("SLC", "SET", place)
            sequence.add_block(gradient, adc, *labels)
            sequence.add_block(step("y", number, sign=-1), pp.make_trapezoid("z", area=4 / THICK, system=SYSTEM))


def turbo_spin_echo(sequence: pp.Sequence) -> None:
    """Two shots of four echoes between crushers, each started by a trigger, with counters of shot and echo."""
    gradient, adc, back = line()
    crusher = pp.make_trapezoid("z", area=2 / THICK, system=SYSTEM)
    pulse, select, rephase = slice_pulse(90)
    refocus, hold, _ = slice_pulse(150, np.pi / 2, "refocusing")
    for shot in range(2):
        sequence.add_block(pp.make_delay(2e-3), pp.make_trigger("physio1", duration=1e-3, system=SYSTEM))
        sequence.add_block(pulse, select)
        sequence.add_block(rephase, pp.scale_grad(back, -1.0))
        for echo in range(4):
            number = 2 * echo + shot
            sequence.add_block(crusher)
            sequence.add_block(refocus, hold)
            sequence.add_block(crusher, step("y", number))
            counters = {"LIN": number, "SEG": shot, "ECO": echo}
            sequence.add_block(gradient, adc, *(pp.make_label(name, "SET", at) for name, at in counters.items()))
            sequence.add_block(step("y", number, sign=-1))


def balanced_steady_state(sequence: pp.Sequence) -> None:
    """Every gradient is wound back and the phase of the pulses alternates; lines are counted up."""
    gradient, adc, back = line()
    for number in range(SIDE):
        phase = np.pi * (number % 2)
        pulse, select, rephase = slice_pulse(40, phase)
        adc.phase_offset = phase
        sequence.add_block(pulse, select)
        sequence.add_block(rephase, back, step("y", number))
        sequence.add_block(gradient, adc, pp.make_label("LIN", "INC", int(number > 0)))
        sequence.add_block(rephase, back, step("y", number, sign=-1))


def volume(sequence: pp.Sequence) -> None:
    """Hard pulses and two directions of phase encoding."""
    gradient, adc, back = line()
    pulse = pp.make_block_pulse(np.radians(20), duration=2e-4, delay=1e-4, system=SYSTEM, use="excitation")
    for partition in range(4):
        for number in range(SIDE):
            sequence.add_block(pulse)
            sequence.add_block(back, step("y", number), step("z", partition, 4))
            counters = {"LIN": number, "PAR": partition}
            sequence.add_block(gradient, adc, *(pp.make_label(name, "SET", at) for name, at in counters.items()))
            sequence.add_block(step("y", number, sign=-1), step("z", partition, 4, -1))


def echo_planar(sequence: pp.Sequence, soft: bool = True) -> None:
    """Three navigators, then all lines to and fro, after a soft delay; flags tell navigators and direction."""
    gradient, adc, back = line()
    pulse, select, rephase = slice_pulse(90)
    blip = pp.make_trapezoid("y", area=1 / FOV, duration=2e-4, system=SYSTEM)
    sequence.add_block(pulse, select)
    sequence.add_block(rephase, back)
    for number in range(3 + SIDE):
        if number == 3:
            sequence.add_block(step("y", 0), pp.make_label("NAV", "SET", False))
            sequence.add_block(pp.make_soft_delay("TE", default_duration=1.5e-3) if soft else pp.make_delay(1.5e-3))
        flags = [pp.make_label("REV", "SET", bool(number % 2))]
        flags += [pp.make_label("NAV", "SET", True)] if number == 0 else []
        flags += [pp.make_label("LIN", "SET", max(0, number - 3)), pp.make_label("SEG", "SET", number % 2)]
        sequence.add_block(gradient if number % 2 == 0 else pp.scale_grad(gradient, -1.0), adc, *flags)
        if number >= 3:
            sequence.add_block(blip)


def spokes(sequence: pp.Sequence, count: int = 6, samples: int = SIDE) -> None:
    """Through the middle of k-space, one an excitation, golden angles apart; each fires an output."""
    gradient, adc, back = line(samples)
    for number in range(count):
        angle = number * np.pi * (np.sqrt(5) - 1) / 2
        sequence.add_block(
            pp.make_block_pulse(np.radians(10), duration=1e-4, delay=1e-4, system=SYSTEM, use="excitation")
        )
        sequence.add_block(*pp.rotate(back, angle=angle, axis="z", system=SYSTEM))
        fired = pp.make_digital_output_pulse("osc0", duration=1e-4, system=SYSTEM)
        sequence.add_block(*pp.rotate(gradient, adc, angle=angle, axis="z", system=SYSTEM), fired)


def spiral(sequence: pp.Sequence, turns: float = 3.0, samples: int = 200) -> None:
    """From the middle outwards as the gradients' raster has it, sampled off that raster."""
    time = np.linspace(0, 1, round(samples * 0.99) + 2)
    arm = turns / FOV * time * np.exp(2j * np.pi * turns * time)
    shape = np.gradient(arm, SYSTEM.grad_raster_time)
    sequence.add_block(pp.make_block_pulse(np.pi / 2, duration=1e-4, delay=1e-4, system=SYSTEM, use="excitation"))
    sequence.add_block(
        *(
            pp.make_arbitrary_grad(axis, np.ascontiguousarray(part), first=0.0, last=part[-1], system=SYSTEM)
            for axis, part in zip("xy", (shape.real, shape.imag), strict=True)
        ),
        pp.make_adc(samples, dwell=9.9e-6, system=SYSTEM),
    )


def prepared_volume(sequence: pp.Sequence) -> None:
    """An adiabatic inversion, and a quarter of a volume at a time behind it."""
    gradient, adc, back = line()
    invert = pp.make_adiabatic_pulse("hypsec", duration=4e-3, dwell=2e-5, delay=1e-4, system=SYSTEM, use="inversion")
    pulse = pp.make_block_pulse(np.radians(8), duration=1e-4, delay=1e-4, system=SYSTEM, use="excitation")
    for partition in range(2):
        sequence.add_block(invert)
        sequence.add_block(pp.make_trapezoid("z", area=4 / THICK, system=SYSTEM))
        sequence.add_block(pp.make_delay(0.2))
        for number in range(SIDE):
            sequence.add_block(pulse)
            sequence.add_block(back, step("y", number), step("z", partition, 2))
            sequence.add_block(
                gradient, adc, pp.make_label("LIN", "SET", number), pp.make_label("PAR", "SET", partition)
            )
            sequence.add_block(step("y", number, sign=-1), step("z", partition, 2, -1))


def half_spokes(sequence: pp.Sequence) -> None:
    """From the middle outwards, sampled while the gradient still rises, after a Gaussian pulse."""
    gradient = pp.make_trapezoid("x", amplitude=1 / (FOV * 2e-5), rise_time=1e-4, flat_time=2e-4, system=SYSTEM)
    adc = pp.make_adc(14, dwell=2e-5, delay=2e-5, system=SYSTEM)
    pulse = pp.make_gauss_pulse(
        np.radians(30), duration=4e-4, dwell=1e-5, delay=1e-4, system=SYSTEM, use="excitation", return_gz=False
    )
    for number in range(6):
        sequence.add_block(pulse)
        sequence.add_block(*pp.rotate(gradient, adc, angle=number * np.pi / 3, axis="z", system=SYSTEM))
        sequence.add_block(pp.make_trapezoid("z", area=4 / THICK, system=SYSTEM))


FILES: dict[str, Callable[[pp.Sequence], None]] = {
    "spoiled gradient echo": spoiled_gradient_echo,
    "turbo spin echo": turbo_spin_echo,
    "balanced steady state": balanced_steady_state,
    "volume": volume,
    "echo planar": echo_planar,
    "prepared volume": prepared_volume,
    "half spokes": half_spokes,
    "spokes": spokes,
    "spiral": spiral,
}


def written(build: Callable[[pp.Sequence], None], path: Path, older: bool = False, **definitions: object) -> Path:
    """The file of a sequence, of version 1.5 or 1.4."""
    sequence = pp.Sequence(SYSTEM)
    build(sequence)
    for name, value in definitions.items():
        sequence.set_definition(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sequence.write(str(path), v141_compat=older)
    return path


def extended(path: Path, kind: str, rows: list[str], blocks: Callable[[int], int | None]) -> None:
    """Add an extension that pypulseq does not write: `blocks` says which of its rows (from 0) a block carries."""
    text = path.read_text()
    if "[EXTENSIONS]" not in text:
        text = text.replace("[SIGNATURE]", "[EXTENSIONS]\n\n[SIGNATURE]")
    head, tail = text.split("[BLOCKS]", 1)
    table, rest = tail.split("\n\n", 1)
    entries, lines, number = [], [], 0
    for row in table.splitlines():
        fields = row.split()
        if fields:
            chosen = blocks(number)
            if chosen is not None:
                entries.append(f"{1000 + number} 99 {chosen + 1} {fields[-1]}")
                fields[-1] = str(1000 + number)
            number += 1
        lines.append(" ".join(fields))
    extension = "\n".join([f"extension {kind} 99", *(f"{at} {row}" for at, row in enumerate(rows, 1))])
    rest = rest.replace("[EXTENSIONS]", "[EXTENSIONS]\n" + "\n".join(entries), 1)
    rest = re.split(r"\n\[SIGNATURE\]", rest)[0].rstrip() + f"\n\n{extension}\n"
    path.write_text(head + "[BLOCKS]" + "\n".join(lines) + "\n\n" + rest)


@pytest.fixture
def textured(phantom: Any) -> Phantom:
    """Three slices whose maps differ from voxel to voxel."""
    draw = np.random.default_rng(4)
    ranges = {"m0": (0.2, 1.0), "t1": (0.3, 1.5), "t2": (0.03, 0.2), "b0": (-80.0, 80.0), "b1": (0.8, 1.2)}
    shape = (3, 10, 9)
    maps = {name: draw.uniform(*ends, shape) for name, ends in ranges.items()}
    subject: Phantom = phantom(shape, fov=(FOV, FOV, 3 * THICK), **maps)
    return subject


def played(path: Path | Timeline, subject: Phantom) -> spinloom.KSpace:
    """Samples to 1e-9, from one isochromat a voxel."""
    found = spinloom.simulate(
        sequence=path, phantom=subject, simulator="bloch", dtype="float64", rtol=1e-9, dephasing=False
    )
    assert isinstance(found, spinloom.KSpace)
    return found


def miss(kspace: spinloom.KSpace, timeline: Timeline, subject: Phantom) -> float:
    """Largest error of a sample, relative to the mean M0."""
    expected = isochromat_sum(timeline, subject)
    assert np.abs(expected).max() > 1e-3  # there is something to compare
    return float(np.abs(kspace.samples.numpy() - expected).max() / subject.m0.mean())


@pytest.mark.parametrize("name", FILES)
def test_a_file_plays_as_the_plain_sum_says(name: str, tmp_path: Path, textured: Phantom) -> None:
    path = written(FILES[name], tmp_path / "file.seq")
    assert miss(played(path, textured), spinloom.read_sequence(path), textured) < 1e-9


@pytest.mark.parametrize("name", [name for name in FILES if name != "echo planar"])
def test_the_older_format_plays_the_same(name: str, tmp_path: Path, textured: Phantom) -> None:
    """Version 1.4 knows no soft delays and no uses of pulses, which nothing here depends on."""
    old, new = (written(FILES[name], tmp_path / f"{older}.seq", older) for older in (True, False))
    assert spinloom.read_sequence(old).version[:2] == (1, 4)
    first, second = (played(path, textured).samples for path in (old, new))
    assert float((first - second).abs().max()) < 1e-9


def test_labels_of_a_file_come_with_its_samples(tmp_path: Path, textured: Phantom) -> None:
    volumes = played(written(volume, tmp_path / "volume.seq"), textured).labels
    assert volumes["LIN"].tolist() == list(range(SIDE)) * 4
    assert volumes["PAR"].tolist() == [number // SIDE for number in range(4 * SIDE)]
    slices = played(written(spoiled_gradient_echo, tmp_path / "slices.seq"), textured).labels
    assert slices["SLC"].tolist() == [0, 1] * (SIDE // 2)
    balanced = played(written(balanced_steady_state, tmp_path / "balanced.seq"), textured).labels
    assert balanced["LIN"].tolist() == list(range(SIDE))
    train = played(written(turbo_spin_echo, tmp_path / "train.seq"), textured).labels
    assert (train["SEG"].tolist(), train["ECO"].tolist()) == ([0] * 4 + [1] * 4, [0, 1, 2, 3] * 2)
    planar = played(written(echo_planar, tmp_path / "planar.seq"), textured).labels
    assert planar["NAV"].tolist() == [1] * 3 + [0] * SIDE
    assert planar["REV"].tolist() == [number % 2 for number in range(3 + SIDE)]


def test_navigators_are_played_and_left_out_of_the_image(tmp_path: Path, textured: Phantom) -> None:
    path = written(echo_planar, tmp_path / "planar.seq", FOV=[FOV, FOV, 3 * THICK])
    kspace = played(path, textured)
    assert kspace.measurements == 3 + SIDE
    image = spinloom.reconstruct(kspace, spinloom.read_sequence(path).definitions)
    assert image.data.shape[-2:] == (SIDE, SIDE)
    alone = written(echo_planar, tmp_path / "unlabelled.seq", FOV=[FOV, FOV, 3 * THICK])
    alone.write_text(alone.read_text().replace(" NAV", " PMC"))
    with pytest.raises(spinloom.SpinloomError, match="Label LIN contradicts the gradient moments"):
        spinloom.reconstruct(played(alone, textured), spinloom.read_sequence(alone).definitions)


def test_triggers_and_soft_delays_are_played_and_said(tmp_path: Path, textured: Phantom) -> None:
    assert (
        "Soft delays last as long as their blocks." in played(written(echo_planar, tmp_path / "a.seq"), textured).notes
    )
    for name, build in (("b.seq", turbo_spin_echo), ("c.seq", spokes)):
        assert "Triggers are taken to fire at once." in played(written(build, tmp_path / name), textured).notes


def test_a_soft_delay_lasts_as_long_as_its_block(tmp_path: Path, textured: Phantom) -> None:
    soft, plain = (
        played(written(lambda sequence, soft=soft: echo_planar(sequence, soft), tmp_path / f"{soft}.seq"), textured)
        for soft in (True, False)
    )
    assert np.array_equal(soft.time, plain.time)
    assert torch.equal(soft.samples, plain.samples)


def test_rotations_turn_spokes_as_rotated_gradients_do(tmp_path: Path, textured: Phantom) -> None:
    """One spoke along x whose blocks carry quaternions, against gradients that pypulseq turned itself."""
    count = 6

    def unturned(sequence: pp.Sequence) -> None:
        gradient, adc, back = line()
        pulse = pp.make_block_pulse(np.radians(10), duration=1e-4, delay=1e-4, system=SYSTEM, use="excitation")
        for _ in range(count):
            fired = pp.make_digital_output_pulse("osc0", duration=1e-4, system=SYSTEM)
            sequence.add_block(pulse)
            sequence.add_block(back)
            sequence.add_block(gradient, adc, fired)

    path = written(unturned, tmp_path / "turned.seq")
    halves = np.arange(count) * np.pi * (np.sqrt(5) - 1) / 4
    rows = [f"{np.cos(half):.12g} 0 0 {np.sin(half):.12g}" for half in halves]
    extended(path, "ROTATIONS", rows, lambda block: None if block % 3 == 0 else block // 3)
    timeline = spinloom.read_sequence(path)
    found = played(path, textured)
    assert miss(found, timeline, textured) < 1e-9
    direct = played(written(lambda sequence: spokes(sequence, count), tmp_path / "spokes.seq"), textured)
    np.testing.assert_allclose(found.trajectory, direct.trajectory, atol=1e-3)  # six digits of turned amplitudes
    # of 20 cycles over the field of view six digits are 2e-5, in radians 1e-4
    assert float((found.samples - direct.samples).abs().max() / textured.m0.mean()) < 1e-5


@pytest.mark.parametrize("simulator", ["bloch", "epi"])
def test_rf_shims_are_refused_by_name(simulator: str, tmp_path: Path, textured: Phantom) -> None:
    path = written(echo_planar, tmp_path / "shims.seq")
    extended(path, "RF_SHIMS", ["2 1 0 0.5 1.570796"], lambda block: 0 if block == 0 else None)
    with pytest.raises(SequenceError, match=r"block 1 in playing order has an RF shim \(extension RF_SHIMS\)"):
        spinloom.simulate(sequence=path, phantom=textured, simulator=simulator)


def test_unknown_extensions_are_refused_by_name(tmp_path: Path, textured: Phantom) -> None:
    path = written(spokes, tmp_path / "news.seq")
    extended(path, "NEWS", ["1 2 3"], lambda block: 0 if block == 0 else None)
    with pytest.raises(SequenceError, match="the file uses 'extension NEWS 99'"):
        spinloom.read_sequence(path)


def smooth(side: int) -> torch.Tensor:
    """A body that spokes and spirals of `side` samples resolve."""
    place = (torch.arange(side, dtype=torch.float64) - side // 2) / side
    return torch.exp(-40 * (place**2 + place[:, None] ** 2))[None]


@pytest.mark.parametrize(
    "build",
    [lambda sequence: spokes(sequence, 40, 24), lambda sequence: spiral(sequence, 12.0, 1900)],
    ids=["spokes", "spiral"],
)
def test_spokes_and_spirals_give_the_image_of_the_body(build: Any, tmp_path: Path, phantom: Any) -> None:
    """The whole road from a file: a Gaussian of M0 comes out as one, within the circle that such samples resolve.

    The area of a sample near k = 0 is wrong by a part of itself, which is a few per cent of the body's 12 x 12 voxels.
    """
    side = 24
    subject = phantom((1, side, side), fov=(FOV, FOV, THICK), m0=smooth(side), t1=1e6, t2=1e3)
    path = written(build, tmp_path / "file.seq", FOV=[FOV, FOV, THICK])
    kspace = spinloom.simulate(sequence=path, phantom=subject, simulator="bloch", recovery="complete")
    image = spinloom.reconstruct(kspace, spinloom.read_sequence(path).definitions, matrix=(side, side, 1))
    found = image.magnitude[0, 0].double() / image.magnitude.max()
    circle = smooth(side)[0] > np.exp(-40 / 4)
    assert float((found - smooth(side)[0])[circle].abs().max()) < 0.05
