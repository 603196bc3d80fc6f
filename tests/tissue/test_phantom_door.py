"""Phantoms by name or path: their settings are documented, checked, and do what they say."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from spinloom.errors import TissueError
from spinloom.tissue.phantoms.door import (
    build_phantom,
    default_settings,
    described_settings,
    phantom,
    phantom_names,
)
from spinloom.tissue.phantoms.phantom_files import write_phantom

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf" / "phantom"
PAGE = (ROOT / "docs" / "phantoms.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", phantom_names())
def test_the_defaults_of_a_phantom_make_it(name: str) -> None:
    made = build_phantom(default_settings(name))
    assert made.shape == (1, 128, 128)
    assert made.fov == pytest.approx((0.22, 0.22, 0.005))
    assert float(made.m0.max()) == 1
    assert made.m0.equal(phantom(name).m0)


@pytest.mark.parametrize("path", sorted(CONF.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_option_stands_with_its_meaning(path: Path) -> None:
    what, options = described_settings(path.stem)
    assert what.endswith((".", "'"))
    assert [key for key, _, _ in options] == list(yaml.safe_load(path.read_text()))
    assert all(len(meaning) > 10 for _, _, meaning in options)


def test_the_group_of_configuration_holds_every_phantom_and_files() -> None:
    assert sorted(path.stem for path in CONF.glob("*.yaml")) == sorted([*phantom_names(), "file"])


def first_cells(heading: str) -> list[str]:
    table = PAGE.split(f"| {heading} |")[1].split("\n\n")[0].splitlines()[2:]
    return [name for row in table for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_the_page_lists_every_phantom_and_every_option() -> None:
    assert first_cells("name") == phantom_names()
    wanted = {key for name in phantom_names() for key in default_settings(name)} - {"name"}
    assert set(first_cells("option")) == wanted


def test_numbers_may_be_text_as_configuration_writes_them() -> None:
    one = build_phantom({"name": "tubes", "matrix": "64", "t1_s": ["1e0", "24 / 10"], "t2_s": [0.1, "5e-2"]})
    other = phantom("tubes", matrix=64, t1_s=(1, 2.4), t2_s=(0.1, 0.05))
    assert one.t1.equal(other.t1)


def test_fields_are_constant_or_random_within_their_range() -> None:
    made = phantom("tubes", matrix=32, b0_hz=40, b1=[0.8, 1.2], t2_prime_s=[0.02, 0.05])
    assert made.b0.unique().tolist() == [40]
    assert (float(made.b1.min()), float(made.b1.max())) == (0.8, 1.2)
    assert made.t2_prime is not None
    assert (float(made.t2_prime.min()), float(made.t2_prime.max())) == (0.02, 0.05)


def test_the_seed_moves_fields_and_leaves_tissue() -> None:
    one, other = (phantom("tubes", matrix=32, b0_hz=[-9, 9], seed=seed) for seed in (1, 2))
    assert one.t1.equal(other.t1)
    assert not one.b0.equal(other.b0)
    assert one.b0.equal(phantom("tubes", matrix=32, b0_hz=[-9, 9], seed=1).b0)


def test_spins_refine_the_grid_and_fields_are_smooth_on_it() -> None:
    made = phantom("tubes", matrix=16, spins=4, b0_hz=[-100, 100])
    plain = phantom("tubes", matrix=16)
    assert made.shape == (1, 64, 64)
    assert float(made.m0.mean()) == pytest.approx(float(plain.m0.mean()), rel=1e-14)
    assert float((made.b0.diff(dim=2) != 0).double().mean()) > 0.99  # steps of voxels would leave 3 of 4 equal
    assert phantom("tubes", matrix=16, spins=[1, 2, 3]).shape == (3, 32, 16)


def test_t2_prime_is_spread_over_the_spins_beside_the_field() -> None:
    made = phantom("tubes", matrix=16, spins=4, b0_hz=50, t2_prime_s=0.02)
    assert made.t2_prime is None
    # the median of a Lorentzian is its middle; 4,096 spins of quartile 8 Hz leave an error of 0.2 Hz
    assert float(made.b0.median()) == pytest.approx(50, abs=1)
    spread = made.b0.flatten().quantile(torch.tensor([0.25, 0.75], dtype=torch.float64)) - 50
    assert spread.tolist() == pytest.approx([-1 / (2 * math.pi * 0.02), 1 / (2 * math.pi * 0.02)], rel=0.1)


def test_a_volume_has_the_extents_of_its_field_of_view() -> None:
    assert phantom("shepp_logan", matrix=[8, 6, 4], fov_mm=[160, 120, 40]).voxel == pytest.approx((0.02, 0.02, 0.01))
    assert phantom("shepp_logan", matrix=[8, 6, 4]).fov == pytest.approx((0.22, 0.22, 0.22))
    assert phantom("shepp_logan", matrix=[8, 6], slice_mm=3).fov == pytest.approx((0.22, 0.22, 0.003))


def test_single_precision_is_had_for_the_asking(tmp_path: Path) -> None:
    write_phantom(phantom("tubes", matrix=8, coils=2), tmp_path / "p.zarr")
    for name in ("brain", "tubes", str(tmp_path / "p.zarr")):
        made = build_phantom({"name": name, "b0_hz": [0, 1]}, torch.float32)
        assert {made.m0.dtype, made.b0.dtype} == {torch.float32}


def test_a_file_keeps_its_fields_unless_others_are_given(tmp_path: Path) -> None:
    path = tmp_path / "p.zarr"
    before = phantom("tubes", matrix=16, b0_hz=[-20, 20], b1=[0.9, 1.1], coils=2)
    write_phantom(before, path)
    after = phantom(path, b1=1)
    assert after.b0.equal(before.b0)
    assert after.b1.unique().tolist() == [1]
    assert after.coils is not None
    assert before.coils is not None
    assert after.coils.equal(before.coils)
    assert phantom(path, spins=2, coils=3).shape == (1, 32, 32)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": "brian"}, "'brian' is neither a phantom that Spinloom makes nor one on disk. Did you mean 'brain'"),
    ({"name": ""}, "A phantom has no name; give name=NAME or a path. Known: brain, "),
    ({}, "A phantom has no name"),
    ({"matirx": 64}, "'tubes' has no option 'matirx'. Did you mean 'matrix'"),
    ({"field_t": 3}, "'tubes' has no option 'field_t'"),
    ({"matrix": "many"}, "'matrix' is 'many', but must be a finite number"),
    ({"matrix": 0}, "'matrix' is 0, but must be whole numbers from 1"),
    ({"matrix": 12.5}, "'matrix' is 12.5, but must be whole numbers from 1"),
    ({"matrix": True}, "'matrix' is True, but must be a finite number"),
    ({"matrix": [4, 4, 4, 4]}, "has a matrix of 4 and a field of view of 4 numbers; give two each"),
    ({"matrix": [4, 4, 4], "fov_mm": [200, 200]}, "has a matrix of 3 and a field of view of 2 numbers"),
    ({"fov_mm": -220}, "'fov_mm' is -220, but must be above 0"),
    ({"fov_mm": float("nan")}, "'fov_mm' is nan, but must be a finite number"),
    ({"slice_mm": 0}, "'slice_mm' is 0, but must be above 0"),
    ({"t1_s": []}, r"'t1_s' is \[\], which is empty"),
    ({"t1_s": [1, 2]}, "has 2 numbers in t1_s and 8 in t2_s; give one a tube"),
    ({"t2_s": 0}, "'t2_s' is 0, but must be above 0"),
    ({"b0_hz": [10, -10]}, r"'b0_hz' is \[10, -10\], but must be a number, or a range"),
    ({"b0_hz": [1, 2, 3]}, r"'b0_hz' is \[1, 2, 3\], but must be a number, or a range"),
    ({"b1": -1}, "'b1' is -1, but must be at least 0"),
    ({"t2_prime_s": [0, 0.1]}, "t2_prime .* is not positive in"),
    ({"coils": -1}, "'coils' is -1, but must be whole numbers from 0"),
    ({"coils": None}, "'coils' is None, but must be a finite number"),
    ({"spins": [2, 2]}, "'spins' holds 2 numbers; give one, or three"),
    ({"seed": -3}, "'seed' is -3, but must be whole numbers from 0"),
    ({"matrix": 1_000_000}, "has 1,000,000,000,000 voxels, which need about .* GB are free; choose a smaller matrix"),
    ({"matrix": 1000, "spins": 1000}, "choose a smaller matrix or fewer spins a voxel"),
    (
        {"name": "brain", "plane": "oblique"},
        "'plane' is 'oblique', which is not known. Known: axial, coronal, sagittal",
    ),
    ({"name": "brain", "at_mm": [0, 0]}, r"'at_mm' is \[0, 0\], but holds 3 numbers"),
    ({"name": "brain", "texture": 2}, "'texture' is 2, but must be from 0 to 1"),
    ({"name": "brain", "subject": 1.5}, "'subject' is 1.5, but must be whole numbers from 0"),
    ({"name": "shapes", "t1_s": [0, 4]}, r"'t1_s' is \[0, 4\], but must be above 0"),
]


@pytest.mark.parametrize(("settings", "reason"), BAD, ids=[str(settings) for settings, _ in BAD])
def test_settings_that_make_no_sense_are_refused_by_name(settings: dict[str, Any], reason: str) -> None:
    start = {"name": "tubes"} if settings else {}
    with pytest.raises(TissueError, match=reason):
        build_phantom({**start, **settings})


def test_a_path_without_a_phantom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    for path in (tmp_path, tmp_path / "notes.txt", tmp_path / "nowhere"):
        with pytest.raises(TissueError, match=r"Or give the path of a phantom\.zarr, or of a folder of NIfTI maps"):
            phantom(path)
