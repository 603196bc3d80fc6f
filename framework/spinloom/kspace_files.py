"""K-space on disk: a Zarr 3 group whose arrays name their axes, units and meaning, and the run they came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinloom.errors import OutputError
from spinloom.interfaces import KSpace

FORMAT = "spinloom-kspace-1"

LABELS = "labels"
"""Group of the labels of the ADC events, an array each, named as Pulseq names them."""

_ARRAYS = {
    "samples": ("coil sample", "1", "mean over the field of view of the magnetisation that a coil receives, rel. M0"),
    "time": ("sample", "s", "time of the sample from the start of the sequence"),
    "measurement": ("sample", "1", "number of the ADC event that took the sample, counted from 0"),
    "trajectory": ("sample axis", "1/m", "k along x, y, z: gradient moment since the last excitation, in cycles"),
}


def write_kspace(path: Path, kspace: KSpace, attributes: Mapping[str, Any]) -> None:
    """Write `kspace` to the new folder `path`.

    attributes: provenance that JSON can hold, such as the hash of the sequence and the phantom's name
    """
    import zarr

    arrays = {
        "samples": kspace.samples.detach().cpu().numpy(),
        "time": kspace.time,
        "measurement": kspace.measurement,
        "trajectory": kspace.trajectory,
    }
    group = zarr.open_group(str(path), mode="w-", zarr_format=3)
    group.attrs.update({"format": FORMAT, "fov": list(kspace.fov), "notes": list(kspace.notes), **attributes})
    for name, values in arrays.items():
        axes, unit, meaning = _ARRAYS[name]
        array = group.create_array(name, data=np.ascontiguousarray(values))
        array.attrs.update({"axes": axes, "unit": unit, "meaning": meaning})
    labels = group.create_group(LABELS)
    for name, values in kspace.labels.items():
        array = labels.create_array(name, data=np.ascontiguousarray(values))
        array.attrs.update({"axes": "measurement", "unit": "1", "meaning": f"label {name} of the ADC event"})


def read_kspace(path: str | Path) -> KSpace:
    """Read k-space that `write_kspace` wrote; raises `OutputError` where `path` holds none."""
    group = _open(path)
    arrays = {name: np.asarray(group[name]) for name in _ARRAYS}
    attributes: Any = group.attrs
    x, y, z = (float(extent) for extent in attributes["fov"])
    return KSpace(
        samples=torch.from_numpy(arrays["samples"]),
        time=arrays["time"],
        measurement=arrays["measurement"],
        trajectory=arrays["trajectory"],
        labels={name: np.asarray(array) for name, array in sorted(group[LABELS].arrays())},
        fov=(x, y, z),
        notes=tuple(str(note) for note in attributes["notes"]),
    )


def _open(path: str | Path) -> Any:
    import zarr

    folder = Path(path)
    if (folder / "kspace.zarr").is_dir():
        folder = folder / "kspace.zarr"
    if not (folder / "zarr.json").is_file():
        raise OutputError(f"{path} holds no k-space; name a run's output folder or the kspace.zarr in it.")
    group = zarr.open_group(str(folder), mode="r")
    if group.attrs.get("format") != FORMAT:
        raise OutputError(f"{path} is of format {group.attrs.get('format')!r}; this version reads '{FORMAT}'.")
    return group
