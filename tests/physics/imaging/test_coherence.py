"""Coherence pathways against extended phase graphs, and warnings of false echoes against the images that have them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from spinloom.physics.epg import epg_echo_train
from spinloom.physics.imaging.aliasing import aliasing
from spinloom.physics.imaging.aliasing_notes import aliasing_notes, describe
from spinloom.physics.imaging.coherence import MOST_PULSES, pathways
from spinloom.physics.imaging.depths import COLUMNS, ROWS, groups, plane_depths, stride
from spinloom.physics.imaging.engine import solve_phantom
from spinloom.physics.imaging.spins import spins_of
from spinloom.sequence.families import build
from spinloom.sequence.family import Family
from spinloom.sequence.spatial_program import spatial_program
from spinloom.sequence.timeline import Timeline
from spinloom.sequences.fse import fse
from spinloom.sequences.moled import moled
from spinloom.tissue.phantom import Phantom

FOV = 0.2


def signal(timeline: Timeline, subject: Phantom, **options: Any) -> np.ndarray:
    samples: np.ndarray = solve_phantom(timeline, subject, dtype=torch.float64, **options).samples[0].numpy()
    return samples


def body(phantom: Any, side: int, **maps: Any) -> Phantom:
    """A smooth body, the same at any number of voxels a side: a Gaussian that is 1e-4 at the borders."""
    place = (torch.arange(side, dtype=torch.float64) - side // 2) / side
    m0 = torch.exp(-36 * (place**2 + place[:, None] ** 2))
    return phantom((1, side, side), fov=(FOV, FOV, 5e-3), m0=m0, **maps)


def four_pulses(refocusing: float) -> Timeline:
    """MOLED of 32 x 32 samples, its shift gradients a quarter of the published ones."""
    parameters = {
        "matrix": 32,
        "fov_mm": 200.0,
        "esp_ms": 0.4,
        "t0_ms": 6.0,
        "shift_x": (6.0, -3.0, 6.0, -4.0),
        "shift_y": (8.0, 8.0, 8.0, -12.0),
        "refocusing_deg": refocusing,
    }
    return build(Family.of("moled", moled), parameters).timeline()


def test_pathways_of_an_echo_train_have_the_amplitudes_of_extended_phase_graphs(train: Any, phantom: Any) -> None:
    spacing, echoes = 8e-3, 12
    train.pulse(90, 90)
    for _ in range(echoes):
        train.wait(spacing / 2, x=25.0).pulse(140, 0, "refocusing").wait(spacing / 2, x=25.0).read()
    subject = phantom((1, 4, 4), t1=0.7, t2=0.05, b0=37.0, b1=1.1)
    found = pathways(spatial_program(train.timeline()), spins_of(subject))
    centre = [one.amplitude for one in found if np.abs(one.moment).max() < 1e-6]
    one = {name: torch.tensor(value, dtype=torch.float64) for name, value in (("t1", 0.7), ("t2", 0.05))}
    flips = torch.full((echoes,), np.radians(140), dtype=torch.float64)
    expected = epg_echo_train(**one, refocusing=flips, spacing=spacing, b1=1.1, b0=37.0).abs().numpy()
    np.testing.assert_allclose(centre, expected, atol=1e-4)  # coherences below 1e-5 are not followed


def test_pathways_name_the_pulses_that_made_them(train: Any, phantom: Any) -> None:
    """Three pulses make three decays, four spin echoes, and what was stored is recalled with either sign."""
    train.pulse(70).wait(1e-3, x=10.0).pulse(80, use="other").wait(1e-3, x=30.0).pulse(60, use="other")
    timeline = train.wait(1e-3, x=100.0).read().timeline()
    found = [
        (describe(one.turns), round(one.moment[0])) for one in pathways(spatial_program(timeline), spins_of(phantom()))
    ]
    assert sorted(found) == [
        ("excited by pulse 1", 140),
        ("excited by pulse 1, refocused by pulse 2", 120),
        ("excited by pulse 1, refocused by pulse 3", 60),
        ("excited by pulse 1, refocused by pulses 2, 3", 80),
        ("excited by pulse 1, stored by pulse 2, recalled by pulse 3", 90),
        ("excited by pulse 1, stored by pulse 2, recalled by pulse 3", 110),
        ("excited by pulse 2", 130),
        ("excited by pulse 2, refocused by pulse 3", 70),
        ("excited by pulse 3", 100),
    ]


def test_a_slice_profile_counts_for_what_it_excites(train: Any, phantom: Any) -> None:
    """The mean over 16 isochromats of a sinc pulse's profile, which is a third of the phantom wide."""
    shape = np.sinc(np.linspace(-3, 3, 301)) * (0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, 301)))
    width = 2 / 1e-3  # of the slice [Hz]: two zero crossings a millisecond
    timeline = train.pulse(90, shape=shape, duration=3e-3, x=3 * width / FOV).read().timeline()
    (found,) = pathways(spatial_program(timeline), spins_of(phantom((1, 1, 300), t2=10.0)))
    assert found.amplitude == pytest.approx(1 / 3, abs=0.1)
    assert found.moment[0] == pytest.approx(3 * width / FOV * 1.5e-3, rel=1e-6)


