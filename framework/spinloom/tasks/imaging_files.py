"""The files that other programs read: images as NIfTI, and k-space as ISMRMRD raw data where it is asked for."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from spinloom.errors import ConfigurationError, OutputError
from spinloom.interfaces import KSpace
from spinloom.nifti import ImageError
from spinloom.reconstruction.image import Image
from spinloom.reconstruction.image_files import write_complex, write_magnitude
from spinloom.reconstruction.raw_data import write_raw_data
from spinloom.sequence.rf_facts import stated_larmor
from spinloom.sequence.timeline import Timeline

MAGNITUDE, COMPLEX, RAW = "magnitude.nii.gz", "image.nii.gz", "raw_data.h5"


def check_raw_data(wanted: object, has_phantom: bool) -> None:
    """Raise `ConfigurationError` where raw data is asked for and cannot be written, before any work."""
    if not isinstance(wanted, bool):
        raise ConfigurationError(f"rawdata is {wanted!r}; it is true or false.")
    if wanted and not has_phantom:
        raise ConfigurationError("rawdata=true is k-space of a phantom, which a tissue has none of; leave it out.")
    missing = [name for name in ("ismrmrd", "h5py") if find_spec(name) is None]
    if wanted and missing:
        raise ConfigurationError(
            f"rawdata=true needs {' and '.join(missing)}; install with: pip install 'spinloom[rawdata]'"
        )


def write_image_files(folder: Path, image: Image | None) -> tuple[str, ...]:
    """Write the magnitude and the complex images as NIfTI into `folder`; returns what to note where they are not."""
    if image is None:
        return ()
    try:
        write_magnitude(folder / MAGNITUDE, image)
        write_complex(folder / COMPLEX, image)
    except ImageError as error:
        return (f"The image is not written as NIfTI: {error}",)
    return ()


def write_raw(folder: Path, timeline: Timeline, kspace: KSpace) -> tuple[str, ...]:
    """Write k-space as ISMRMRD raw data into `folder`; returns what to note where the format cannot hold it."""
    try:
        write_raw_data(folder / RAW, kspace, timeline.definitions, larmor=stated_larmor(timeline) or 0.0)
    except OutputError as error:
        return (f"K-space is not written as raw data: {error}",)
    return ()
