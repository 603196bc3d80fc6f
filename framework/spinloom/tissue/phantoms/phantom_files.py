"""Phantoms on disk: a Zarr 3 group with an array a map, each with its axes, unit and meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import OutputError, TissueError
from spinloom.tissue.phantom import Phantom, PoolMap
from spinloom.tissue.phantoms.tissue_arrays import tissue_arrays, tissue_from_arrays, tissue_words
from spinloom.whole_folder import whole_folder

FORMAT = "spinloom-phantom-1"

MAPS = {
    "m0": ("z y x", "1", "equilibrium magnetisation"),
    "t1": ("z y x", "s", "longitudinal relaxation time"),
    "t2": ("z y x", "s", "transverse relaxation time"),
    "b0": ("z y x", "Hz", "deviation of the static field; a positive one raises the frequency"),
    "b1": ("z y x", "1", "transmit field relative to nominal"),
    "coils": ("coil z y x", "1", "receive sensitivities"),
    "t2_prime": ("z y x", "s", "decay time of dephasing within a voxel"),
}
"""Axes, unit and meaning of each map."""

_POOLS, _INDEX = "pools", "index"


def write_phantom(phantom: Phantom, path: str | Path, overwrite: bool = False) -> None:
    """Write a phantom to the folder `path`, whole or not at all; `read_phantom` gives back every digit.

    overwrite: whether a phantom that stands there is replaced; nothing else ever is

    Raises `OutputError` where the folder cannot be written or is taken.
    """
    import zarr

    target = Path(path)
    _refuse_taken(target, overwrite)
    with whole_folder(target) as folder:
        group = zarr.open_group(str(folder), mode="w", zarr_format=3)
        group.attrs.update(
            {"format": FORMAT, "name": phantom.name, "fov_m": list(phantom.fov), "centre_m": list(phantom.centre)}
        )
        for name, (axes, unit, meaning) in MAPS.items():
            if (values := getattr(phantom, name)) is not None:
                array = group.create_array(name, data=_plain(values))
                array.attrs.update({"axes": axes, "unit": unit, "meaning": meaning})
        if phantom.pools is not None:
            _write_pools(group.create_group(_POOLS), phantom.pools)


def read_phantom(path: str | Path) -> Phantom:
    """Read a phantom that `write_phantom` wrote; raises `TissueError` where `path` holds none, or a damaged one."""
    import zarr

    if not is_phantom(path):
        raise TissueError(f"{path} holds no phantom; name a folder that `spinloom phantom make` wrote.")
    try:
        group = zarr.open_group(str(path), mode="r")
        found = group.attrs.get("format")
        if found != FORMAT:
            raise TissueError(f"{path} is of format {found!r}; this version reads phantoms of '{FORMAT}'.")
        words: Any = group.attrs.asdict()
        maps = {name: _tensor(group[name]) for name in MAPS if name in group}
        pools = _read_pools(group[_POOLS]) if _POOLS in group else None
        return Phantom(words["name"], tuple(words["fov_m"]), **maps, pools=pools, centre=tuple(words["centre_m"]))
    except TissueError:
        raise
    except Exception as error:  # Zarr and its codecs raise whatever they met
        raise TissueError(f"The phantom {path} is damaged ({type(error).__name__}: {error}); write it anew.") from error


def is_phantom(path: str | Path) -> bool:
    """Whether `path` is a Zarr group."""
    return (Path(path) / "zarr.json").is_file()


def _refuse_taken(target: Path, overwrite: bool) -> None:
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not is_phantom(target):
        raise OutputError(f"{target} holds something that is no phantom; name another folder.")
    if not overwrite:
        raise OutputError(f"{target} exists; name another folder or ask to overwrite it.")


def _write_pools(group: Any, pools: PoolMap) -> None:
    group.attrs.update({"tissue": tissue_words(pools.tissue), "names": list(pools.names)})
    index = group.create_array(_INDEX, data=_plain(pools.index))
    index.attrs.update({"axes": "z y x", "unit": "1", "meaning": "tissue of each voxel, -1 where there is none"})
    for name, values in tissue_arrays(pools.tissue).items():
        group.create_array(name, data=_plain(values))


def _read_pools(group: Any) -> PoolMap:
    arrays = {name: _tensor(array) for name, array in group.arrays()}
    words = group.attrs.asdict()
    return PoolMap(tissue_from_arrays(words["tissue"], arrays), arrays[_INDEX], tuple(words["names"]))


def _plain(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.detach().cpu().numpy())


def _tensor(array: Any) -> Tensor:
    return torch.from_numpy(np.array(array))
