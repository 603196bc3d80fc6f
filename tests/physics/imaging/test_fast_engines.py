"""The compiled engines against the readable one and the plain sum over isochromats, and what must not matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch

import spinloom
from spinloom.errors import ConfigurationError
from spinloom.physics.imaging import plan as planning
from spinloom.physics.imaging import readable, tiles
from spinloom.physics.imaging.engine import solve_phantom
from spinloom.sequence.timeline import GradientEvent, Timeline
from spinloom.testing.isochromat_sum import isochromat_sum
from spinloom.tissue.phantom import Phantom

ENGINES = pytest.mark.parametrize("engine", ["fast", "general", "readable"])
COMPILED = pytest.mark.parametrize("engine", ["fast", "general"])
PRECISIONS = pytest.mark.parametrize(
    ("dtype", "rtol"), [(torch.float64, 1e-9), (torch.float32, 1e-5)], ids=["double", "single"]
)

FAMILIES = {
    "epi": "epi(matrix=16, te_ms=15, rf={})",
    "ramp-sampled epi": "epi(matrix=16, te_ms=15, ramp_sampling=true, rf={})",
    "fse": "fse(matrix=16, shots=4, etl=4, tr_ms=400, rf={})",
    "moled": "moled(matrix=16, shift_x=(3, -1, 3, -2), shift_y=(4, 4, 4, -6), esp_ms=0.9, rf={})",
}


@pytest.fixture
def textured(phantom: Any) -> Callable[..., Phantom]:
    """Makes phantoms whose maps differ from voxel to voxel, a third of them empty."""

    def make(shape: tuple[int, int, int] = (2, 24, 24), seed: int = 0, **changes: Any) -> Phantom:
        draw = np.random.default_rng(seed)
        m0 = draw.random(shape) * (draw.random(shape) > 1 / 3)
        maps = {name: draw.uniform(*ends, shape) for name, ends in RANGES.items()}
        subject: Phantom = phantom(shape, fov=(0.22, 0.22, 0.005), **({"m0": m0} | maps | changes))
        return subject

    return make


@lru_cache
def family(name: str, rf: str = "hard") -> Timeline:
    """A small sequence of a family."""
    return spinloom.read_sequence(FAMILIES[name].format(rf))


RANGES = {"t1": (0.5, 2.0), "t2": (0.03, 0.3), "b0": (-150.0, 150.0), "b1": (0.7, 1.3)}


@pytest.fixture(scope="module")
def plain_sums() -> dict[Any, np.ndarray]:
    """What the plain sum gave, by what it was asked for."""
    return {}


def signal(timeline: Timeline, subject: Phantom, engine: str = "fast", **options: Any) -> np.ndarray:
    """Samples of all coils from one isochromat a voxel, in double precision unless asked otherwise."""
    numerics = {"rtol": 1e-9, "dtype": torch.float64, "dephasing": False} | options
    found: np.ndarray = solve_phantom(timeline, subject, engine=engine, **numerics).samples.numpy()
    return found


def miss(found: np.ndarray, expected: np.ndarray, subject: Phantom) -> float:
    """Largest error of a sample, relative to the mean M0."""
    return float(np.abs(found - expected).max() / subject.m0.mean())


def triangles(timeline: Timeline) -> Timeline:
    """The timeline with triangles for its rectangular gradients, of the same moment."""

    def triangle(event: GradientEvent) -> GradientEvent:
        assert event.knots is not None
        end = event.knots[-1]
        return replace(event, amplitude=2 * event.amplitude, knots=(0.0, end / 2, end / 2, end))

    return replace(timeline, gradients=tuple(map(triangle, timeline.gradients)))


@ENGINES
@PRECISIONS
@pytest.mark.parametrize("rf", ["hard", "sinc"])
@pytest.mark.parametrize("name", FAMILIES)
def test_engines_meet_the_plain_sum(
    name: str, rf: str, dtype: torch.dtype, rtol: float, engine: str, textured: Any, plain_sums: dict[Any, np.ndarray]
) -> None:
    """With dB0, B1+, T1 and T2 maps; the error asked for is held."""
    timeline, subject = family(name, rf), textured()
    if (name, rf) not in plain_sums:
        plain_sums[name, rf] = isochromat_sum(timeline, subject)
    found = signal(timeline, subject, engine, rtol=rtol, dtype=dtype)
    assert miss(found, plain_sums[name, rf], subject) < rtol


@ENGINES
def test_the_error_asked_for_chooses_the_expansions(
    engine: str, textured: Any, plain_sums: dict[Any, np.ndarray]
) -> None:
    """Each is held, and what is not asked for is not worked out: the error falls with it."""
    timeline, subject = family("epi", "sinc"), textured()
    if ("epi", "sinc") not in plain_sums:
        plain_sums["epi", "sinc"] = isochromat_sum(timeline, subject)
    asked = [10.0**-digits for digits in range(2, 9)]
    found = [miss(signal(timeline, subject, engine, rtol=rtol), plain_sums["epi", "sinc"], subject) for rtol in asked]
    assert all(error < rtol for error, rtol in zip(found, asked, strict=True))
    assert found[-1] < 1e-3 * found[0]


@COMPILED
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 37), (1, 23, 1), (5, 7, 9), (3, 33, 17)])
def test_any_grid_will_do(shape: tuple[int, int, int], engine: str, textured: Any) -> None:
    """Rows and columns that fill no register, and a grid of one voxel."""
    timeline = family("fse")
    subject = textured(shape, m0=np.random.default_rng(1).random(shape))
    assert miss(signal(timeline, subject, engine), isochromat_sum(timeline, subject), subject) < 1e-9


@ENGINES
def test_each_coil_hears_its_own_sensitivity(engine: str, textured: Any) -> None:
    draw = np.random.default_rng(2)
    coils = draw.normal(size=(3, 2, 24, 24)) + 1j * draw.normal(size=(3, 2, 24, 24))
    timeline, subject = family("epi"), textured(coils=coils)
    assert miss(signal(timeline, subject, engine), isochromat_sum(timeline, subject), subject) < 1e-8  # |coil| up to 4


@COMPILED
def test_samples_that_move_along_two_axes_are_summed_one_by_one(engine: str, train: Any, textured: Any) -> None:
    """Spokes under constant gradients, and the same under triangles, beside lines along x and along y."""
    train.pulse(70, duration=1e-4)
    for angle in np.linspace(0, np.pi, 5):
        step = 4.0 * np.array([np.cos(angle), np.sin(angle)])
        train.wait(1e-4, x=-40 * step[0], y=-40 * step[1]).read(80, 1e-5, x=step[0], y=step[1])
        train.wait(1e-4, x=-40 * step[0], y=-40 * step[1]).pulse(170, 90, "refocusing", duration=2e-4)
    train.read(24, 1e-5, x=3.0).read(24, 1e-5, y=3.0)
    subject = textured((3, 30, 26))
    for timeline in (train.timeline(), triangles(train.timeline())):
        assert miss(signal(timeline, subject, engine), isochromat_sum(timeline, subject), subject) < 1e-9


@COMPILED
def test_single_precision_does_not_drift_along_a_spoke(engine: str, train: Any, textured: Any) -> None:
    """2000 samples, each the product of the one before."""
    timeline = train.pulse(90, duration=1e-4).wait(1e-4, x=-300.0, y=-200.0).read(2000, 2e-6, x=0.3, y=0.2).timeline()
    subject = textured((1, 40, 40))
    found = signal(timeline, subject, engine, rtol=1e-5, dtype=torch.float32)
    assert miss(found, isochromat_sum(timeline, subject), subject) < 1e-5


@COMPILED
def test_a_gradient_that_varies_during_a_pulse_is_played(engine: str, train: Any, textured: Any) -> None:
    """The plain sum cuts a slope in steps of its mean, which leaves 1e-6 with 64 of them; so does the lowering's 32."""
    shape = np.sinc(np.linspace(-2, 2, 60))
    train.pulse(60, shape=shape, duration=2e-3, z=2e5, x=3e3).wait(1e-3, z=-200.0).read(16, 1e-5, x=4.0)
    timeline, subject = triangles(train.timeline()), textured((4, 12, 12))
    assert miss(signal(timeline, subject, engine), isochromat_sum(timeline, subject), subject) < 1e-4
    readable = signal(timeline, subject, "readable")
    assert miss(signal(timeline, subject, engine), readable, subject) < 1e-9


