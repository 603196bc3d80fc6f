"""Finer and coarser grids for a phantom: n spins a voxel, and voxels from spins.

Spins lie centred within their voxel, which `centre` sees to, and M0 is the mean of what it stands for, so that its
mean over the field of view stays.
"""

from __future__ import annotations

from spinloom.errors import TissueError, known_names
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.regridding import averaged, block_means, each, interpolated, repeated
from spinloom.tissue.phantoms.t2_prime import spread_t2_prime

Spins = int | tuple[int, int, int]
METHODS = ("linear", "nearest")


def resample(phantom: Phantom, spins: Spins, seed: int = 0, method: str = "nearest") -> Phantom:
    """The phantom with `spins` spins a voxel along each axis, centred within their voxel.

    spins: along x, y, z; a single number is along every axis of more than one voxel
    seed: of how the spins of a voxel share its T2', where the phantom has one (`spread_t2_prime`)
    method: `nearest`, every spin has the numbers of its voxel, or `linear`, between the centres of voxels
    """
    factors = _factors(phantom, spins)
    return spread_t2_prime(refine(phantom, factors, method), factors, seed)


def refine(phantom: Phantom, factors: tuple[int, int, int], method: str = "nearest") -> Phantom:
    """`resample` with T2' left as a map."""
    if method not in METHODS:
        raise TissueError(f"Phantoms cannot be resampled by '{method}'. {known_names(method, METHODS)}")
    if factors == (1, 1, 1):
        return phantom
    shift = [_shift(count, factor) for count, factor in zip(reversed(phantom.shape), factors, strict=True)]
    centre = _moved(phantom, shift)
    if method == "nearest":
        return each(phantom, lambda values: repeated(values, factors), centre)
    return averaged(phantom, lambda values: interpolated(values, factors), centre)


def downsample(phantom: Phantom, factor: Spins) -> Phantom:
    """The phantom with `factor` voxels along each axis as one; what `resample` by nearest refined comes back.

    factor: along x, y, z; a single number is along every axis of more than one voxel

    Pools become those that hold most of a voxel's M0.  Raises `TissueError` where the voxels do not divide.
    """
    factors = _factors(phantom, factor)
    for axis, count, many in zip("xyz", reversed(phantom.shape), factors, strict=True):
        if count % many:
            raise TissueError(
                f"Phantom '{phantom.name}' has {count} voxels along {axis}, which cannot be taken {many} at a time; "
                "choose a factor that divides them."
            )
    counts = [count // many for count, many in zip(reversed(phantom.shape), factors, strict=True)]
    shift = [-_shift(count, many) * many for count, many in zip(counts, factors, strict=True)]
    return averaged(phantom, lambda values: block_means(values, factors), _moved(phantom, shift))


def _factors(phantom: Phantom, spins: Spins) -> tuple[int, int, int]:
    """Along x, y, z."""
    if isinstance(spins, int):
        x, y, z = (spins if count > 1 else 1 for count in reversed(phantom.shape))
        spins = (x, y, z)
    if len(spins) != 3 or min(spins) < 1:
        raise TissueError(f"{spins} spins a voxel are not to be had; give a whole number from 1, or three (x, y, z).")
    return spins


def _shift(count: int, factor: int) -> float:
    """Where the middle of voxel `count // 2`'s spins lies before they are centred, in voxels, to be taken off.

    Spin `count factor // 2` stands at the origin; the spins of voxel `count // 2` begin at `(count // 2) factor`.
    """
    return (count * factor // 2 - (count // 2) * factor - (factor - 1) / 2) / factor


def _moved(phantom: Phantom, shift: list[float]) -> tuple[float, float, float]:
    """The centre shifted by so many voxels of the phantom's along x, y, z."""
    x, y, z = (old + part * size for old, part, size in zip(phantom.centre, shift, phantom.voxel, strict=True))
    return x, y, z
