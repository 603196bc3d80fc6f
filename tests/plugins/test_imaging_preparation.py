"""Saturation by pools, readout by isochromats: what images of one file are, held against each physics alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import spinloom
from spinloom.physics.engine import solve_pools
from spinloom.sequence.parts import with_markers
from spinloom.tasks.simulate import build_simulator
from spinloom.tissue.files import tissue_from_mapping
from spinloom.tissue.phantom import Phantom, PoolMap
from spinloom.tissue.phantoms.voxel_tissues import voxel_tissues
from spinloom.tissue.pools import Tissue

SIDE = 16
TRAIN = (
    "largest_ppm=1, step_ppm=0.5, pulses=2, pulse_ms=20, recovery_ms=500, matrix=16, esp_ms=0.6, ramp_sampling=false"
)
"""Six images of a quarter of a second: the M0 scan and offsets from -1 to 1 ppm."""

WHOLE = {"dtype": "float64", "rtol": 1e-9, "spins": 1, "preparation": {"rtol": 1e-9}}


def tissues(reset: bool = True) -> Tissue:
    """Two tissues of water, amide protons and a semisolid pool."""
    return tissue_from_mapping(
        {
            "water_pool": {"f": 1.0, "t1": [1.0, 1.4], "t2": [0.08, 0.1]},
            "cest_pool": {"amide": {"f": [0.001, 0.003], "t1": 1.0, "t2": 0.1, "k": 50, "dw": 0.5}},
            "mt_pool": {"f": 0.05, "t1": 1.0, "t2": 1e-5, "k": 20, "dw": 0, "lineshape": "SuperLorentzian"},
            "b0": 3.0,
            "gamma": 267.5153,
            "reset_init_mag": reset,
        },
        "two tissues",
    )


def phantom(tissue: Tissue, t1: float = 1.2, t2: float = 0.09, b0: float = 0.0, side: int = SIDE) -> Phantom:
    """Voxels of tissue 0 and 1 at random, without magnetisation at the rim."""
    generator = torch.Generator().manual_seed(1)
    shape = (1, side, side)
    m0 = 0.2 + torch.rand(shape, generator=generator, dtype=torch.float64)
    m0[:, [0, -1]] = 0.0
    index = torch.randint(0, 2, shape, generator=generator)

    def full(value: float) -> torch.Tensor:
        return torch.full(shape, value, dtype=torch.float64)

    return Phantom(
        "squares",
        (0.22, 0.22, 0.005),
        m0,
        full(t1),
        full(t2),
        full(b0),
        full(1.0),
        pools=PoolMap(tissue, torch.where(m0 > 0, index, -1), ("first", "second")),
    )


def images(subject: Phantom, sequence: str, **options: Any) -> torch.Tensor:
    """Complex images, shape `(images, y, x)`."""
    timeline = spinloom.read_sequence(sequence)
    kspace = spinloom.simulate(sequence=timeline, phantom=subject, simulator="cest_epi", **{**WHOLE, **options})
    return spinloom.reconstruct(kspace, timeline.definitions).data[:, 0, 0]


def test_without_saturation_an_image_is_that_of_water_from_equilibrium() -> None:
    subject, sequence = phantom(tissues()), f"cest_epi({TRAIN}, b1_ut=0)"
    both = spinloom.simulate(sequence=sequence, phantom=subject, simulator="cest_epi", **WHOLE)
    alone = spinloom.simulate(
        sequence=sequence,
        phantom=replace(subject, pools=None),
        simulator="bloch",
        recovery="complete",
        dtype="float64",
        rtol=1e-9,
    )
    assert torch.equal(torch.from_numpy(both.time), torch.from_numpy(alone.time))
    # the same isochromats from the same magnetisation; what differs is the rounding of the pools' equilibrium
    assert float((both.samples - alone.samples).abs().max()) < 1e-10


def test_a_voxel_of_one_tissue_shows_what_its_pools_leave_of_water() -> None:
    # relaxation so slow that the train does not blur, so that each voxel is its own tissue
    tissue = tissues()
    subject, sequence = phantom(tissue, t1=1e6, t2=1e6), f"cest_epi({TRAIN})"
    pictures = images(subject, sequence).abs()
    timeline = spinloom.read_sequence(sequence)
    found = spinloom.shots(timeline)
    begins = np.array([shot.blocks.start for shot in found])
    readouts = np.concatenate([np.arange(shot.blocks.start, shot.blocks.stop) for shot in found])
    mz = solve_pools(with_markers(timeline, begins, readouts), tissue, rtol=1e-9).mz
    assert subject.pools is not None
    index, inside = subject.pools.index[0], subject.m0[0] > 0
    expected = (mz / mz[:, :1]).T[:, index.clamp(min=0)]
    # the six digits of the file leave lines some 1e-6 of a cell beside their grid, through which voxels mix as much
    assert float((pictures / pictures[0] - expected)[:, inside].abs().max()) < 1e-5
    assert float(expected[:, inside].min()) < 0.8


def test_a_positive_field_moves_the_dip_to_positive_offset() -> None:
    hertz = 0.5 * 127.7  # half a ppm at 3 T
    sequence = f"cest_epi({TRAIN}, b1_ut=0.5)"
    for b0, dip in ((0.0, 0.0), (hertz, 0.5), (-hertz, -0.5)):
        subject = phantom(tissues(), b0=b0)
        middle = images(subject, sequence).abs()[1:, 6:10, 6:10].sum(dim=(1, 2))
        assert np.arange(-1, 1.01, 0.5)[int(middle.argmin())] == pytest.approx(dip)


def test_magnetisation_that_is_reset_forgets_the_shots_before() -> None:
    subject = phantom(tissues(reset=True))
    early, late = (images(subject, f"cest_epi({TRAIN.replace('500', time)})") for time in ("20", "500"))
    # the time between shots is only recovery towards the equilibrium that a reset begins at
    assert float((early - late).abs().max()) < 1e-9


def test_magnetisation_that_carries_on_recovers_between_shots() -> None:
    """Water alone, no saturation: after 90 degrees, Mz at the next excitation is 1 - exp(-t / T1)."""
    water = {"water_pool": {"f": 1.0, "t1": 1.0, "t2": 0.08}, "b0": 3.0, "gamma": 267.5153, "reset_init_mag": False}
    single = tissue_from_mapping(water, "water").flatten()
    subject = phantom(tissues())
    assert subject.pools is not None
    alone = PoolMap(single, subject.pools.index.clamp(max=0))
    subject = replace(subject, pools=alone)
    sequence = f"cest_epi({TRAIN}, b1_ut=0)"
    timeline = spinloom.read_sequence(sequence)
    solver = spinloom.PreparedSimulator(spinloom.Numerics(options={"preparation": {"rtol": 1e-9}}))
    start, _ = solver.prepared(timeline, subject)
    begins = timeline.block_start[[shot.blocks.start for shot in spinloom.shots(timeline)]]
    spacing = float(np.diff(begins)[0])
    relative = start[:, subject.m0 > 0] / subject.m0[subject.m0 > 0]
    assert float((relative[0] - 1).abs().max()) < 1e-12
    # the pulse is finite: at its end, half a millisecond after the shot's begin at most, Mz is 0 to 1e-3
    assert relative[1:].flatten().numpy() == pytest.approx(1 - np.exp(-spacing), abs=1e-3)


def test_images_add_up_over_the_offsets_in_their_order() -> None:
    subject = phantom(tissues())
    timeline = spinloom.read_sequence(f"cest_epi({TRAIN})")
    kspace = spinloom.simulate(sequence=timeline, phantom=subject, simulator="cest_epi", **WHOLE)
    image = spinloom.reconstruct(kspace, timeline.definitions)
    assert image.frames["REP"].tolist() == list(range(6))
    assert kspace.measurements == 6 * SIDE
    assert np.all(np.diff(kspace.time) > 0)


def test_voxels_alike_are_solved_once_and_those_with_a_field_of_their_own_apart() -> None:
    plain = phantom(tissues())
    assert voxel_tissues(plain).tissue.batch_shape == (2,)
    field = torch.linspace(-30, 30, SIDE * SIDE, dtype=torch.float64).reshape(1, SIDE, SIDE)
    placed = voxel_tissues(replace(plain, b0=field))
    inside = int((plain.m0 > 0).sum())
    assert placed.tissue.batch_shape == (inside,)
    shift = placed.tissue.b0_shift_ppm[placed.number] * 1e-6 * placed.tissue.larmor[placed.number]
    assert torch.allclose(shift, field[placed.inside], atol=1e-9)
    asked = replace(plain, b1=plain.b1.clone().requires_grad_())
    assert voxel_tissues(asked).tissue.batch_shape == (inside,)


def test_gradients_reach_the_field_through_the_preparation() -> None:
    """Of one voxel's Mz with respect to its own B1, against a difference of 2e-4 either side."""
    timeline = spinloom.read_sequence(f"cest_epi({TRAIN.replace('pulses=2', 'pulses=1')})")
    solver = spinloom.PreparedSimulator(spinloom.Numerics(options={"preparation": {"cells": 20}}))
    plain = phantom(tissues(), side=4)
    b1 = plain.b1.clone().requires_grad_()
    start, _ = solver.prepared(timeline, replace(plain, b1=b1))
    (gradient,) = torch.autograd.grad(start[2, 0, 1, 2], b1)
    step = torch.zeros_like(plain.b1)
    step[0, 1, 2] = 2e-4
    above, below = (solver.prepared(timeline, replace(plain, b1=plain.b1 + sign * step))[0] for sign in (1, -1))
    slope = float(above[2, 0, 1, 2] - below[2, 0, 1, 2]) / 4e-4
    # second-order differences of a smooth curve err by 1e-7 of its third derivative
    assert float(gradient[0, 1, 2]) == pytest.approx(slope, rel=1e-4)
    assert float(gradient.abs().sum()) == pytest.approx(float(gradient[0, 1, 2].abs()), rel=1e-9)