def test_false_echoes_are_where_the_warning_says_and_as_large(phantom: Any) -> None:
    """On 32 spins a side the free induction of a refocusing pulse of 150 degrees comes back; on enough nothing does."""
    timeline = four_pulses(150.0)
    coarse, fine = body(phantom, 32), signal(timeline, body(phantom, 160))
    program = spatial_program(timeline)
    found = aliasing(program, coarse)
    error = np.abs(signal(timeline, coarse) - fine) / np.abs(fine).max()
    largest = found.echoes[0]
    assert (largest.turns, found.grid.counts) == (((5, "excited"),), (32, 32, 1))
    for echo in found.echoes[:3]:
        first = int(np.searchsorted(program.measurement, echo.measurement))
        assert error[first + echo.sample] == pytest.approx(echo.size, rel=0.25)  # others overlap
    assert error.max() == pytest.approx(largest.size, rel=0.25)
    assert found.enough is not None
    enough = body(phantom, found.enough.counts[0])
    assert found.enough.counts[0] < 160
    assert aliasing(program, enough).echoes == ()
    remaining = np.abs(signal(timeline, enough) - fine).max() / np.abs(fine).max()
    assert remaining < found.limit


def test_the_warning_is_a_sentence_with_a_way_out(phantom: Any) -> None:
    sentences = aliasing_notes(aliasing(spatial_program(four_pulses(150.0)), body(phantom, 32)))
    assert sentences[0].startswith("32 x 32 x 1 isochromats are too few for the coherence excited by pulse 5: dephased")
    assert sentences[-1].endswith("isochromats keep all false echoes below 0.1 %.")
    assert aliasing_notes(aliasing(spatial_program(four_pulses(150.0)), body(phantom, 160))) == ()


