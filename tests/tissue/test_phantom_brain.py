"""The brain of the template: fractions that sum to one, times within the published spread, subjects of their own."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import pytest
import torch

from spinloom.errors import TissueError
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.brain import brain
from spinloom.tissue.phantoms.brain_fractions import Lesion, View, tissue_fractions
from spinloom.tissue.phantoms.door import phantom
from spinloom.tissue.phantoms.lattice import Lattice
from spinloom.tissue.phantoms.mni152 import mni152
from spinloom.tissue.phantoms.relaxation import DENSITY, TISSUES, relaxation
from spinloom.tissue.phantoms.resampling import downsample
from spinloom.tissue.phantoms.subject import subject

SLICE = Lattice((1, 110, 110), (0.22, 0.22, 0.002))
VOLUME = Lattice((12, 40, 40), (0.04, 0.04, 0.012))
VIEW = View("axial", (0, -17, 14))
FIELDS = (1.5, 3.0, 7.0, 9.4)


@pytest.mark.parametrize("lesion", [None, Lesion(12, (28, 12, 0))], ids=["healthy", "lesion"])
@pytest.mark.parametrize("number", [None, 5], ids=["template", "subject"])
def test_fractions_sum_to_one_in_the_brain_and_to_nothing_outside(number: int | None, lesion: Lesion | None) -> None:
    fractions, _ = tissue_fractions(SLICE, replace(VIEW, subject=number, lesion=lesion))
    total = fractions.sum(dim=0)
    assert float(fractions.min()) >= 0
    assert float(total.max()) == pytest.approx(1, abs=1e-6)
    # a brain of 14 by 18 cm covers 40 % of the slice; its border, 50 cm of partial voxels, 2 %
    assert 0.3 < float((total > 1 - 1e-5).double().mean()) < 0.45
    assert float(((total > 0) & (total < 1 - 1e-5)).double().mean()) < 0.05
    assert bool((total[:, [0, -1]] == 0).all())
    assert bool((fractions[3] > 0).any()) == (lesion is not None)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("number", [None, 1, 2])
def test_times_lie_within_the_published_spread(field: float, number: int | None) -> None:
    """The rate of a voxel lies between those that the spreads of its tissues allow, for its own mixture of them."""
    view = replace(VIEW, subject=number)
    made = brain(SLICE, view, field)
    weights = tissue_fractions(SLICE, view)[0].double() * torch.tensor(subject(number).density)[:, None, None, None]
    inside = made.m0 > 0
    for name in ("t1", "t2"):
        spreads = [getattr(tissue, name) for tissue in relaxation(field)]
        slowest, fastest = (
            torch.tensordot(1 / torch.tensor([getattr(spread, end) for spread in spreads]).double(), weights, dims=1)
            for end in ("high", "low")
        )
        rates = made.m0 / getattr(made, name)
        # fractions are in single precision
        assert bool((slowest * (1 - 1e-5) <= rates)[inside].all())
        assert bool((rates <= fastest * (1 + 1e-5))[inside].all())


def test_without_texture_the_template_has_the_source_s_values() -> None:
    made = brain(SLICE, VIEW, 3.0, texture=0)
    weights = tissue_fractions(SLICE, VIEW)[0].double() * torch.tensor(DENSITY)[:, None, None, None]
    torch.testing.assert_close(made.m0, weights.sum(dim=0), rtol=1e-6, atol=0)
    inside = made.m0 > 0
    for values, name in ((made.t1, "t1"), (made.t2, "t2")):
        rates = torch.tensor([1 / getattr(tissue, name).value for tissue in relaxation(3.0)]).double()
        mixed = made.m0 / torch.tensordot(rates, weights, dims=1)
        torch.testing.assert_close(values[inside], mixed[inside], rtol=1e-5, atol=0)


@pytest.mark.parametrize("field", FIELDS)
def test_the_table_orders_each_spread_and_the_tissues(field: float) -> None:
    white, grey, csf, lesion = relaxation(field)
    for tissue in (white, grey, csf, lesion):
        assert tissue.t1.low <= tissue.t1.value <= tissue.t1.high
        assert tissue.t2.low <= tissue.t2.value <= tissue.t2.high
    assert white.t1.value < grey.t1.value < csf.t1.value
    assert white.t2.value < lesion.t2.value < csf.t2.value


def test_another_subject_is_another_brain_and_always_the_same() -> None:
    first, again, second = (brain(SLICE, replace(VIEW, subject=number)) for number in (1, 1, 2))
    template = brain(SLICE, VIEW)
    for name in ("m0", "t1", "t2"):
        assert getattr(first, name).equal(getattr(again, name))
    for one, other in ((first, second), (first, template)):
        overlap = float(((one.m0 > 0) & (other.m0 > 0)).sum() / ((one.m0 > 0) | (other.m0 > 0)).sum())
        # the outline moves by millimetres: it is no copy, and still a brain in the same place
        assert 0.75 < overlap < 0.99


def test_bending_never_folds() -> None:
    """The Jacobian of the whole map, by finite differences of 1 mm, keeps its sign everywhere."""
    edges = torch.arange(-100.0, 101.0, 20)
    places = torch.stack(torch.meshgrid(edges, edges, edges, indexing="ij"), dim=-1)
    for number in range(20):
        person = subject(number)
        steps = [person.template_places(places + step) - person.template_places(places - step) for step in torch.eye(3)]
        volume = torch.linalg.det(torch.stack(steps, dim=-1) / 2)
        assert float((volume * torch.linalg.det(person.matrix).sign()).min()) > 0.05


def test_the_three_planes_cut_one_brain() -> None:
    """The same places in slices of three directions: 12 mm right is voxel 25 + 6 of x, 14 mm back voxel 25 - 7 of y."""
    axial = phantom("brain", matrix=[50, 50, 40], fov_mm=[100, 100, 80], at_mm=[0, -17, 5])
    size = {"matrix": [50, 40], "fov_mm": [100, 80], "slice_mm": 2}
    sagittal = phantom("brain", plane="sagittal", at_mm=[12, -17, 5], **size)
    coronal = phantom("brain", plane="coronal", at_mm=[0, -31, 5], **size)
    # places of single precision, on maps that change by 0.1 a millimetre
    torch.testing.assert_close(sagittal.m0[0], axial.m0[:, :, 31], rtol=0, atol=1e-4)
    torch.testing.assert_close(coronal.m0[0], axial.m0[:, 18, :], rtol=0, atol=1e-4)


def test_the_front_is_to_the_right_of_a_sagittal_slice_and_the_top_above() -> None:
    """The cerebellum lies below, behind the middle."""
    side = phantom("brain", matrix=[110, 80], fov_mm=[220, 160], slice_mm=2, plane="sagittal", at_mm=[12, -17, 5])
    low = side.m0[0, 10:20]
    assert float(low[:, :55].sum()) > 3 * float(low[:, 55:].sum())


def test_voxels_are_means_of_finer_ones() -> None:
    """2-mm voxels hold 2 x 2 samples at the places of 1-mm voxels, so that fractions and M0 agree exactly."""
    coarse = brain(Lattice((1, 100, 100), (0.2, 0.2, 0.001)), VIEW)
    fine = brain(Lattice((1, 200, 200), (0.2, 0.2, 0.001)), replace(VIEW, at_mm=(-0.5, -17.5, 14)))
    torch.testing.assert_close(downsample(fine, 2).m0, coarse.m0, rtol=0, atol=0.011)  # below 1 % a voxel is empty


def test_slabs_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = brain(VOLUME, replace(VIEW, subject=3))
    monkeypatch.setattr("spinloom.tissue.phantoms.brain_fractions._POINTS_AT_ONCE", 4_000)
    for name in ("m0", "t1", "t2"):
        assert getattr(whole, name).equal(getattr(brain(VOLUME, replace(VIEW, subject=3)), name))


def test_a_lesion_has_its_volume() -> None:
    lattice = Lattice((40, 40, 40), (0.04, 0.04, 0.04))
    fractions, _ = tissue_fractions(lattice, View("axial", (28, -5, 14), lesion=Lesion(12, (0, 0, 0))))
    # the border is 2 mm wide and even, which adds (2 mm)^2 / 4 / (12 mm)^2 = 0.7 %
    assert float(fractions[3].sum()) == pytest.approx(4 / 3 * math.pi * 12**3, rel=0.015)


def test_pools_are_the_largest_fraction_with_their_water() -> None:
    made = phantom("brain_pools", matrix=64)
    assert made.pools is not None
    index, water = made.pools.index, made.pools.tissue.water
    inside = made.m0 > 0
    assert bool((index[~inside] == -1).all())
    assert index[inside].unique().tolist() == [0, 1, 2, 3]
    assert made.t1[inside].equal(water.t1[index[inside]])
    assert made.t2[inside].equal(water.t2[index[inside]])
    assert made.pools.names == TISSUES
    view = View("axial", (0, -17, 14), lesion=Lesion(12, (28, 12, 0)))
    fractions, _ = tissue_fractions(Lattice((1, 64, 64), (0.22, 0.22, 0.005)), view)
    largest = fractions.max(dim=0).values
    assert fractions.gather(0, index.clamp(min=0)[None])[0][inside].equal(largest[inside])


def test_the_lesion_has_more_amide_than_white_matter_and_csf_has_no_pools() -> None:
    pools = phantom("brain_pools", matrix=32).pools
    assert pools is not None
    amide = pools.tissue.pools["amide"].f
    assert float(amide[3]) == 2 * float(amide[0])
    assert all(float(pool.f[2]) == 0 for pool in pools.tissue.pools.values())


def test_pools_of_another_number_are_refused() -> None:
    with pytest.raises(TissueError, match=r"'wm_3t_7pool' is a batch of shape \(\), but a brain .* needs 4 tissues"):
        phantom("brain_pools", tissues="wm_3t_7pool")


def test_a_field_without_values_is_refused() -> None:
    with pytest.raises(TissueError, match=r"at 5 T are not known here; choose one of: 1\.5, 3, 7, 9\.4 T"):
        phantom("brain", field_t=5)


def test_without_nilearn_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spinloom.tissue.phantoms.mni152.find_spec", lambda name: None)
    mni152.cache_clear()
    try:
        with pytest.raises(TissueError, match=r"pip install 'spinloom\[brain\]'"):
            phantom("brain")
    finally:
        mni152.cache_clear()


def test_nilearn_itself_is_never_imported() -> None:
    phantom("brain", matrix=16)
    assert "nilearn" not in sys.modules


def test_a_small_brain_is_the_mean_of_a_large_one() -> None:
    """M0 over the field of view depends on the matrix only by the border voxels that 1 % empties."""
    sizes: list[Phantom] = [phantom("brain", matrix=matrix, subject=9) for matrix in (64, 128)]
    small, large = (float(made.m0.mean()) for made in sizes)
    assert small == pytest.approx(large, rel=2e-3)