@COMPILED
def test_magnetisation_may_begin_anywhere_along_z(engine: str, textured: Any) -> None:
    timeline, subject = family("epi"), textured()
    start = torch.from_numpy(np.random.default_rng(3).uniform(-1, 1, subject.shape)) * subject.m0
    found, expected = (signal(timeline, subject, name, start=start) for name in (engine, "readable"))
    assert miss(found, expected, subject) < 1e-9


@COMPILED
def test_recovery_may_be_complete(engine: str, textured: Any) -> None:
    timeline, subject = family("fse"), textured()
    found = signal(timeline, subject, engine, complete_recovery=True)
    assert miss(found, isochromat_sum(timeline, subject, complete_recovery=True), subject) < 1e-9


@COMPILED
def test_samples_before_any_pulse_are_silent(engine: str, train: Any, textured: Any) -> None:
    found = signal(train.read(4).pulse(90).read(4).timeline(), textured(), engine)
    assert np.all(found[0, :4] == 0)
    assert np.all(found[0, 4:] != 0)


@COMPILED
def test_threads_change_nothing(engine: str, textured: Any) -> None:
    timeline, subject = family("fse"), textured((3, 50, 90))
    one, three = (signal(timeline, subject, engine, threads=number, dtype=torch.float32) for number in (1, 3))
    assert np.array_equal(one, three)


