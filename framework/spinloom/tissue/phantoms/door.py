"""The one door to phantoms by name or path: maps from their maker or file, then fields, coils, spins and T2'."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from spinloom.errors import TissueError, known_names
from spinloom.free_memory import free_memory
from spinloom.tissue.numbers import shown
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.coil_ring import ring_of_loops
from spinloom.tissue.phantoms.field_maps import field_map
from spinloom.tissue.phantoms.kinds import KINDS, lattice
from spinloom.tissue.phantoms.nifti_maps import is_nifti_folder, read_nifti_maps
from spinloom.tissue.phantoms.options import Options
from spinloom.tissue.phantoms.phantom_files import is_phantom, read_phantom
from spinloom.tissue.phantoms.resampling import refine
from spinloom.tissue.phantoms.t2_prime import spread_t2_prime

_FILE = "file"
"""The settings of a phantom that is read, not made."""

_VOXEL_BYTES, _COIL_BYTES = 120, 48
"""A voxel at its peak in float64: its maps, and what they are made from and checked with."""


def phantom(name_or_path: str | Path, **options: Any) -> Phantom:
    """The phantom of a name or path with its options: `phantom("brain", matrix=256, b0_hz=(-150, 150))`."""
    return build_phantom({"name": str(name_or_path), **options})


def build_phantom(settings: Mapping[str, Any], dtype: torch.dtype = torch.float64) -> Phantom:
    """The phantom that `settings` describe, such as the configuration group `phantom` holds.

    settings: `name`, one of `phantom_names()` or a path, and options, the defaults of which stand in
        `conf/phantom/NAME.yaml` (of a path: `file.yaml`); numbers may be text
    dtype: of the maps

    Raises `TissueError` that names the option, its value and the way out.
    """
    given = {str(key): value for key, value in settings.items()}
    name = given.get("name")
    if not isinstance(name, str | Path) or not str(name):
        raise TissueError(f"A phantom has no name; give name=NAME or a path. {known_names('', KINDS)}")
    made = name in KINDS
    source = f"Phantom '{name}'"
    defaults = default_settings(str(name) if made else _FILE)
    for key in given:
        if key not in defaults:
            raise TissueError(f"{source} has no option '{key}'. {known_names(key, defaults)}")
    options = Options(source, {**defaults, **given})
    if made:
        _refuse_beyond_memory(options, math.prod(lattice(options, dtype).shape))
        return _completed(KINDS[str(name)](options, dtype), options)
    found = _read(Path(name), dtype)
    _refuse_beyond_memory(options, found.voxels)
    return _completed(found, options)


def phantom_names() -> list[str]:
    """Names of the phantoms that can be made, sorted."""
    return sorted(KINDS)


def default_settings(name: str) -> dict[str, Any]:
    """Every option of a phantom and its default, in the order of its file."""
    settings: dict[str, Any] = yaml.safe_load(_text(name))
    return settings


def described_settings(name: str) -> tuple[str, list[tuple[str, str, str]]]:
    """What a phantom is, and its options with default and meaning, as its file says."""
    first, *lines = _text(name).splitlines()
    parts = [re.fullmatch(r"(\w+): (.*?) # (.*)", line) for line in lines]
    return first.removeprefix("# "), [(part[1], part[2], part[3]) for part in parts if part]


def _text(name: str) -> str:
    return (resources.files("spinloom") / "conf" / "phantom" / f"{name}.yaml").read_text(encoding="utf-8")


def _read(path: Path, dtype: torch.dtype) -> Phantom:
    if is_phantom(path):
        return read_phantom(path).to(dtype, torch.device("cpu"))
    if is_nifti_folder(path):
        return read_nifti_maps(path, dtype)
    raise TissueError(
        f"{shown(str(path))} is neither a phantom that Spinloom makes nor one on disk. {known_names(path.stem, KINDS)} "
        "Or give the path of a phantom.zarr, or of a folder of NIfTI maps."
    )


def _completed(plain: Phantom, options: Options) -> Phantom:
    """Refined to its spins, with the fields and coils of its options drawn on the fine grid."""
    seed, spins = options.count("seed"), _spins(plain, options)
    found = refine(plain, spins)
    drawn: dict[str, Any] = {}
    for name, key, low in (("b0", "b0_hz", -math.inf), ("b1", "b1", 0.0), ("t2_prime", "t2_prime_s", 0.0)):
        if options.given(key):
            drawn[name] = _drawn(found, name, *options.interval(key, low), seed)
    count = options.count("coils")
    if count:
        drawn["coils"] = ring_of_loops(found, count)
    return spread_t2_prime(replace(found, **drawn), spins, seed)


def _drawn(phantom: Phantom, name: str, low: float, high: float, seed: int) -> Tensor:
    if low == high:
        return torch.full_like(phantom.m0, low)
    return field_map(phantom.shape, low, high, seed, purpose=name, dtype=phantom.m0.dtype)


def _spins(phantom: Phantom, options: Options) -> tuple[int, int, int]:
    spins = options.counts("spins")
    if len(spins) == 1:
        spins = tuple(spins[0] if count > 1 else 1 for count in reversed(phantom.shape))
    if len(spins) != 3:
        raise TissueError(f"{options.source}: 'spins' holds {len(spins)} numbers; give one, or three along x, y, z.")
    return spins[0], spins[1], spins[2]


def _refuse_beyond_memory(options: Options, voxels: int) -> None:
    spins = options.counts("spins")
    many = voxels * (math.prod(spins) if len(spins) > 1 else spins[0] ** 2)
    size, free = many * (_VOXEL_BYTES + _COIL_BYTES * options.count("coils")), free_memory()
    if free is not None and size > free:
        raise TissueError(
            f"{options.source} has {many:,} voxels, which need about {size / 1e9:,.3g} GB of memory, but "
            f"{free / 1e9:,.3g} GB are free; choose a smaller matrix or fewer spins a voxel."
        )
