"""Signals on disk: a Zarr 3 group whose arrays name their axes, units and meaning, and the run they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinloom.errors import OutputError
from spinloom.interfaces import Signal
from spinloom.tissue.batches import Parameter

FORMAT = "spinloom-signal-1"

_ARRAYS = {
    "mz": ("batch sample", "1", "longitudinal magnetisation of water relative to its equilibrium"),
    "mxy": ("batch sample", "1", "transverse magnetisation of water in the Larmor frame, relative to equilibrium"),
    "time": ("sample", "s", "time of the sample from the start of the sequence"),
    "measurement": ("sample", "1", "number of the ADC event that took the sample, counted from 0"),
    "offset_ppm": ("measurement", "ppm", "frequency offset of the saturation before the measurement"),
}


PARAMETERS = "parameters"
"""Group of the numbers that vary over the batch, an array each, named by its address in the tissue."""


def write_signal(
    path: Path, signal: Signal, attributes: Mapping[str, Any], parameters: Sequence[Parameter] = ()
) -> None:
    """Write `signal` to the new folder `path`.

    attributes: provenance that JSON can hold, such as the hash of the sequence and the tissue's parameters
    parameters: what varies over the batch
    """
    import zarr

    arrays = {
        "mz": signal.mz.detach().cpu().numpy(),
        "mxy": signal.mxy.detach().cpu().numpy(),
        "time": signal.time,
        "measurement": signal.measurement,
        "offset_ppm": signal.offset_ppm,
    }
    group = zarr.open_group(str(path), mode="w-", zarr_format=3)
    group.attrs.update({"format": FORMAT, "notes": list(signal.notes), **attributes})
    for name, values in arrays.items():
        axes, unit, meaning = _ARRAYS[name]
        array = group.create_array(name, data=np.ascontiguousarray(values))
        array.attrs.update({"axes": " ".join(axes.split()[-values.ndim :]), "unit": unit, "meaning": meaning})
    varied = group.create_group(PARAMETERS)
    for parameter in parameters:
        array = varied.create_array(parameter.address, data=parameter.values)
        array.attrs.update({"axes": "batch", "unit": parameter.unit, "meaning": parameter.meaning})


def read_signal(path: str | Path) -> Signal:
    """Read a signal that `write_signal` wrote; raises `OutputError` where `path` holds none."""
    group = _open(path)
    arrays = {name: np.asarray(group[name]) for name in _ARRAYS}
    notes: Any = group.attrs["notes"]
    return Signal(
        mz=torch.from_numpy(arrays["mz"]),
        mxy=torch.from_numpy(arrays["mxy"]),
        time=arrays["time"],
        measurement=arrays["measurement"],
        offset_ppm=arrays["offset_ppm"],
        notes=tuple(str(note) for note in notes),
    )


def read_parameters(path: str | Path) -> tuple[Parameter, ...]:
    """What varies over the batch of a signal that `write_signal` wrote, by address; raises as `read_signal` does."""
    group = _open(path)
    if PARAMETERS not in group:
        return ()
    return tuple(
        Parameter(address, str(array.attrs["unit"]), str(array.attrs["meaning"]), np.asarray(array))
        for address, array in sorted(group[PARAMETERS].arrays())
    )


def _open(path: str | Path) -> Any:
    import zarr

    folder = Path(path)
    if (folder / "signal.zarr").is_dir():
        folder = folder / "signal.zarr"
    if not (folder / "zarr.json").is_file():
        raise OutputError(f"{path} holds no signal; name a run's output folder or the signal.zarr in it.")
    group = zarr.open_group(str(folder), mode="r")
    if group.attrs.get("format") != FORMAT:
        raise OutputError(f"{path} is of format {group.attrs.get('format')!r}; this version reads '{FORMAT}'.")
    return group
