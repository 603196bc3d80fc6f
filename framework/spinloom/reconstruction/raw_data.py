"""K-space as ISMRMRD raw data, for other programs: the one door to ismrmrd, an optional extra.

ISMRMRD's programs reconstruct by the transform exp(+2 pi i k r), because spins turn clockwise for them; here they turn
counter-clockwise (docs/conventions.md).  So the complex conjugate of each sample is written, with k as it is: images
come out the right way round and are the conjugates of ours.

Lines of a Cartesian grid carry their place on it in `kspace_encode_step_1` and `_2`, counted from 0 with k = 0 at the
`center` of the header's encoding limits; without one the counters are the labels LIN and PAR.  Every sample carries its
k in cycles a voxel of the reconstructed matrix, from -1/2 to 1/2, along the readout and the two steps, whose directions
are those of the gradient axes.  Lines played backwards are stored as played and flagged.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from spinloom.errors import ConfigurationError, RequirementError
from spinloom.interfaces import KSpace
from spinloom.reconstruction.field_of_view import field_of_view
from spinloom.reconstruction.raw_layout import RawLayout, check_counts, raw_layout
from spinloom.whole_file import write_whole


def write_raw_data(
    path: str | Path,
    kspace: KSpace,
    definitions: Mapping[str, float | tuple[float, ...] | str] | None = None,
    *,
    fov: tuple[float, float, float] | None = None,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    larmor: float = 0.0,
) -> None:
    """Write all ADC events to the ISMRMRD file `path` (`.h5`), whole or not at all.

    definitions, fov, origin: as for `reconstruct`
    larmor: Larmor frequency [Hz]; 0 where it is not known

    Raises `RequirementError` without samples and `OutputError` for what the format cannot hold.
    """
    ismrmrd = _ismrmrd()
    if kspace.measurements == 0:
        raise RequirementError("The sequence takes no ADC sample, so that there is no raw data; add readouts to it.")
    layout = raw_layout(kspace, field_of_view(kspace, definitions or {}, fov), np.array(origin, dtype=np.float64))
    check_counts(layout, kspace)
    with tempfile.TemporaryDirectory(prefix="spinloom-") as folder:
        draft = Path(folder) / "raw.h5"
        with ismrmrd.File(str(draft), "w") as file:
            file["dataset"].header = _header(ismrmrd.xsd, layout, larmor)
            file["dataset"].acquisitions = _acquisitions(ismrmrd, kspace, layout)
        write_whole(path, draft.read_bytes())


def _header(xsd: Any, layout: RawLayout, larmor: float) -> Any:
    def space(matrix: np.ndarray, fov: np.ndarray) -> Any:
        x, y, z = (float(extent) * 1e3 for extent in fov)
        sizes = dict(zip("xyz", map(int, matrix), strict=True))
        lengths = xsd.fieldOfViewMm(x=x, y=y, z=z)
        return xsd.encodingSpaceType(matrixSize=xsd.matrixSizeType(**sizes), fieldOfView_mm=lengths)

    limits = {
        name.replace("encode", "encoding"): xsd.limitType(minimum=low, maximum=high, center=centre)
        for name, (low, high, centre) in layout.limits.items()
    }
    encoding = xsd.encodingType(
        encodedSpace=space(layout.encoded_matrix, layout.encoded_fov),
        reconSpace=space(layout.matrix, layout.fov),
        encodingLimits=xsd.encodingLimitsType(**limits),
        trajectory=xsd.trajectoryType.CARTESIAN if layout.even else xsd.trajectoryType.OTHER,
    )
    return xsd.ismrmrdHeader(
        experimentalConditions=xsd.experimentalConditionsType(H1resonanceFrequency_Hz=round(larmor)),
        encoding=[encoding],
    )


def _acquisitions(ismrmrd: Any, kspace: KSpace, layout: RawLayout) -> list[Any]:
    samples = kspace.samples.detach().cpu().numpy().conj().astype(np.complex64)
    first = np.searchsorted(kspace.measurement, np.arange(kspace.measurements + 1))
    directions = [tuple(np.eye(3)[axis].tolist()) for axis in layout.axes]
    found = []
    for event, (start, end) in enumerate(pairwise(first)):
        turns, time = layout.turns[start:end], kspace.time[start:end]
        acquisition = ismrmrd.Acquisition.from_array(
            samples[:, start:end],
            turns.astype(np.float32),
            scan_counter=event,
            center_sample=int(np.argmin(np.linalg.norm(turns, axis=1))),
            sample_time_us=float(np.diff(time).mean() * 1e6) if time.size > 1 else 0.0,
            read_dir=directions[0],
            phase_dir=directions[1],
            slice_dir=directions[2],
        )
        for name, values in layout.counters.items():
            setattr(acquisition.idx, name, int(values[event]))
        for flag in _flags(ismrmrd, kspace, event, layout.lines and bool(turns[-1, 0] < turns[0, 0])):
            acquisition.set_flag(flag)
        found.append(acquisition)
    found[-1].set_flag(ismrmrd.ACQ_LAST_IN_MEASUREMENT)
    return found


def _flags(ismrmrd: Any, kspace: KSpace, event: int, backwards: bool) -> list[int]:
    label = {name: int(values[event]) for name, values in kspace.labels.items()}
    calibration = label.get("REF", 0) != 0
    meanings = (
        (backwards, ismrmrd.ACQ_IS_REVERSE),
        (label.get("NAV", 0) != 0, ismrmrd.ACQ_IS_NAVIGATION_DATA),
        (label.get("NOISE", 0) != 0, ismrmrd.ACQ_IS_NOISE_MEASUREMENT),
        (calibration and label.get("IMA", 0) == 0, ismrmrd.ACQ_IS_PARALLEL_CALIBRATION),
        (calibration and label.get("IMA", 0) != 0, ismrmrd.ACQ_IS_PARALLEL_CALIBRATION_AND_IMAGING),
    )
    return [flag for holds, flag in meanings if holds]


def _ismrmrd() -> Any:
    try:
        import ismrmrd
        import ismrmrd.xsd
    except ImportError as error:
        raise ConfigurationError(
            "ISMRMRD raw data needs ismrmrd and h5py; install them with: pip install 'spinloom[rawdata]'"
        ) from error
    return ismrmrd
