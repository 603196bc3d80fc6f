"""Parameters that families share, each with its meaning and what it may be."""

from __future__ import annotations

from typing import Annotated, Literal

from spinloom.sequence.parameter import Meaning

FovMm = Annotated[float, Meaning("field of view along x and y [mm]", 1, 2000)]
Matrix = Annotated[int, Meaning("samples of a line, and lines of an image", 4, 1024, multiple=2)]
FlipDeg = Annotated[float, Meaning("flip angle of the excitation [deg]", 0, 180)]
RefocusingDeg = Annotated[float, Meaning("flip angle of the refocusing [deg]", 0, 360)]
RfShape = Annotated[Literal["hard", "sinc"], Meaning("pulses: hard, or sinc with a slice gradient along z")]
ExcitationMs = Annotated[float | None, Meaning("excitation pulse [ms]; none: 0.5 hard, 2.56 sinc", 0.02, 20)]
RefocusingMs = Annotated[float | None, Meaning("refocusing pulse [ms]; none: 0.5 hard, 2.56 sinc", 0.02, 20)]
SliceThicknessMm = Annotated[float, Meaning("slice of sinc pulses, unit of moments along z [mm]", 0.01, 1000)]
SliceOffsetMm = Annotated[float, Meaning("middle of the slice of sinc pulses along z [mm]", -1000, 1000)]
CrusherCycles = Annotated[
    float, Meaning("dephasing before and after each refocusing pulse: cycles a voxel, along z a slice", -64, 64)
]
CrusherAxes = Annotated[
    Literal["x", "y", "z", "xy", "xz", "yz", "xyz"], Meaning("axes of the crushers, each with all cycles")
]
MaxGradMtM = Annotated[float, Meaning("largest gradient of an axis [mT/m]", 0.1, 10_000)]
MaxSlewTMS = Annotated[float, Meaning("largest slew rate of an axis [T/m/s]", 0.1, 100_000)]
MaxB1Ut = Annotated[float, Meaning("largest amplitude of a pulse [uT]", 0.1, 10_000)]


def crusher_areas(cycles: float, axes: str, fov: float, matrix: int, thickness: float) -> dict[str, float]:
    """Moment of a crusher on each axis [cycles/m]; `fov` and `thickness` in metres."""
    unit = {"x": matrix / fov, "y": matrix / fov, "z": 1 / thickness}
    return {axis: cycles * unit[axis] if axis in axes else 0.0 for axis in "xyz"}
