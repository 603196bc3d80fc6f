"""Compare maps: how far two folders of NIfTI maps lie apart, map by map, and each from what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from spinloom.errors import OutputError
from spinloom.evaluation.metrics import bias, max_abs_error, nrmse, pearson
from spinloom.evaluation.similarity import structural_similarity
from spinloom.nifti import read_nifti, same_place

_ENDING = ".nii.gz"
_NOT_QUANTITIES = ("_low", "_high", "_error")
"""Endings of names of maps that go with another map."""


@dataclass(frozen=True)
class MapErrors:
    """How a map lies from its reference, over the voxels that both hold.

    nrmse: root mean square error over the range of the reference
    similarity: structural similarity, mean over those voxels
    r: Pearson's correlation
    bias, worst: mean and largest absolute difference, in the unit of the map

    nrmse, similarity and r are None where the reference is constant.
    """

    voxels: int
    bias: float
    worst: float
    nrmse: float | None
    similarity: float | None
    r: float | None


@dataclass(frozen=True, eq=False)
class MapComparison:
    """Two folders of maps.

    volumes: pairs by name, shape `(x, y, z)`, NaN where either holds nothing
    errors: of the first against the second, by name
    known: of each of the two against what is known, by name; empty where nothing is
    """

    names: tuple[str, str]
    volumes: Mapping[str, tuple[np.ndarray, np.ndarray]]
    errors: Mapping[str, MapErrors]
    known: tuple[Mapping[str, MapErrors], Mapping[str, MapErrors]]

    def record(self) -> dict[str, dict[str, dict[str, float | None]]]:
        """All numbers, as JSON holds them."""
        groups = {"first against second": self.errors}
        groups |= dict(zip(("first against truth", "second against truth"), self.known, strict=True))
        return {title: {name: asdict(each) for name, each in group.items()} for title, group in groups.items() if group}


def is_map_folder(path: str | Path) -> bool:
    """Whether `path` is a folder of NIfTI maps and not one of a signal."""
    return any(Path(path).glob(f"*{_ENDING}")) and not (Path(path) / "signal.zarr").exists()


def compare_maps(
    first: str | Path, second: str | Path, truth: str | Path | None = None, background: float | None = None
) -> MapComparison:
    """Compare the maps that two folders share by name.

    truth: folder of the maps that are known, for the error of either
    background: what voxels count as that lack a value in either map, so that whole images compare; None leaves them out

    Raises `OutputError` for folders that share no map, or whose maps lie elsewhere.
    """
    paths = [_paths(Path(folder)) for folder in (first, second)]
    shared = [name for name in paths[0] if name in paths[1]]
    if not shared:
        raise OutputError(
            f"'{first}' holds the maps {', '.join(paths[0]) or 'none'} and '{second}' {', '.join(paths[1]) or 'none'}: "
            "none in common; name two folders of `spinloom quantify`."
        )
    volumes = {name: _pair(paths[0][name], paths[1][name], background) for name in shared}
    found = {name: _errors(*pair) for name, pair in volumes.items()}
    known: tuple[dict[str, MapErrors], dict[str, MapErrors]] = ({}, {})
    for name, path in _paths(Path(truth)).items() if truth is not None else ():
        for side, errors in zip(paths, known, strict=True):
            if name in volumes:
                errors[name] = _errors(*_pair(side[name], path, background))
    if truth is not None and not known[0]:
        raise OutputError(f"'{truth}' holds none of the maps {', '.join(shared)}; name a folder of true maps.")
    return MapComparison((str(first), str(second)), volumes, found, known)


def _paths(folder: Path) -> dict[str, Path]:
    """The maps of a folder by name, but those that go with another."""
    found = {path.name.removesuffix(_ENDING): path for path in sorted(folder.glob(f"*{_ENDING}"))}
    return {
        name: path
        for name, path in found.items()
        if not any(name.endswith(end) and name.removesuffix(end) in found for end in _NOT_QUANTITIES)
    }


def _pair(first: Path, second: Path, background: float | None) -> tuple[np.ndarray, np.ndarray]:
    (a, place), (b, other) = read_nifti(first), read_nifti(second)
    if a.shape != b.shape or a.ndim != 3:
        raise OutputError(f"{first} has shape {a.shape} and {second} {b.shape}; two 3-D maps of one shape compare.")
    if not same_place(place, other):
        raise OutputError(
            f"{first} and {second} lie at other places (their affines differ); resample one to the other."
        )
    both = np.isfinite(a) & np.isfinite(b)
    if not both.any():
        raise OutputError(f"{first} and {second} hold no voxel in common that is finite.")
    outside = np.nan if background is None else background
    return np.where(both, a, outside).astype(np.float64), np.where(both, b, outside).astype(np.float64)


def _errors(result: np.ndarray, reference: np.ndarray) -> MapErrors:
    inside = np.isfinite(reference)
    x, y = result[inside], reference[inside]
    spread, moves = bool(np.ptp(y) > 0), bool(np.ptp(x) > 0)
    return MapErrors(
        voxels=int(inside.sum()),
        bias=bias(x, y),
        worst=max_abs_error(x, y),
        nrmse=nrmse(x, y) if spread else None,
        similarity=structural_similarity(result, reference, inside) if spread else None,
        r=pearson(x, y) if spread and moves else None,
    )
