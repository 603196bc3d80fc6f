"""Gradients with respect to the numbers of a sequence, against sequences that pypulseq builds anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pypulseq as pp
import pytest
import torch
from torch import Tensor

from spinloom.errors import ConfigurationError, SequenceError
from spinloom.physics.changed_timeline import changed_timeline
from spinloom.physics.imaging import changed_pulses
from spinloom.physics.imaging.engine import solve_phantom
from spinloom.physics.sequence_changes import SequenceChanges
from spinloom.sequence.read import read_sequence
from spinloom.sequence.timeline import Rotation, Timeline
from spinloom.testing.isochromat_sum import isochromat_sum
from spinloom.tissue.phantom import Phantom

PULSE = 1e-3
"""Length of pulses [s]."""

NUMBERS = {
    "amplitude": [240.0, 450.0, 380.0],
    "phase": [0.0, 1.5, 1.25],
    "offset": [10.0, -40.0, 25.0],
    "time": [4e-3, 3e-3, 2e-3, 2e-3, 1e-3],
    "gradient": [2e4, 5e4, 4e4, 3e4, 5e4, 4e4],
}
"""Pulses: Hz, rad, Hz.  Lengths of the blocks of gradients alone [s].  Gradients of `GRADIENTS` [Hz/m]."""

TIMED = (1, 3, 5, 7, 9)
"""The blocks of gradients alone."""

GRADIENTS = ((0, 1), (2, 2), (2, 3), (0, 4), (1, 5), (2, 6))
"""Axis and block of each gradient: before, during and after pulses, and under the first readout."""

STEPS = {"amplitude": 1.0, "phase": 1e-3, "offset": 0.2, "time": 1e-5, "gradient": 100.0}
"""So small that central differences err by less than 1e-4 of themselves, and held by the six digits of a file."""

DIRECTIONS = {
    "amplitude": [1, -2, 3],
    "phase": [2, -1, 3],
    "offset": [1, 2, -2],
    "time": [1, -1, 2, 1, 0],
    "gradient": [1, -2, 1, 2, -1, 3],
}


@pytest.fixture
def built(tmp_path: Path) -> Callable[..., Timeline]:
    """Builds a spin echo and a stimulated one with pypulseq, from numbers in place of those of `NUMBERS`."""

    def build(**changed: list[float]) -> Timeline:
        numbers = NUMBERS | changed
        sequence = pp.Sequence(pp.Opts(max_grad=1e6, grad_unit="Hz/m", max_slew=1e11, slew_unit="Hz/m/s"))
        gradients = iter(numbers["gradient"])
        times = iter(numbers["time"])

        def lobe(axis: str, flat: float = 0.5e-3) -> Any:
            return pp.make_trapezoid(axis, amplitude=next(gradients), rise_time=1e-4, flat_time=flat, fall_time=1e-4)

        def pulse(number: int, delay: float = 0.0) -> Any:
            return pp.make_block_pulse(
                2 * np.pi * numbers["amplitude"][number] * PULSE,
                duration=PULSE,
                delay=delay,
                phase_offset=numbers["phase"][number],
                freq_offset=numbers["offset"][number],
                use="excitation" if number == 0 else "refocusing",
            )

        def alone(*events: Any) -> None:
            sequence.add_block(*events, pp.make_delay(next(times)))

        adc = pp.make_adc(6, dwell=2e-4, delay=1e-4)
        sequence.add_block(pulse(0))
        alone(lobe("x"))
        sequence.add_block(pulse(1, 1e-4), lobe("z", PULSE))
        alone(lobe("z"))
        sequence.add_block(lobe("x", 1.2e-3), adc)
        alone(lobe("y"))
        sequence.add_block(pulse(2, 1e-4), lobe("z", PULSE))
        alone()
        sequence.add_block(adc)
        alone()
        sequence.write(str(tmp_path / "built.seq"))
        return read_sequence(tmp_path / "built.seq")

    return build


def changes_to(timeline: Timeline, kind: str, values: Tensor) -> SequenceChanges:
    """The changes that put `values` in the place of the numbers of a kind."""
    by = values - torch.tensor(NUMBERS[kind], dtype=torch.float64)
    match kind:
        case "amplitude":
            return SequenceChanges(rf_scale=values / torch.tensor(NUMBERS[kind]))
        case "phase":
            return SequenceChanges(rf_phase=by)
        case "offset":
            return SequenceChanges(rf_offset=by)
        case "time":
            return SequenceChanges(delay=torch.zeros(len(timeline), dtype=torch.float64).index_put(_at(TIMED), by))
    scale = torch.ones(3, len(timeline), dtype=torch.float64)
    return SequenceChanges(gradient_scale=scale.index_put(_at(*zip(*GRADIENTS, strict=True)), 1 + by / (values - by)))


def _at(*columns: tuple[int, ...]) -> tuple[Tensor, ...]:
    return tuple(torch.tensor(column) for column in columns)


@pytest.fixture
def subject(phantom: Any) -> Callable[..., Phantom]:
    """Makes a volume of voxels with maps of their own."""

    def make(shape: tuple[int, int, int]) -> Phantom:
        random = np.random.default_rng(1)
        spans = {"m0": (0.5, 1), "t1": (0.3, 1), "t2": (0.02, 0.1), "b0": (-30, 30), "b1": (0.8, 1.2)}
        maps = {name: random.uniform(*span, shape) for name, span in spans.items()}
        return phantom(shape, (0.02, 0.02, 0.02), **maps)

    return make


def samples_of(timeline: Timeline, subject: Phantom, changes: SequenceChanges | None = None, **options: Any) -> Tensor:
    options = {"engine": "readable", "rtol": 1e-10, "dtype": torch.float64} | options
    return solve_phantom(timeline, subject, changes=changes, **options).samples[0]


def moved(kind: str, times: float) -> list[float]:
    """The numbers of a kind, some steps further along its direction; rounded as a file is."""
    steps = times * STEPS[kind] * np.array(DIRECTIONS[kind])
    return [float(f"{value:.6g}") for value in (np.array(NUMBERS[kind]) + steps).tolist()]


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("engine", ["readable", "fast"])
def test_a_changed_sequence_is_the_sequence_built_anew(kind: str, engine: str, built: Any, subject: Any) -> None:
    """To 1e-9 of M0, both solved to 1e-10; the change is large."""
    timeline, phantom = built(), subject((3, 4, 5))
    values = moved(kind, 40)
    changes = changes_to(timeline, kind, torch.tensor(values, dtype=torch.float64))
    found = solve_phantom(timeline, phantom, rtol=1e-10, dtype=torch.float64, engine=engine, changes=changes)
    anew = solve_phantom(built(**{kind: values}), phantom, rtol=1e-10, dtype=torch.float64, engine="readable")
    assert float((anew.samples - samples_of(timeline, phantom)).abs().max()) > 1e-3
    torch.testing.assert_close(found.samples, anew.samples, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.time, anew.time, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 4, 5), (9, 9, 9)], ids=["each spin solved", "from tables"])
@pytest.mark.parametrize("kind", NUMBERS)
def test_gradients_agree_with_differences_of_sequences_built_anew(
    kind: str, shape: tuple[int, int, int], built: Any, subject: Any
) -> None:
    """Central differences of both sides of the file, along a direction; they err by the square of the step."""
    timeline, phantom = built(), subject(shape)
    weights = torch.linspace(-1, 1, timeline.adc_samples, dtype=torch.float64)

    def loss(samples: Tensor) -> Tensor:
        return (samples.real * weights).sum() + (samples.imag * weights.flip(0)).sum()

    values = torch.tensor(NUMBERS[kind], dtype=torch.float64, requires_grad=True)
    changed = samples_of(timeline, phantom, changes_to(timeline, kind, values), rtol=1e-8)
    (gradient,) = torch.autograd.grad(loss(changed), values)
    above, below = (moved(kind, sign) for sign in (1, -1))
    difference = loss(samples_of(built(**{kind: above}), phantom)) - loss(samples_of(built(**{kind: below}), phantom))
    direction = torch.tensor(above, dtype=torch.float64) - torch.tensor(below, dtype=torch.float64)
    assert float(gradient @ direction) == pytest.approx(float(difference), rel=1e-3)


def test_gradients_of_all_changes_and_of_maps_at_once_are_those_of_differences(built: Any, subject: Any) -> None:
    timeline, phantom = built(), subject((1, 1, 3))
    pulses, blocks = 3, len(timeline)
    random = torch.Generator().manual_seed(2)

    def signal(scale: Tensor, phase: Tensor, offset: Tensor, delay: Tensor, gradients: Tensor, t2: Tensor) -> Tensor:
        changes = SequenceChanges(scale, phase, 100 * offset, 1e-3 * delay, gradients)
        return torch.view_as_real(samples_of(timeline, replace(phantom, t2=t2), changes))

    sizes = {"scale": pulses, "phase": pulses, "offset": pulses, "delay": blocks}
    values = [torch.rand(size, generator=random, dtype=torch.float64) for size in sizes.values()]
    values = [*values, torch.rand(3, blocks, generator=random, dtype=torch.float64), phantom.t2]
    inputs = tuple(value.clone().requires_grad_() for value in values)
    assert torch.autograd.gradcheck(signal, inputs, eps=1e-5, atol=1e-7, rtol=1e-4, fast_mode=True)


def test_changes_of_nothing_change_nothing(built: Any, subject: Any) -> None:
    timeline, phantom = built(), subject((3, 4, 5))
    nothing = SequenceChanges(rf_scale=1.0, rf_phase=0.0, rf_offset=0.0, delay=0.0, gradient_scale=1.0)
    plain = samples_of(timeline, phantom)
    for changes in (nothing, SequenceChanges()):
        torch.testing.assert_close(samples_of(timeline, phantom, changes), plain, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["rf_scale", "rf_phase", "rf_offset", "delay", "gradient_scale"])
def test_one_number_for_all_has_the_sum_of_their_gradients(name: str, built: Any, subject: Any) -> None:
    timeline, phantom = built(), subject((3, 4, 5))
    shape = {"delay": (len(timeline),), "gradient_scale": (3, len(timeline))}.get(name, (3,))
    start = 1.0 if "scale" in name else 0.0
    one = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    many = torch.full(shape, start, dtype=torch.float64, requires_grad=True)
    together, singly = (
        torch.autograd.grad(samples_of(timeline, phantom, SequenceChanges(**{name: value})).real.sum(), value)[0]
        for value in (one, many)
    )
    torch.testing.assert_close(together, singly.sum(), rtol=1e-9, atol=1e-12)


def test_gradients_of_a_rotated_block_scale_before_they_turn(train: Any, subject: Any) -> None:
    """Against the plain sum over isochromats, which knows no changes but a timeline that has them."""
    timeline = train.pulse(70, z=2e4, duration=PULSE).wait(2e-3, x=60.0, y=-30.0).read(8, 1e-4, x=9.0, y=4.0).timeline()
    angle = np.radians(25)
    quaternion = (np.cos(angle / 2), *(np.sin(angle / 2) * np.array([0.6, 0.0, 0.8])))
    turned = replace(timeline, extensions=((Rotation(quaternion),),), block_extension=np.array([0, -1, 0]))
    scale = torch.tensor([[0.9, 1.2, -0.7], [1.1, 0.5, 2.0], [1.3, 1.0, 0.4]], dtype=torch.float64)
    phantom, changes = subject((3, 4, 5)), SequenceChanges(gradient_scale=scale)
    found = samples_of(turned, phantom, changes)
    plain = isochromat_sum(changed_timeline(turned, changes), phantom)[0]
    np.testing.assert_allclose(found.numpy(), plain, rtol=0, atol=1e-9)


def test_a_readout_that_turns_onto_an_axis_leaves_it_when_scaled(train: Any, subject: Any) -> None:
    """As the file has it, it plays along x alone; with x and y of different scale it has a part along y."""
    angle = 0.4
    steps = {"x": 9 * np.cos(angle), "y": 9 * np.sin(angle)}
    timeline = train.pulse(90).read(8, 1e-4, **steps).timeline()
    quaternion = (np.cos(angle / 2), 0.0, 0.0, -np.sin(angle / 2))
    turned = replace(timeline, extensions=((Rotation(quaternion),),), block_extension=np.array([-1, 0]))
    scale = torch.tensor([[1.0, 1.0], [1.0, 0.5], [1.0, 1.0]], dtype=torch.float64)
    phantom, changes = subject((1, 4, 5)), SequenceChanges(gradient_scale=scale)
    plain = isochromat_sum(changed_timeline(turned, changes), phantom)[0]
    found = samples_of(turned, phantom, changes, dephasing=False)
    np.testing.assert_allclose(found.numpy(), plain, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["rf_scale", "rf_offset", "gradient_scale"])
def test_spins_that_are_all_alike_have_the_gradients_of_one(name: str, train: Any, phantom: Any) -> None:
    """Tables of a single number have no slope: theirs must reach further.  All spins lie in one plane, off centre."""
    timeline = train.pulse(70, duration=PULSE, z=2e4, frequency=100.0).wait(1e-3, z=30.0).read().timeline()
    start = 1.0 if "scale" in name else 0.0

    def gradient(shape: tuple[int, int, int]) -> float:
        value = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        plane = replace(phantom(shape, (0.2, 0.2, 0.005)), centre=(0.0, 0.0, 0.004))
        samples = samples_of(timeline, plane, SequenceChanges(**{name: value}), dephasing=False)
        (found,) = torch.autograd.grad(samples.real.sum() + 0.5 * samples.imag.sum(), value)
        return found.item()

    assert abs(gradient((1, 1, 1))) > 1e-4
    assert gradient((1, 24, 24)) == pytest.approx(gradient((1, 1, 1)), rel=1e-6)


@pytest.mark.parametrize("shape", [(3, 4, 5), (9, 9, 9)], ids=["each spin solved", "from tables"])
def test_gradients_that_make_maps_again_are_those_that_keep_them(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int, int], built: Any, subject: Any
) -> None:
    def gradient(budget: float) -> Tensor:
        monkeypatch.setattr(changed_pulses, "GRADIENT_BUDGET", budget)
        scale = torch.ones(3, dtype=torch.float64, requires_grad=True)
        samples = samples_of(built(), subject(shape), SequenceChanges(rf_scale=scale))
        return torch.autograd.grad(samples.abs().sum(), scale)[0]

    torch.testing.assert_close(gradient(0), gradient(float("inf")), rtol=1e-12, atol=0)


def test_a_gradient_that_slopes_during_a_pulse_scales(train: Any, subject: Any) -> None:
    timeline = train.pulse(70, z=2e4, duration=PULSE).wait(2e-3, x=60.0).read(8, 1e-4, x=9.0).timeline()
    sloped = replace(timeline.gradients[0], knots=(0.0, PULSE / 2, PULSE / 2, PULSE))
    timeline = replace(timeline, gradients=(sloped, *timeline.gradients[1:]))
    phantom = subject((3, 4, 5))
    scale = torch.tensor(0.8, dtype=torch.float64, requires_grad=True)

    def signal(scale: Tensor) -> Tensor:
        changes = SequenceChanges(gradient_scale=scale)
        return torch.view_as_real(samples_of(timeline, phantom, changes))

    again = samples_of(changed_timeline(timeline, SequenceChanges(gradient_scale=scale)), phantom)
    torch.testing.assert_close(torch.view_as_complex(signal(scale)), again, rtol=0, atol=1e-9)
    assert torch.autograd.gradcheck(signal, (scale,), eps=1e-5, atol=1e-7, rtol=1e-4, fast_mode=True)


def test_changes_before_a_complete_recovery_are_forgotten(built: Any, subject: Any) -> None:
    """What the first shot does to Mz and how long it takes leaves no trace in the second."""
    timeline, phantom = built(), subject((1, 2, 2))
    twice = np.tile(np.arange(len(timeline)), 2)
    columns = ("block_duration", "block_rf", "block_adc", "block_extension")
    shots = replace(
        timeline,
        **{name: getattr(timeline, name)[twice] for name in columns},
        block_gradient=timeline.block_gradient[:, twice],
    )
    scale = torch.ones(6, dtype=torch.float64, requires_grad=True)
    delay = torch.zeros(len(shots), dtype=torch.float64, requires_grad=True)
    changes = SequenceChanges(rf_scale=scale, delay=delay)
    samples = samples_of(shots, phantom, changes, complete_recovery=True)
    second = samples[timeline.adc_samples :]
    torch.testing.assert_close(second, samples_of(timeline, phantom), rtol=0, atol=1e-12)
    gradients = torch.autograd.grad(second.abs().sum(), (scale, delay))
    assert [bool(each[: each.numel() // 2].any()) for each in gradients] == [False, False]
    assert [bool(each[each.numel() // 2 :].any()) for each in gradients] == [True, True]


@pytest.mark.parametrize("engine", ["fast", "general"])
def test_compiled_engines_say_that_changes_have_no_gradients_there(engine: str, built: Any, subject: Any) -> None:
    wanted = SequenceChanges(rf_phase=torch.zeros(3, requires_grad=True))
    with pytest.raises(ConfigurationError, match="but a change of the sequence asks for gradients; engine=auto plays"):
        solve_phantom(built(), subject((1, 2, 2)), engine=engine, changes=wanted)
    solution = solve_phantom(built(), subject((1, 2, 2)), changes=wanted)
    assert solution.samples.requires_grad
    assert "Played with changes of the file: rf_phase." in solution.notes


def test_changes_that_do_not_fit_are_refused_before_anything_is_played(built: Any, subject: Any) -> None:
    with pytest.raises(SequenceError, match="plays 3 RF pulses"):
        solve_phantom(built(), subject((1, 2, 2)), changes=SequenceChanges(rf_scale=torch.ones(4)))
