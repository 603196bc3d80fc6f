"""The simulator that imaging plugins wrap: a `.seq` played on a phantom by `solve_phantom`.

Plugins differ in what they require of the file, in how they reconstruct and in what they report, not in physics.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from spinloom.errors import ConfigurationError, known_names
from spinloom.imaging_memory import ImageSize, refuse_beyond_memory
from spinloom.interfaces import KSpace, Numerics
from spinloom.physics.imaging.aliasing import Aliasing, aliasing
from spinloom.physics.imaging.aliasing_notes import aliasing_notes
from spinloom.physics.imaging.depths import groups
from spinloom.physics.imaging.engine import ENGINES, PhantomSolution, solve_phantom
from spinloom.physics.imaging.larmor import larmor_frequency
from spinloom.physics.imaging.programs import program_of
from spinloom.physics.imaging.unspread import refuse_unspread_t2_prime
from spinloom.sequence.timeline import Timeline
from spinloom.sequence.trajectory import labels, trajectory
from spinloom.sequence.transmit import refuse_rf_shims
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.resampling import resample

RECOVERIES = ("played", "complete")

FALSE_ECHOES = ("told", "resolved")

SPINS = (2, 3, 4, 6, 8, 12, 16)
"""Spins a voxel and axis that are tried to resolve false echoes."""

SINGLE_RTOL = 1e-6
"""Smallest error that float32 holds."""


class PhantomSimulator:
    """Isochromats on the phantom's grid.

    Options:
        rtol: largest error of a sample by interpolation, in units of M0
        engine: one of `ENGINES`, as for `solve_phantom`
        dephasing: whether the spins of a single plane spread over its thickness
        recovery: `played` as the file has it, or `complete` before each excitation that follows a readout
        false_echoes: `told` in the notes, or `resolved` by as many spins a voxel as keep each below 0.1 %
        noise: standard deviation of complex noise in the samples, as a share of the largest sample's magnitude

    Raises `ConfigurationError` for values that are none, and for an `rtol` that the dtype cannot hold.
    """

    def __init__(self, numerics: Numerics) -> None:
        options = numerics.options
        self._numerics = numerics
        self._rtol = _number(options.get("rtol", 1e-5), "rtol", positive=True)
        self._noise = _number(options.get("noise", 0.0), "noise", positive=False)
        self._engine = _name(options.get("engine", "auto"), "engine", ENGINES)
        self._recovery = _name(options.get("recovery", "played"), "recovery", RECOVERIES)
        self._resolves = _name(options.get("false_echoes", "told"), "false_echoes", FALSE_ECHOES) == "resolved"
        self._dephasing = options.get("dephasing", True)
        if self._rtol < SINGLE_RTOL and numerics.dtype == torch.float32:
            raise ConfigurationError(
                f"simulator.rtol is {self._rtol:g}, but float32 holds errors from {SINGLE_RTOL:g}; add "
                "simulator.dtype=float64."
            )
        if not isinstance(self._dephasing, bool):
            raise ConfigurationError(f"simulator.dephasing is {self._dephasing!r}; it is true or false.")

    def check(self, timeline: Timeline, subject: Phantom) -> None:
        """Raise where `timeline` cannot be played on `subject`, or the image needs more memory than there is."""
        refuse_rf_shims(timeline)
        refuse_unspread_t2_prime(subject)
        larmor_frequency(timeline, subject)
        coils = 1 if subject.coils is None else subject.coils.shape[0]
        refuse_beyond_memory(ImageSize(subject.voxels, coils, timeline.adc_samples), self._numerics.dtype)

    def simulate(self, timeline: Timeline, subject: Phantom) -> KSpace:
        """K-space of `subject` under `timeline`; differentiable with respect to the maps of the phantom."""
        played, found = subject, self._aliasing(timeline, subject)
        if self._resolves and found.echoes:
            played, found = self._resolved(timeline, subject)
        solution = self.solve(timeline, played)
        notes = () if played is subject else _played_on(subject, played)
        return self.noisy(
            KSpace(
                samples=solution.samples,
                time=solution.time,
                measurement=solution.measurement,
                trajectory=trajectory(timeline),
                labels=labels(timeline),
                fov=subject.fov,
                notes=(*solution.notes, *self.remarks(played), *notes, *aliasing_notes(found)),
            )
        )

    def solve(
        self, timeline: Timeline, subject: Phantom, start: Tensor | None = None, larmor: float | None = None
    ) -> PhantomSolution:
        """The samples without what a file's labels and trajectory add.

        start: magnetisation along z before the first event, of the phantom's shape; None for equilibrium
        larmor: Larmor frequency [Hz]; None for what `larmor_frequency` finds
        """
        refuse_rf_shims(timeline)
        return solve_phantom(
            timeline,
            subject,
            start=start,
            rtol=self._rtol,
            dtype=self._numerics.dtype,
            device=self._numerics.device,
            dephasing=self._dephasing,
            complete_recovery=self._recovery == "complete",
            larmor=larmor_frequency(timeline, subject) if larmor is None else larmor,
            engine=self._engine,
            progress=self._numerics.progress,
        )

    def false_echoes(
        self, timeline: Timeline, subject: Phantom, larmor: float | None = None, first_measurement: int = 0
    ) -> tuple[str, ...]:
        """Which coherences the grid of `subject` cannot hold, how wrong that is and what would do, in sentences.

        larmor: as for `solve`; first_measurement: number of the first ADC event of `timeline`, if it is part of another
        """
        return aliasing_notes(self._aliasing(timeline, subject, larmor), first_measurement)

    def _resolved(self, timeline: Timeline, subject: Phantom) -> tuple[Phantom, Aliasing]:
        """The fewest of `SPINS` a voxel on whose grid no false echo matters, else the most, and what is left."""
        for spins in SPINS:
            finer = resample(subject, spins)
            self.check(timeline, finer)
            found = self._aliasing(timeline, finer)
            if not found.echoes:
                break
        return finer, found

    def _aliasing(self, timeline: Timeline, subject: Phantom, larmor: float | None = None) -> Aliasing:
        larmor = larmor_frequency(timeline, subject) if larmor is None else larmor
        program = program_of(timeline, larmor, math.inf, self._recovery == "complete")
        return aliasing(program, subject, self._dephasing)

    def noisy(self, kspace: KSpace) -> KSpace:
        """`kspace` with the noise that the options ask for, drawn by torch's generator."""
        if not self._noise:
            return kspace
        scale = self._noise * kspace.samples.abs().max()
        noise = torch.randn(kspace.samples.shape, dtype=kspace.samples.dtype) * 2**0.5
        note = f"Complex noise of {self._noise:g} of the largest sample is added to each part of each sample."
        return replace(
            kspace, samples=kspace.samples + scale * noise.to(kspace.samples.device), notes=(*kspace.notes, note)
        )

    def remarks(self, subject: Phantom) -> tuple[str, ...]:
        """What the options idealise, in sentences."""
        remarks = []
        if self._recovery == "complete":
            remarks.append("Recovery is taken as complete before each excitation that follows a readout.")
        if subject.pools is not None:
            remarks.append("The phantom's pools are left out: its water is alone, with the T1 and T2 of the maps.")
        if subject.shape[0] == 1 and self._dephasing:
            thickness, depths = f"{1000 * subject.fov[2]:g} mm", math.prod(groups(*subject.shape[:0:-1]))
            if depths > 1:
                remarks.append(f"The spins of the plane lie at {depths} depths in its {thickness} and dephase there.")
        return tuple(remarks)


def _played_on(subject: Phantom, played: Phantom) -> tuple[str, ...]:
    """Which grid took the place of the phantom's, in a sentence."""
    few, many = (" x ".join(map(str, reversed(each.shape))) for each in (subject, played))
    return (f"The phantom of {few} voxels is played on {many} isochromats, to keep false echoes out of the samples.",)


def _number(value: object, option: str, positive: bool) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not (value > 0 or (value == 0 and not positive)):  # type: ignore[operator]
        kind = "a positive number such as 1e-5" if positive else "a number from 0"
        raise ConfigurationError(f"simulator.{option} is {value!r}; it is {kind}.")
    assert isinstance(value, int | float)
    return float(value)


def _name(value: object, option: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ConfigurationError(f"simulator.{option} is {value!r}. {known_names(str(value), known)}")
    return str(value)