def test_spins_refine_the_readout_and_leave_the_preparation() -> None:
    subject = phantom(tissues())
    settings = {"name": "cest_epi", "dtype": "float32", "rtol": 1e-5}
    for spins in (1, 2):
        kspace = build_simulator({**settings, "spins": spins}).simulate(
            spinloom.read_sequence(f"cest_epi({TRAIN})"), subject
        )
        assert kspace.fov == subject.fov
        first = kspace.measurement < SIDE
        total = kspace.samples[0, np.argmin(np.linalg.norm(kspace.trajectory[first], axis=1))].abs()
        mean = subject.m0.mean() * np.exp(-1e-3 * (0.6 * 8 + 1) / 0.09)
        # the centre of k-space is the sum of all spins, so M0 as a whole stays; echo time to a millisecond
        assert float(total) == pytest.approx(float(mean), rel=0.03)


def test_false_echoes_of_a_readout_are_told_once_and_on_a_fine_enough_grid_not_at_all() -> None:
    """Sixteen spins cannot hold the edges of 32 lines; all three images play the same readout."""
    sequence = "cest_epi(matrix=32, esp_ms=0.6, pulses=1, pulse_ms=10, recovery_ms=50, largest_ppm=1, step_ppm=1)"
    coarse, fine = (
        [
            note
            for note in spinloom.simulate(
                sequence=sequence, phantom=phantom(tissues()), simulator="cest_epi", spins=spins
            ).notes
            if note.startswith("Shot")
        ]
        for spins in (1, 4)
    )
    assert coarse[0].startswith(
        "Shot 1: 16 x 16 x 1 isochromats are too few for the coherence excited by pulse 1: dephased by"
    )
    assert "it shows in measurement" in coarse[0]
    assert sum("isochromats are too few" in note for note in coarse) == 1
    assert fine == []


def test_spins_resolve_false_echoes_here_and_the_option_of_other_simulators_is_refused() -> None:
    with pytest.raises(spinloom.SpinloomError, match="false_echoes is no option here"):
        spinloom.PreparedSimulator(spinloom.Numerics(options={"false_echoes": "resolved"}))
