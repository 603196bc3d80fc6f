"""The signal of a phantom as a plain sum over every isochromat and every sample, in double precision.

dM+/dt = (2 pi i (b0 + G r) - 1/T2) M+ + 2 pi i w(t) b1 Mz
dMz/dt = (1 - Mz)/T1 - Im(conj(2 pi w(t) b1) M+),   M+ = Mx + i My in units of m0
w(t) = amplitude * shape(t) * exp(i (phase + 2 pi f (t - begin))) [Hz]

It shares no line with the engines: no grid, no lines, no reuse, one isochromat at the centre of each voxel.  A pulse is
solved cell by cell of its own samples, in the frame of its frequency, by the Taylor series of the exponential to
rounding; where a gradient slopes under a pulse its cells are cut in `SLOPE_CELLS` with the mean gradient of each, the
one approximation here (of second order).  Between pulses precession and relaxation are exact.  The receiver
demodulates by exp(-i (phase + 2 pi f t)) with t from the ADC event's begin, that is from its delay on.
Slow and plain on purpose: for phantoms of a few thousand voxels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.errors import RequirementError, SequenceError
from spinloom.sequence.events import rotation_in
from spinloom.sequence.timeline import AXES, AdcEvent, Block, RfEvent, Timeline
from spinloom.sequence.trajectory import moment_factors
from spinloom.sequence.transmit import refuse_rf_shims
from spinloom.tissue.phantom import Phantom
from spinloom.units import PPM

SLOPE_CELLS = 64
"""Parts into which a stretch of sloping gradient under a pulse is cut."""

SAME_TIME = 1e-10
"""Times closer than this are the same [s]."""


def isochromat_sum(
    timeline: Timeline,
    phantom: Phantom,
    larmor: float = 0.0,
    complete_recovery: bool = False,
    spins_at_once: int = 4096,
) -> np.ndarray:
    """Mean over the phantom of coil sensitivity times M+ at every ADC sample, complex, shape `(coils, samples)`.

    larmor: Larmor frequency [Hz], to which ppm terms of the file refer
    complete_recovery: whether magnetisation is in equilibrium before each excitation that follows a readout
    spins_at_once: bound on memory; the sum does not depend on it but for rounding

    Raises `RequirementError` for T2' or pools, which one isochromat a voxel cannot have, and `SequenceError` for
    samples under a pulse and for RF shims.
    """
    refuse_rf_shims(timeline)
    if phantom.pools is not None or (phantom.t2_prime is not None and not bool(phantom.t2_prime.isinf().all())):
        raise RequirementError(f"Phantom '{phantom.name}' has pools or T2', which the isochromat sum does not solve.")
    spins = _spins_of(phantom)
    number = int(spins.weights.shape[1])
    total = np.zeros((spins.weights.shape[0], timeline.adc_samples), dtype=np.complex128)
    for first in range(0, number, spins_at_once):
        total += _signal(timeline, spins.part(slice(first, first + spins_at_once)), larmor, complete_recovery)
    return total / phantom.voxels


@dataclass(frozen=True, eq=False)
class _Spins:
    """Isochromats: places `(3, spins)` [m], rates [1/s], offset [Hz], B1, and coil sensitivity times m0."""

    places: np.ndarray
    r1: np.ndarray
    r2: np.ndarray
    offset: np.ndarray
    b1: np.ndarray
    weights: np.ndarray

    def part(self, which: slice) -> _Spins:
        return _Spins(*(getattr(self, name)[..., which] for name in self.__dataclass_fields__))


def _spins_of(phantom: Phantom) -> _Spins:
    """The voxels that hold magnetisation."""
    z, y, x = np.meshgrid(*(phantom.positions(axis).double().cpu().numpy() for axis in "zyx"), indexing="ij")
    m0, t1, t2, b0, b1 = (
        getattr(phantom, name).detach().double().cpu().numpy() for name in ("m0", "t1", "t2", "b0", "b1")
    )
    coils = np.ones((1, *m0.shape)) if phantom.coils is None else phantom.coils.detach().cpu().numpy()
    there = m0 > 0
    places = np.stack([x[there], y[there], z[there]])
    return _Spins(places, 1 / t1[there], 1 / t2[there], b0[there], b1[there], coils[:, there] * m0[there])


class _State:
    """M+ and Mz of the isochromats, in units of m0."""

    def __init__(self, spins: _Spins) -> None:
        self.spins = spins
        self.reset()

    def reset(self) -> None:
        """Go to equilibrium."""
        self.plus = np.zeros(self.spins.r1.size, dtype=np.complex128)
        self.z = np.ones(self.spins.r1.size)

    def transverse_after(self, duration: float, moment: np.ndarray) -> np.ndarray:
        """M+ after precessing for `duration` [s] under the gradient moment along x, y, z [cycles/m]."""
        turns = self.spins.offset * duration + moment @ self.spins.places
        after: np.ndarray = self.plus * np.exp(2j * np.pi * turns - duration * self.spins.r2)
        return after

    def precess(self, duration: float, moment: np.ndarray) -> None:
        """Precess freely and relax."""
        self.plus = self.transverse_after(duration, moment)
        self.z = 1 + (self.z - 1) * np.exp(-duration * self.spins.r1)

    def nutate(self, duration: float, nutation: complex, offset: np.ndarray) -> None:
        """Play constant RF of `nutation` [Hz] for `duration` [s] at `offset` [Hz] from its frequency."""
        rate, transverse = 2j * np.pi * nutation * self.spins.b1, 2j * np.pi * offset - self.spins.r2
        largest = float(np.max(np.abs(rate) + np.abs(transverse) + self.spins.r1, initial=0.0))
        parts = max(1, int(np.ceil(largest * duration)))
        for _ in range(parts):
            plus, z, forced = self.plus, self.z, self.spins.r1
            for term in range(1, 40):
                step = duration / parts / term
                slope = transverse * plus + rate * z
                plus, z = step * slope, step * (forced - self.spins.r1 * z - (np.conj(rate) * plus).real)
                forced = np.zeros_like(forced)
                self.plus, self.z = self.plus + plus, self.z + z
                if max(np.max(np.abs(plus), initial=0.0), np.max(np.abs(z), initial=0.0)) < 1e-17:
                    break


def _signal(timeline: Timeline, spins: _Spins, larmor: float, complete_recovery: bool) -> np.ndarray:
    """The unnormalised signal of some isochromats, shape `(coils, samples)`."""
    state, readouts = _State(spins), [np.zeros((spins.weights.shape[0], 0), dtype=np.complex128)]
    excites, has_read = moment_factors(timeline) == 0, False
    for block in timeline.blocks():
        clock = 0.0
        if block.rf is not None:
            if complete_recovery and has_read and excites[timeline.block_rf[block.index]]:
                state.reset()
                has_read = False
            _refuse_samples_under_the_pulse(timeline, block)
            clock = _play_pulse(timeline, block, block.rf, state, larmor)
        if block.adc is not None:
            readouts.append(_read(block, block.adc, state, clock) * _receiver(block.adc, larmor))
            has_read = True
        _precess(block, state, clock, block.duration)
    return np.concatenate(readouts, axis=1)


def _read(block: Block, adc: AdcEvent, state: _State, begin: float) -> np.ndarray:
    """Each sample as the sum over the isochromats, whose state is that at `begin`; shape `(coils, samples)`."""
    times = adc.sample_times()
    moments = _moment(block, times) - _moment(block, np.array([begin]))
    sums = [
        state.spins.weights @ state.transverse_after(time - begin, moment)
        for time, moment in zip(times, moments.T, strict=True)
    ]
    return np.stack(sums, axis=1)


def _precess(block: Block, state: _State, start: float, end: float) -> None:
    first, last = _moment(block, np.array([start, end])).T
    state.precess(end - start, last - first)


def _moment(block: Block, times: np.ndarray) -> np.ndarray:
    """Moment along x, y, z from the block's begin to `times` after it [cycles/m], shape `(3, times)`."""
    moment = np.zeros((3, times.size))
    for axis, gradient in block.gradients.items():
        moment[AXES.index(axis)] = gradient.moment_at(times)
    rotation = rotation_in(block.extensions)
    return moment if rotation is None else rotation.matrix @ moment


