"""One file, both worlds: pools under the preparation of a sequence, isochromats under its readout.

Up to the excitation of each shot every voxel is a tissue of exchanging pools and solves the Bloch-McConnell equations
(`solve_pools`), pulses of earlier shots included where magnetisation carries on.  What its water has along z then is
where the isochromats of the shot begin (`solve_phantom`), which know water alone: exchange during a readout of some
tens of milliseconds enters through the water's own T1 and T2.  Transverse magnetisation that the preparation leaves is
taken to be spoiled, as the file's spoilers do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import ConfigurationError, RequirementError
from spinloom.imaging_memory import ImageSize, refuse_beyond_memory
from spinloom.interfaces import KSpace, Numerics
from spinloom.phantom_simulator import PhantomSimulator
from spinloom.physics.imaging.larmor import larmor_frequency
from spinloom.pool_simulator import PoolSimulator
from spinloom.sequence.events import rotation_in
from spinloom.sequence.parts import part, with_markers
from spinloom.sequence.shots import Shot, shots
from spinloom.sequence.timeline import Timeline
from spinloom.sequence.trajectory import labels, trajectory
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.resampling import resample
from spinloom.tissue.phantoms.voxel_tissues import voxel_tissues


class PreparedSimulator:
    """Pools for the preparation, isochromats for the readout.

    Options: `preparation`, a mapping with the options of `PoolSimulator`; `spins`, isochromats a voxel along each
    axis during the readout; and those of `PhantomSimulator`.
    """

    def __init__(self, numerics: Numerics) -> None:
        options = dict(numerics.options)
        preparation: Any = options.pop("preparation", None) or {}
        self._spins = options.pop("spins", 1)
        if isinstance(self._spins, bool) or not isinstance(self._spins, int) or self._spins < 1:
            raise ConfigurationError(f"simulator.spins is {self._spins!r}; it is a whole number from 1.")
        if "false_echoes" in options:
            raise ConfigurationError("simulator.false_echoes is no option here; simulator.spins=4 resolves them.")
        self._pools = PoolSimulator(replace(numerics, dtype=torch.float64, options=preparation))
        self._readout = PhantomSimulator(replace(numerics, options=options, progress=None))
        self._dtype = numerics.dtype

    def check(self, timeline: Timeline, subject: Phantom) -> None:
        """Raise where preparation and readout cannot be told apart, or the image needs more memory than there is."""
        spread = self._spins > 1 and subject.voxels > 1
        self._readout.check(timeline, replace(subject, t2_prime=None) if spread else subject)
        _refuse_unsaid(timeline, shots(timeline))
        coils = 1 if subject.coils is None else subject.coils.shape[0]
        spins = subject.voxels * self._spins ** sum(count > 1 for count in subject.shape)
        refuse_beyond_memory(ImageSize(spins, coils, timeline.adc_samples), self._dtype)

    def simulate(self, timeline: Timeline, subject: Phantom) -> KSpace:
        """K-space of every shot; `prepared` says from where each begins."""
        start, notes = self.prepared(timeline, subject)
        fine = resample(replace(subject, pools=None), self._spins)
        larmor = larmor_frequency(timeline, subject)
        parts = [part(timeline, shot.blocks) for shot in shots(timeline)]
        solved = [
            self._readout.solve(played, fine, _refined(longitudinal, fine), larmor)
            for played, longitudinal in zip(parts, start, strict=True)
        ]
        remarks = dict.fromkeys(note for each in solved for note in each.notes)
        times, measurement = _taken(timeline)
        return self._readout.noisy(
            KSpace(
                samples=torch.cat([each.samples for each in solved], dim=-1),
                time=times,
                measurement=measurement,
                trajectory=trajectory(timeline),
                labels=labels(timeline),
                fov=subject.fov,
                notes=(
                    *notes,
                    *remarks,
                    *self._readout.remarks(fine),
                    _WATER_ALONE,
                    *self._false_echoes(parts, fine, larmor),
                ),
            )
        )

    def prepared(self, timeline: Timeline, subject: Phantom) -> tuple[Tensor, tuple[str, ...]]:
        """Magnetisation of water along z before each shot, shape `(shots, z, y, x)`, and what was idealised."""
        found = shots(timeline)
        _refuse_unsaid(timeline, found)
        voxels = voxel_tissues(subject)
        begins = np.array([shot.blocks.start for shot in found])
        readouts = np.concatenate([np.arange(shot.blocks.start, shot.blocks.stop) for shot in found])
        marked = with_markers(timeline, begins, readouts if voxels.tissue.reset else readouts[:0])
        signal = self._pools.simulate(marked, voxels.tissue)
        relative = signal.mz[voxels.number].T.to(subject.m0)
        start = torch.zeros(len(found), *subject.shape, dtype=subject.m0.dtype, device=subject.m0.device)
        start[:, voxels.inside] = relative * subject.m0[voxels.inside]
        return start, tuple(f"Preparation: {note}" for note in signal.notes)

    def _false_echoes(self, parts: list[Timeline], fine: Phantom, larmor: float) -> list[str]:
        """What the isochromats cannot hold of each distinct shot, as if it began at equilibrium, in sentences."""
        notes: dict[object, tuple[str, ...]] = {}
        first_measurement = 0
        for number, played in enumerate(parts, start=1):
            key = _played(played)
            if key not in notes:
                found = self._readout.false_echoes(played, fine, larmor, first_measurement)
                notes[key] = tuple(f"Shot {number}: {note}" for note in found)
            first_measurement += int((played.block_adc >= 0).sum())
        return [note for told in notes.values() for note in told]


_WATER_ALONE = "During readouts water is alone: exchange enters through its T1 and T2, and its Mz at the excitation."


def _refuse_unsaid(timeline: Timeline, found: tuple[Shot, ...]) -> None:
    """Raise where the file does not say which of its pulses excite, or reads without an excitation."""
    unsaid = any(event.use == "undefined" for event in timeline.rf)
    read = sum(shot.readouts for shot in found)
    if unsaid or read < int((timeline.block_adc >= 0).sum()):
        why = "does not say what its pulses are for" if unsaid else "reads before it excites"
        raise RequirementError(
            f"{timeline.source} {why}, so that its preparation cannot be told from its readout; write it in version "
            "1.5 with the use of each pulse (saturation, excitation, refocusing)."
        )


def _played(timeline: Timeline) -> object:
    """What tells parts of one file apart in what they play: their events and rotations, whatever their labels."""
    rotations = [rotation_in(items) for items in timeline.extensions] + [None]
    events = timeline.block_duration, timeline.block_rf, timeline.block_gradient, timeline.block_adc
    return *(values.tobytes() for values in events), *(rotations[number] for number in timeline.block_extension)


def _refined(values: Tensor, fine: Phantom) -> Tensor:
    """A map of voxels as one of the isochromats of `fine`."""
    for axis, count in enumerate(fine.shape):
        values = values.repeat_interleave(count // values.shape[axis], dim=axis)
    return values


def _taken(timeline: Timeline) -> tuple[np.ndarray, np.ndarray]:
    """Time [s] and ADC event of every sample."""
    blocks = np.flatnonzero(timeline.block_adc >= 0)
    events = [timeline.adcs[event].sample_times() for event in timeline.block_adc[blocks].tolist()]
    times = [start + event for start, event in zip(timeline.block_start[blocks].tolist(), events, strict=True)]
    return np.concatenate(times), np.repeat(np.arange(blocks.size), [event.size for event in events])
