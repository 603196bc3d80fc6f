"""Which tissues and measurements of a batch stand for all where the sampling of pulses is tried.

Errors of single pulses change slowly with the offset, but those of a train do not: where its pulses are in step with
the precession of water, the transverse magnetisation of all of them adds up, and so do their errors; a few hertz beside
they cancel.  From each stretch of offsets the measurement is probed whose train is most nearly in step.  A pulse of
detuning d and root mean square w holds water's precession back by (sqrt(d^2 + w^2) - |d|) T turns, towards itself
(Bloch and Siegert, Phys Rev 1940;57:522, first term).
"""

from __future__ import annotations

import math

import numpy as np
import torch

from spinloom.physics.propagation import common_larmor
from spinloom.physics.sampling import FAR
from spinloom.sequence.atoms import FREE, PULSE
from spinloom.sequence.steps import StepProgram
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue
from spinloom.units import PPM

TISSUES = 4
"""Tissues that are probed, evenly spread over the batch."""

STRETCHES = 16
"""Stretches of offsets from each of which a measurement is probed."""


def probed_tissues(tissue: Tissue) -> Tissue:
    """A few tissues of a flat batch, without gradients."""
    count = int(tissue.batch_shape.numel())
    picked = torch.linspace(0, count - 1, min(count, TISSUES)).round().long()
    return tissue.map(lambda values: values.detach()[picked.to(values.device)])


def probed_measurements(program: StepProgram, timeline: Timeline, tissue: Tissue) -> np.ndarray:
    """Measurements that stand for all of them, for the `tissue`s that are probed.

    All, where magnetisation is carried from one to the next, for then they cannot be played alone.
    """
    every = np.unique(program.measurement)
    if not tissue.reset or every.size <= STRETCHES or not np.any(program.kind == PULSE):
        return every
    pulses, measurement = _pulses(program, timeline), program.measurement_of[program.kind == PULSE]
    larmor = common_larmor(tissue)
    frequency = pulses["frequency_offset"] + pulses["frequency_ppm"] * PPM * larmor
    phase = pulses["phase_offset"] + pulses["phase_ppm"] * PPM * larmor
    near = np.flatnonzero(np.abs(frequency) * pulses["length"] < FAR)
    if not near.size:
        return every
    measured, place = np.unique(measurement[near], return_index=True)
    first = near[place]
    water = (tissue.b0_shift_ppm * PPM * tissue.larmor).cpu().numpy()
    chosen = [_nearest(frequency[first], shift) for shift in _resonances(tissue)]
    for shift, rel_b1 in np.unique(np.stack([water, tissue.rel_b1.cpu().numpy()], axis=1), axis=0):
        held = _held_back(frequency - shift, rel_b1 * pulses["rms"]) * pulses["length"]
        ahead = phase + 2 * math.pi * (np.cumsum(held) - held - shift * pulses["time"])
        chosen += _most_in_step(frequency[first], np.abs(np.exp(1j * np.diff(ahead, append=0.0)[first]) - 1))
    return np.intersect1d(measured[chosen], every)


def _pulses(program: StepProgram, timeline: Timeline) -> dict[str, np.ndarray]:
    """Columns of every pulse that is played, its length and begin [s], and its root mean square [Hz]."""
    steps = np.zeros(program.kind.size)
    free, pulses = program.kind == FREE, program.kind == PULSE
    columns = {name: column[program.index[pulses]] for name, column in timeline.rf_table.items()}
    forms = np.array([(waveform.duration, waveform.power) for waveform in timeline.waveforms])
    length, power = forms[columns["waveform"]].T
    steps[free], steps[pulses] = program.durations[program.index[free]], length
    begin = (np.cumsum(steps) - steps)[pulses]
    return {**columns, "length": length, "time": begin, "rms": columns["amplitude"] * np.sqrt(power / length)}


def _held_back(detuning: np.ndarray, rms: np.ndarray) -> np.ndarray:
    """Turns a second by which RF holds the precession back that it is `detuning` [Hz] above."""
    return np.asarray(np.sign(detuning) * (np.hypot(detuning, rms) - np.abs(detuning)))


def _resonances(tissue: Tissue) -> np.ndarray:
    """Resonances of all pools, at their means over the tissues [Hz]."""
    shifts = [0.0, *(float(pool.shift_ppm.mean()) for pool in tissue.pools.values())]
    return (np.array(shifts) + float(tissue.b0_shift_ppm.mean())) * PPM * common_larmor(tissue)


def _nearest(frequency: np.ndarray, wanted: float) -> int:
    return int(np.abs(frequency - wanted).argmin())


def _most_in_step(frequency: np.ndarray, distance: np.ndarray) -> list[int]:
    """From each stretch of frequencies the one of least `distance`, and the outermost two."""
    order = np.argsort(frequency, kind="stable")
    stretches = [part for part in np.array_split(order, STRETCHES) if part.size]
    return [int(order[0]), int(order[-1]), *(int(part[distance[part].argmin()]) for part in stretches)]