def _play_pulse(timeline: Timeline, block: Block, rf: RfEvent, state: _State, larmor: float) -> float:
    """Play a block up to the end of its pulse, which is returned."""
    waveform, frequency, phase = timeline.waveforms[rf.waveform], rf.frequency(larmor), rf.phase(larmor)
    _precess(block, state, 0.0, rf.delay)
    edges = rf.delay + np.concatenate([[0.0], np.cumsum(waveform.durations)])
    cuts = _cuts(block, edges)
    segments = np.searchsorted(edges, (cuts[1:] + cuts[:-1]) / 2) - 1
    gradients = np.diff(_moment(block, cuts), axis=1) / np.diff(cuts)
    for duration, segment, gradient in zip(np.diff(cuts), segments, gradients.T, strict=True):
        nutation = rf.amplitude * waveform.values[segment] * np.exp(1j * phase)
        state.nutate(duration, nutation, state.spins.offset + gradient @ state.spins.places - frequency)
    state.plus = state.plus * np.exp(2j * np.pi * frequency * waveform.duration)
    return float(edges[-1])


def _cuts(block: Block, edges: np.ndarray) -> np.ndarray:
    """Borders of the pulse's cells: of its own segments, where a gradient bends, and within its slopes [s]."""
    borders = [edges]
    for gradient in block.gradients.values():
        times, values = gradient.points()
        slopes = np.flatnonzero(np.diff(values) != 0)
        borders += [times, np.linspace(times[slopes], times[slopes + 1], SLOPE_CELLS + 1).ravel()]
    cuts = np.unique(np.concatenate(borders))
    inside = cuts[(cuts > edges[0] + SAME_TIME) & (cuts < edges[-1] - SAME_TIME)]
    cuts = np.concatenate([edges[:1], inside, edges[-1:]])
    return cuts[np.append(True, np.diff(cuts) > SAME_TIME)]


def _receiver(adc: AdcEvent, larmor: float) -> np.ndarray:
    """Factor that demodulates each sample, shape `(samples,)`."""
    since = adc.sample_times() - adc.delay
    frequency = adc.frequency_offset + adc.frequency_ppm * PPM * larmor
    phase = adc.phase_offset + adc.phase_ppm * PPM * larmor + 2 * np.pi * frequency * since
    return np.exp(-1j * (phase if adc.phase_shape is None else phase + adc.phase_shape.samples()))


def _refuse_samples_under_the_pulse(timeline: Timeline, block: Block) -> None:
    if block.adc is None or block.rf is None:
        return
    end = block.rf.delay + timeline.waveforms[block.rf.waveform].duration
    if block.adc.sample_times()[0] < end - SAME_TIME:
        raise SequenceError(
            f"{timeline.source}: block {block.index + 1} in playing order samples before its RF pulse has ended; move "
            "the ADC event after the pulse."
        )
