"""What a phantom must be: one grid, one precision, numbers that physics allows; anything else is refused by name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from spinloom.errors import TissueError

if TYPE_CHECKING:
    from spinloom.tissue.phantom import Phantom, PoolMap


def check_phantom(phantom: Phantom) -> None:
    """Raise `TissueError` that names the map, what is wrong with it, and the way out."""
    _check_extent(phantom)
    _check_kinds(phantom)
    _check_shapes(phantom)
    _check_values(phantom)
    if phantom.pools is not None:
        _check_pools(phantom.name, phantom.pools)


def _check_extent(phantom: Phantom) -> None:
    if len(phantom.fov) != 3 or not all(0 < extent < float("inf") for extent in phantom.fov):
        raise TissueError(
            f"Phantom '{phantom.name}' has the field of view {phantom.fov}; it is three positive lengths in metres, "
            "along x, y and z (the thickness, for a single plane)."
        )
    if len(phantom.centre) != 3 or not all(math.isfinite(shift) for shift in phantom.centre):
        raise TissueError(
            f"Phantom '{phantom.name}' has the centre {phantom.centre}; it is three lengths in metres, along x, y, z."
        )


def _check_kinds(phantom: Phantom) -> None:
    """Maps are real and of one type, coils complex of the same precision, all on one device."""
    wanted = phantom.m0.dtype
    if not wanted.is_floating_point:
        raise TissueError(f"Map m0 of phantom '{phantom.name}' is of {wanted}; maps are floating-point numbers.")
    kinds = {name: (value, wanted) for name, value in _maps(phantom).items()}
    if phantom.coils is not None:
        kinds["coils"] = (phantom.coils, wanted.to_complex())
    for name, (value, kind) in kinds.items():
        if value.dtype != kind or value.device != phantom.m0.device:
            raise TissueError(
                f"Map {name} of phantom '{phantom.name}' is of {value.dtype} on {value.device}, but m0 is of {wanted} "
                f"on {phantom.m0.device}; give it as {kind} on the same device."
            )


def _maps(phantom: Phantom) -> dict[str, Tensor]:
    named = {name: getattr(phantom, name) for name in ("m0", "t1", "t2", "b0", "b1", "t2_prime")}
    return {name: value for name, value in named.items() if value is not None}


def _check_shapes(phantom: Phantom) -> None:
    expected = phantom.m0.shape
    if len(expected) != 3 or phantom.m0.numel() == 0:
        raise TissueError(f"Map m0 of phantom '{phantom.name}' has the shape {tuple(expected)}; it is (z, y, x).")
    found = {name: value.shape for name, value in _maps(phantom).items()}
    if phantom.coils is not None:
        if phantom.coils.shape[:1] == (0,):
            raise TissueError(f"Phantom '{phantom.name}' has no coil on its coil axis; leave the coils out for one.")
        found["coils (after its first axis)"] = phantom.coils.shape[1:]
    if phantom.pools is not None:
        found["the pools' index"] = phantom.pools.index.shape
    for name, shape in found.items():
        if shape != expected:
            raise TissueError(
                f"Map {name} of phantom '{phantom.name}' has the shape {tuple(shape)}, but m0 has {tuple(expected)}; "
                "all maps lie on one grid."
            )


def _check_values(phantom: Phantom) -> None:
    inside = phantom.m0 > 0
    for name, value in _maps(phantom).items():
        allowed = torch.isfinite(value) | (value == float("inf") if name == "t2_prime" else torch.zeros_like(inside))
        if not bool(allowed.all()):
            raise TissueError(
                f"Map {name} of phantom '{phantom.name}' holds {int((~allowed).sum())} voxels that are not finite; "
                "fill them, or set M0 to 0 there and give them any number."
            )
    if phantom.coils is not None and not bool(torch.isfinite(phantom.coils).all()):
        raise TissueError(f"The coils of phantom '{phantom.name}' hold values that are not finite; set those to 0.")
    if bool((phantom.m0 < 0).any()):
        raise TissueError(f"Map m0 of phantom '{phantom.name}' is negative in {int((phantom.m0 < 0).sum())} voxels.")
    for name in ("t1", "t2", "t2_prime"):
        value = getattr(phantom, name)
        wrong = 0 if value is None else int((inside & (value <= 0)).sum())
        if wrong:
            raise TissueError(
                f"Map {name} of phantom '{phantom.name}' is not positive in {wrong} voxels where there is "
                "magnetisation; relaxation times are positive seconds."
            )


def _check_pools(name: str, pools: PoolMap) -> None:
    if len(pools.tissue.batch_shape) != 1 or pools.index.dtype != torch.int64:
        raise TissueError(
            f"The pools of phantom '{name}' are a batch of shape {tuple(pools.tissue.batch_shape)} with an index of "
            f"{pools.index.dtype}; the batch has one axis, `(tissues,)`, and the index is of torch.int64."
        )
    count = pools.tissue.batch_shape[0]
    low, high = int(pools.index.min()), int(pools.index.max())
    if low < -1 or high >= count:
        raise TissueError(
            f"The pools' index of phantom '{name}' runs from {low} to {high}, but its batch holds {count} tissues; "
            f"it is 0 to {count - 1}, or -1 where there is no tissue."
        )
    if pools.names and len(pools.names) != count:
        raise TissueError(f"The pools of phantom '{name}' have {len(pools.names)} names for {count} tissues.")