@pytest.mark.parametrize("dephasing", [True, False], ids=["spread over the plane", "in its middle"])
def test_a_crusher_through_the_plane_comes_back_where_depths_repeat(train: Any, phantom: Any, dephasing: bool) -> None:
    """As many cycles as a row has depths: a whole turn from row to row, and the moment `expected` along x."""
    side, step = 32, 1 / FOV
    train.pulse(90).wait(1e-6, x=-(side // 2 + 0.5) * step).read(side, 1e-7, x=step)
    train.wait(1e-6, x=-side * step, z=ROWS / 5e-3).read(side, 1e-7, x=step)
    timeline, subject = train.timeline(), body(phantom, side)
    found = aliasing(spatial_program(timeline), subject, dephasing)
    true, false = np.abs(signal(timeline, subject, dephasing=dephasing)).reshape(2, side)
    (echo,) = found.echoes
    assert echo.measurement == 1
    assert false[echo.sample] == pytest.approx(false.max())
    assert echo.size == pytest.approx(false.max() / true.max(), rel=1e-3)
    expected = side * (stride(COLUMNS) / COLUMNS if dephasing else 0.0)
    assert abs(abs(echo.sample - side // 2) - expected) <= 0.5


@pytest.mark.parametrize("cycles", [1, 4, 7])
def test_a_plane_misses_its_volume_by_what_the_warning_says(phantom: Any, cycles: int) -> None:
    """Crushers of a train that refocuses badly, against 61 planes, which rephase at 61 cycles only."""
    parameters = {"matrix": 16, "shots": 4, "etl": 4, "fov_mm": 200.0, "crusher_cycles": float(cycles)}
    timeline = build(Family.of("fse", fse), parameters).timeline()
    plane = body(phantom, 64, b1=0.8)
    maps = {name: getattr(plane, name).expand(61, -1, -1).contiguous() for name in ("m0", "t1", "t2", "b0", "b1")}
    found, expected = (signal(timeline, subject) for subject in (plane, replace(plane, **maps)))
    error = np.abs(found - expected).max() / np.abs(expected).max()
    told = aliasing(spatial_program(timeline), plane).echoes[0].size
    assert 1e-3 < error < 1e-2  # one in two hundred, where a crusher that rephased would leave one in five
    assert told == pytest.approx(error, rel=0.1)


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (1, 5), (8, 3), (9, 7), (90, 70)])
def test_depths_divide_the_thickness_evenly_on_any_grid(columns: int, rows: int) -> None:
    """Each once in a tile of neighbours, centred; a lone spin lies in the middle."""
    across, down = plane_depths(columns, rows, 5e-3, torch.device("cpu"))
    wide, high = groups(columns, rows)
    tile = (across[:wide, None] + down[:high]).flatten().sort().values
    number = torch.arange(wide * high, dtype=torch.float64)
    np.testing.assert_allclose(tile, 5e-3 * ((number + 0.5) / (wide * high) - 0.5), atol=1e-15)
    assert columns < 2 or float((across[1:] - across[:-1]).abs().min()) > 0


def test_planes_resolve_what_depths_do_not(train: Any, phantom: Any) -> None:
    """A phantom of as many planes as the warning asks for has no false echo, and crushes."""
    timeline = train.pulse(90).read().wait(1e-6, z=4 / 5e-3).read().timeline()
    found = aliasing(spatial_program(timeline), body(phantom, 8), dephasing=False)
    assert found.enough is not None
    assert found.enough.plane
    assert "spread over the thickness of the plane" in aliasing_notes(found)[-1]
    planes = phantom((16, 8, 8), fov=(FOV, FOV, 5e-3))
    assert aliasing(spatial_program(timeline), planes).echoes == ()
    assert abs(signal(timeline, planes)[1]) < 1e-10


def test_a_grid_that_is_coarser_than_the_image_is_told_so(train: Any, phantom: Any) -> None:
    """Sixteen spins seen at 32 points of k: the image itself comes back at its edges."""
    train.pulse(90).wait(1e-6, x=-16.5 / FOV)
    timeline = train.read(32, 1e-7, x=1 / FOV).timeline()
    (echo,) = aliasing(spatial_program(timeline), phantom((1, 16, 16), fov=(FOV, FOV, 5e-3))).echoes
    assert (echo.sample, echo.size) == (0, pytest.approx(1, rel=1e-4))
    assert aliasing(spatial_program(timeline), phantom((1, 16, 32), fov=(FOV, FOV, 5e-3))).echoes == ()


def test_long_sequences_are_followed_for_their_first_pulses_only(train: Any, phantom: Any) -> None:
    timeline = train.pulse(10).read().again(MOST_PULSES + 1).timeline()
    found = aliasing(spatial_program(timeline), phantom((1, 4, 4)))
    assert found.stopped
    assert f"{MOST_PULSES:,}" in aliasing_notes(found)[-1]


def test_an_empty_phantom_and_a_silent_sequence_have_no_false_echoes(train: Any, phantom: Any) -> None:
    timeline = train.pulse(90).wait(1e-3, x=1e4).read().timeline()
    assert aliasing(spatial_program(timeline), phantom(m0=0.0)).echoes == ()
    silent = replace(timeline, block_rf=np.full(3, -1))
    assert aliasing(spatial_program(silent), phantom()).echoes == ()
