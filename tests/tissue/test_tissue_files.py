"""Tissues by name and by path: what ships, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from spinloom.errors import TissueError
from spinloom.tissue.files import load_mapping, read_tissue, tissue_from_mapping, tissue_names, tissue_path
from spinloom.tissue.pools import Tissue

Tensors = Callable[[Tissue], list[torch.Tensor]]
Facts = Callable[[Tissue], tuple[object, ...]]


def test_the_shipped_tissues_are_known_by_name() -> None:
    assert tissue_names() == [
        "brain_3t_7pool",
        "creatine_phantom_3t",
        "larginine_phantom_9p4t",
        "mouse_brain_7t_mt",
        "two_pools_9p4t",
        "water_3t",
        "wm_3t_7pool",
        "wm_3t_stanisz2005_mt",
    ]


@pytest.mark.parametrize("name", tissue_names())
def test_a_shipped_tissue_is_the_same_by_name_by_path_and_composed(facts: Facts, name: str) -> None:
    composed: Any = OmegaConf.to_container(OmegaConf.load(tissue_path(name)), resolve=True)
    by_name = read_tissue(name)
    assert by_name.name == name
    assert facts(by_name) == facts(read_tissue(tissue_path(name)))
    assert facts(by_name) == facts(tissue_from_mapping(composed, name))
    assert facts(by_name) == facts(tissue_from_mapping(load_mapping(name), name))


@pytest.mark.parametrize("name", tissue_names())
def test_a_shipped_tissue_opens_with_its_source_and_units(name: str) -> None:
    comment = tissue_path(name).read_text(encoding="utf-8").partition("\n\n")[0]
    assert all(line.startswith("#") for line in comment.splitlines())
    assert "Source:" in comment
    assert "Units:" in comment


def test_the_seven_pool_white_matter_holds_its_published_numbers() -> None:
    tissue = read_tissue("wm_3t_7pool")
    shifts = {pool.name: float(pool.shift_ppm) for pool in tissue.exchanging}
    assert shifts == {"amide": 3.5, "guanidine": 2.0, "amine": 3.0, "OH": 1.0, "NOE": -3.0}
    assert [float(pool.k) for pool in tissue.exchanging] == [50, 1000, 5000, 3500, 20]
    assert float(tissue.semisolid[0].f) == 15 / 111
    assert float(tissue.larmor) == pytest.approx(127.7292e6, rel=1e-6)


def test_type_and_device_are_as_asked(tensors: Tensors) -> None:
    tissue = read_tissue("wm_3t_7pool", dtype=torch.float32, device="cpu")
    assert {(tensor.dtype, tensor.device.type) for tensor in tensors(tissue)} == {(torch.float32, "cpu")}


def test_a_shipped_name_goes_before_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("water_3t").write_text("not a tissue")
    assert read_tissue("water_3t").name == "water_3t"
    with pytest.raises(TissueError, match="holds 'not a tissue'"):
        read_tissue("./water_3t")


@pytest.mark.parametrize("wanted", ["wm_3t_7pol", "models/wm_3t_7pol.yaml"])
def test_an_unknown_tissue_is_named_with_the_nearest_and_all_known(wanted: str) -> None:
    with pytest.raises(TissueError) as caught:
        read_tissue(wanted)
    assert str(caught.value).startswith(f"'{wanted}' is neither a tissue that Spinloom ships nor a file.")
    assert "Did you mean 'wm_3t_7pool'? Known: brain_3t_7pool, creatine_phantom_3t," in str(caught.value)
    assert "Or give the path of a YAML file." in str(caught.value)


@pytest.mark.parametrize("wanted", ["", ".", "a\0b", "x" * 5000, "~nobody/x.yaml"])
def test_what_can_be_no_path_is_refused_too(wanted: str) -> None:
    with pytest.raises(TissueError, match="neither a tissue that Spinloom ships nor a file"):
        read_tissue(wanted)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret.yaml"
    path.write_text("b0: 3")
    path.chmod(0)
    with pytest.raises(TissueError, match=r"secret.yaml' cannot be read: Permission denied"):
        read_tissue(path)


@pytest.mark.parametrize("read", [read_tissue, load_mapping])
def test_an_error_inside_a_file_names_file_and_key(tmp_path: Path, read: Any) -> None:
    path = tmp_path / "brain.yaml"
    path.write_text("water_pool: {t1: 1, t2: 0}\nb0: 3\n")
    with pytest.raises(TissueError) as caught:
        read(path)
    assert str(caught.value).startswith(f"Tissue file '{path}': 'water_pool.t2' is '0', but must be")