@COMPILED
def test_chunks_change_nothing_but_the_order_of_sums(
    engine: str, textured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeline, subject = family("epi"), textured((3, 60, 40))
    whole = signal(timeline, subject, engine)
    monkeypatch.setattr(tiles, "CHUNK", 1)
    seen: list[tuple[int, int]] = []
    parts = signal(timeline, subject, engine, progress=lambda *counts: seen.append(counts))
    assert miss(parts, whole, subject) < 1e-13
    assert seen[-1] == (subject.voxels, subject.voxels)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


@pytest.mark.parametrize("shape", [(3, 20, 24), (1, 20, 24)], ids=["planes", "rows"])
def test_parts_of_the_readable_engine_change_nothing_but_the_order_of_sums(
    shape: tuple[int, int, int], textured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeline, subject = family("fse"), textured(shape)
    whole = signal(timeline, subject, "readable")
    monkeypatch.setattr(readable, "SPINS_AT_ONCE", 100)
    assert miss(signal(timeline, subject, "readable"), whole, subject) < 1e-13


@COMPILED
@pytest.mark.parametrize("name", ["fse", "moled"])
def test_what_is_worked_out_once_changes_nothing(
    engine: str, name: str, textured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables of spans, pulses joined with the spans around them, and moments that wait, or none of these."""
    timeline, subject = family(name), textured()
    shared = signal(timeline, subject, engine)
    monkeypatch.setattr(planning, "OFTEN", 10**9)
    for most in (0, 10**9):
        monkeypatch.setattr(planning, "MOST_FACTORS", most)
        single = signal(replace(timeline), subject, engine)  # a copy has no plan yet
        assert miss(single, shared, subject) < 1e-12


@COMPILED
def test_signals_are_linear_in_m0(engine: str, textured: Any) -> None:
    timeline, subject = family("moled"), textured()
    doubled = replace(subject, m0=2 * subject.m0)
    assert np.array_equal(2 * signal(timeline, subject, engine), signal(timeline, doubled, engine))


@COMPILED
def test_a_phantom_of_nothing_is_silent(engine: str, textured: Any) -> None:
    timeline = family("epi")
    assert not signal(timeline, textured(m0=0.0), engine).any()


@COMPILED
def test_compiled_engines_say_that_they_have_no_gradients(engine: str, textured: Any) -> None:
    subject = textured()
    wanted = replace(subject, t2=subject.t2.clone().requires_grad_())
    timeline = family("epi")
    with pytest.raises(ConfigurationError, match=f"simulator.engine is '{engine}', which has no gradients"):
        signal(timeline, wanted, engine)
    assert solve_phantom(timeline, wanted).samples.requires_grad
