"""Coherence pathways: which magnetisation a readout meets, whichever way the pulses sent it, and at which moments.

The graph follows a few isochromats of the phantom, each with its own relaxation, frequency, B1+ and slice profile, for
at most `MOST_PULSES` pulses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.physics.imaging.few_spins import FewSpins, Rotation, few_spins, rotation
from spinloom.physics.imaging.phase_graph import PhaseGraph, Turns
from spinloom.physics.imaging.spins import Spins
from spinloom.sequence.spatial_steps import ReadStep, RestoreStep, RfStep, SpanStep, SpatialProgram

LEAST = 1e-5
"""Part of the mean M0 below which a coherence is followed no further."""

MOST_PULSES = 1024


@dataclass(frozen=True, slots=True)
class Pathway:
    """A coherence that a readout samples.

    turns: what pulses made of it, in playing order: number of the pulse (from 1) and `excited` (from longitudinal to
        transverse), `stored` (the reverse) or `refocused`; pulses that left it as it was are not named, and where
        several ways led to one moment it is the strongest
    measurement: ADC event that samples it
    moment: at the middle of the readout along x, y, z [cycles/m]
    amplitude: mean magnitude over the phantom, in parts of the mean M0
    """

    turns: Turns
    measurement: int
    moment: tuple[float, float, float]
    amplitude: float


def pathways(program: SpatialProgram, spins: Spins, least: float = LEAST) -> tuple[Pathway, ...]:
    """Every coherence of at least `least` of the mean M0 in every readout, in playing order, the strongest first."""
    met = coherences(program, few_spins(spins), least)
    order = np.lexsort((-met.amplitudes, met.steps))
    return tuple(
        Pathway(
            met.graph.turns(int(met.histories[one])),
            int(met.measurements[one]),
            tuple(met.moments[one].tolist()),
            float(met.amplitudes[one]),
        )
        for one in order
    )


@dataclass(frozen=True, eq=False)
class Coherences:
    """The coherences that the readouts of a program meet, one after the other.

    steps, readouts, measurements: which read step, distinct readout and ADC event meets each, `(coherences,)`
    samples: first sample of that readout, in the order of the file
    moments: at the middle of that readout [cycles/m], `(coherences, 3)`
    amplitudes: mean magnitude in parts of the mean M0; histories: for `graph.turns`
    stopped: whether pulses were left out at the end
    """

    steps: np.ndarray
    readouts: np.ndarray
    measurements: np.ndarray
    samples: np.ndarray
    moments: np.ndarray
    amplitudes: np.ndarray
    histories: np.ndarray
    graph: PhaseGraph
    stopped: bool


def coherences(program: SpatialProgram, few: FewSpins, least: float = LEAST) -> Coherences:
    """Walk through a program and note what each readout meets."""
    graph, rotations, played = PhaseGraph(few, least), dict[int, Rotation](), 0
    reads: list[ReadStep] = []
    met = []
    for step in program.steps:
        match step:
            case RfStep(pulse, before, after):
                if played == MOST_PULSES:
                    break
                played += 1
                if pulse not in rotations:
                    rotations[pulse] = rotation(program.pulses[pulse], few)
                graph.play(rotations[pulse], before, after, played)
            case SpanStep(duration, moment):
                graph.precess(duration, np.array(moment))
            case ReadStep():
                reads.append(step)
                met.append(graph.transverse())
            case RestoreStep():
                graph.restore()
    steps = np.repeat(np.arange(len(met)), [waves.histories.size for waves in met]).astype(np.int64)
    samples = np.array([read.sample for read in reads], dtype=np.int64)[steps]
    none = np.zeros(0, dtype=np.int64)
    return Coherences(
        steps=steps,
        readouts=np.array([read.readout for read in reads], dtype=np.int64)[steps],
        measurements=program.measurement[samples],
        samples=samples,
        moments=np.concatenate([np.zeros((0, 3)), *(waves.moments for waves in met)]),
        amplitudes=np.concatenate([np.zeros(0), *(np.abs(waves.values) @ few.weight for waves in met)]),
        histories=np.concatenate([none, *(waves.histories for waves in met)]),
        graph=graph,
        stopped=sum(isinstance(step, RfStep) for step in program.steps) > MOST_PULSES,
    )
