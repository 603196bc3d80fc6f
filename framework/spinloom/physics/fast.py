"""The fast engine on the CPU: the same physics and sampling as `propagation`, on the loops of `kernels`.

What it adds to them is economy.  A pulse that is symmetric in time is integrated over its first half alone: with
J = diag(f_i) times -1 on the y components, star exchange obeys detailed balance and A = J A^T J^-1, so that the
second half, which plays the first one backwards, has the propagator J U^T J^-1.  The source's column is the only one
that must be integrated over both.  Pulses so far off resonance that their Taylor series would be long are solved by
`far_pulses`, constant ones by `propagation.solve_pulse`.  It has no gradients; `star_of` says where it can stand in.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from spinloom.physics.bloch_mcconnell import Layout, equilibrium, generator, rf_generators
from spinloom.physics.exponentials import exponentials
from spinloom.physics.far_pulses import solve_far
from spinloom.physics.kernels import integrate_pulses, play_train
from spinloom.physics.propagation import MATRICES_IN_FLIGHT, Propagators, PulseKey, solve_pulse
from spinloom.physics.sampling import SampledPulse, sample_pulse
from spinloom.sequence.steps import Free, MeasurementEnd, Pulse, Sample, Spoil, StepProgram
from spinloom.sequence.timeline import RfWaveform, Timeline
from spinloom.tissue.pools import Tissue

SERIES_RADIUS = 12.0
"""Largest spectral radius times part of a cell: terms grow to e^12 before they fall, which costs 5 digits of 16."""

MOST_PARTS = 4
"""A pulse whose cells would be cut into more parts than this is solved by matrix exponentials instead."""

SYMMETRY = 1e-7
"""Largest part of a pulse's area by which the two halves of a symmetric one may differ: the digits of a file."""


@dataclass(frozen=True, eq=False)
class _Star:
    """Rates of a flat batch of tissues in star exchange, one row a pool, tissues last.

    arrays: as `kernels.integrate_pulses` takes them, without the absorption
    weights: equilibrium of each component relative to water's, shape `(tissues, size)`
    fastest: largest rate of relaxation and exchange [1/s]
    """

    layout: Layout
    arrays: tuple[np.ndarray, ...]
    weights: np.ndarray
    fastest: float


def star_of(tissue: Tissue) -> _Star | None:
    """The rates of `tissue`, or None where the fast engine does not solve it: another exchange than the star, a
    device other than the CPU, or parameters of which gradients are asked."""
    if tissue.b0.device.type != "cpu":
        return None
    layout, matrix = Layout.of(tissue), generator(tissue, torch.zeros_like(tissue.b0))
    if matrix.requires_grad or forward_ad.unpack_dual(matrix).tangent is not None:
        return None
    values = matrix.numpy()
    pools, x, y, z = layout.pools, layout.x.start, layout.y.start, layout.z.start
    size = layout.size - 1

    def row(rows: slice | int, columns: slice | int) -> np.ndarray:
        block = values[:, rows, columns]
        picked = block if block.ndim == 2 else np.diagonal(block, axis1=1, axis2=2)
        return np.array(picked.T, order="C")

    free, bound = slice(z, z + pools), slice(z + pools, size)
    give, take = row(z, slice(z, size)), row(slice(z, size), z)
    give[0], take[0] = 0.0, 0.0
    source = row(slice(z, size), size)
    arrays = (
        row(slice(y, y + pools), slice(x, x + pools)),
        -row(slice(x, x + pools), slice(x, x + pools)),
        -row(free, free),
        give[:pools],
        take[:pools],
        source[:pools],
        -row(bound, bound),
        give[pools:],
        take[pools:],
        source[pools:],
    )
    if not _is_star(values, arrays, layout):
        return None
    weight = np.where(give > 0, take / np.where(give > 0, give, 1.0), 1.0)
    weight[0] = 1.0
    weights = np.concatenate([weight[:pools], weight[:pools], weight]).T
    return _Star(layout, arrays, weights, float(max(arrays[1].max(), arrays[2].max())))


def _is_star(values: np.ndarray, arrays: tuple[np.ndarray, ...], layout: Layout) -> bool:
    """Whether a generator holds nothing but what the kernel's rows say."""
    shift, r2, r1, give, take, source, b_rate, b_give, b_take, b_source = arrays
    pools, size = layout.pools, layout.size - 1
    rebuilt = np.zeros_like(values)
    for i in range(pools):
        for first in (0, pools, 2 * pools):
            rebuilt[:, first + i, first + i] = -(r1 if first == 2 * pools else r2)[i]
            if i:
                rebuilt[:, first, first + i], rebuilt[:, first + i, first] = give[i], take[i]
        rebuilt[:, i, pools + i], rebuilt[:, pools + i, i] = -shift[i], shift[i]
        rebuilt[:, 2 * pools + i, size] = source[i]
    for s in range(layout.semisolid):
        row = 3 * pools + s
        rebuilt[:, row, row], rebuilt[:, row, size] = -b_rate[s], b_source[s]
        rebuilt[:, 2 * pools, row], rebuilt[:, row, 2 * pools] = b_give[s], b_take[s]
    return bool(np.array_equal(rebuilt, values))


@dataclass(frozen=True, eq=False)
class FastProgram:
    """A step program as the kernels take it: its distinct pulses and delays, and its steps in their terms.

    keys: distinct pulses; durations: distinct delays [s]
    steps: kind, index and turns of each step, as `kernels.play_train` takes them
    """

    timeline: Timeline
    keys: list[PulseKey]
    durations: list[float]
    steps: tuple[np.ndarray, ...]
    samples: int

    @classmethod
    def of(cls, program: StepProgram, timeline: Timeline, tissue: Tissue) -> FastProgram:
        """Count the distinct pulses and delays of `program`, at the Larmor frequency of `tissue`."""
        propagators = Propagators(timeline, tissue, None)
        played = dict.fromkeys(step.rf for step in program.steps if isinstance(step, Pulse))
        pulses = {rf: propagators.key(timeline.rf[rf]) for rf in played}
        keys = list(dict.fromkeys(key for key, _, _ in pulses.values()))
        durations = sorted({step.duration for step in program.steps if isinstance(step, Free)})
        return cls(timeline, keys, durations, _steps(program, pulses, keys, durations), program.time.size)


def play_fast(
    program: FastProgram, tissue: Tissue, star: _Star, cells: int | None, tolerance: float, threads: int
) -> tuple[Tensor, Tensor]:
    """Mz and complex Mxy of water at every sample, relative to its equilibrium, shapes `(batch, samples)`.

    tolerance: of each Taylor series, relative to the magnetisation
    """
    pulses = _solve_keys(program.keys, program.timeline, tissue, star, cells, tolerance, threads)
    still = generator(tissue, torch.zeros_like(tissue.b0))
    delays = np.empty((star.weights.shape[0], len(program.durations), *pulses.shape[2:]))
    for number, duration in enumerate(program.durations):
        delays[:, number] = _by_columns(exponentials(still * duration))
    return _play(program.steps, pulses, delays, tissue, star.layout, program.samples, threads)


def _solve_keys(
    keys: list[PulseKey],
    timeline: Timeline,
    tissue: Tissue,
    star: _Star,
    cells: int | None,
    tolerance: float,
    threads: int,
) -> np.ndarray:
    """Propagators of every key by columns, the source's last, shape `(tissues, keys, size + 1, size)`."""
    size = star.layout.size - 1
    tissues = star.weights.shape[0]
    out = np.empty((tissues, len(keys), size + 1, size))
    nutation = 2 * np.pi * tissue.rel_b1.numpy()
    for waveform in sorted({key.waveform for key in keys}):
        symmetric = cells is not None and _is_symmetric(timeline.waveforms[waveform])
        envelope = _first_half(timeline.waveforms[waveform]) if symmetric else timeline.waveforms[waveform]
        sampled = sample_pulse(envelope, None if cells is None else max(1, cells // 2) if symmetric else cells)
        longest = float(sampled.length.max())
        series, exact = [], []
        for number in (n for n, key in enumerate(keys) if key.waveform == waveform):
            radius = _radius(keys[number], star, sampled, nutation, star.fastest / 2) * longest
            few = sampled.length.size < 4 or radius > MOST_PARTS * SERIES_RADIUS
            if few:
                exact.append(number)
            else:
                series.append(number)
        if exact and sampled.length.size < 4:
            _solve_constant(tissue, sampled, [keys[number] for number in exact], out, exact)
        for number in exact if sampled.length.size >= 4 else ():
            out[:, number] = _by_columns(_solve_far(tissue, timeline.waveforms[waveform], keys[number], cells))
        if series:
            jobs = _Jobs(tissue, star, sampled, [keys[number] for number in series], tolerance, nutation)
            out[:, series] = jobs.halves(threads) if symmetric else jobs.whole(threads)
    return out


def _solve_constant(
    tissue: Tissue, pulse: SampledPulse, keys: list[PulseKey], out: np.ndarray, numbers: list[int]
) -> None:
    """Pulses of few constant segments, many keys at once, into the places `numbers` of `out`."""
    most = max(1, MATRICES_IN_FLIGHT // (tissue.b0.numel() * Layout.of(tissue).size ** 2))
    for start in range(0, len(keys), most):
        part = slice(start, start + most)
        frequency = torch.tensor([[key.frequency] for key in keys[part]], dtype=torch.float64).expand(
            -1, tissue.b0.numel()
        )
        amplitude = torch.tensor([[key.amplitude] for key in keys[part]], dtype=torch.float64)
        free, (x, y, saturation) = generator(tissue, frequency), rf_generators(tissue, frequency)
        nutation = (2 * torch.pi * amplitude * tissue.rel_b1)[..., None, None]
        total: Tensor | None = None
        for length, mean, power in zip(pulse.length, pulse.mean, pulse.power, strict=True):
            rf = nutation * (mean.real * x + mean.imag * y) + power * nutation**2 * torch.diag_embed(saturation)
            segment = exponentials(length * (free + rf))
            total = segment if total is None else segment @ total
        assert total is not None
        for number, solution in zip(numbers[part], total, strict=True):
            out[:, number] = _by_columns(solution)


def _solve_far(tissue: Tissue, waveform: RfWaveform, key: PulseKey, cells: int | None) -> Tensor:
    if np.any(waveform.values.imag):
        return solve_pulse(tissue, sample_pulse(waveform, cells), key.amplitude, key.frequency)
    return solve_far(tissue, waveform, key.amplitude, key.frequency)


def _radius(key: PulseKey, star: _Star, sampled: SampledPulse, nutation: np.ndarray, lift: float) -> float:
    """Bound of the spectral radius of the generator under a pulse, `lift` added to it [1/s]."""
    detuning = np.abs(star.arrays[0] - 2 * np.pi * key.frequency)
    precession = float(np.hypot(detuning, star.arrays[1] - lift).max())
    peak = key.amplitude * float(nutation.max()) * float(np.abs(sampled.mean).max())
    return max(precession, star.fastest - lift) + peak


def _series(radius: float, tolerance: float) -> tuple[int, int]:
    """Taylor terms and parts of a cell for a spectral radius times the cell's length."""
    parts = max(1, math.ceil(radius / SERIES_RADIUS))
    term, terms = 1.0, 0
    while term > tolerance or terms < radius / parts:
        terms += 1
        term *= radius / parts / terms
    return max(terms, 4), parts


def _is_symmetric(waveform: RfWaveform) -> bool:
    """Whether an envelope is real and the same backwards."""
    if np.any(waveform.values.imag):
        return False
    ends = np.concatenate([[0.0], np.cumsum(waveform.durations)])
    area = np.concatenate([[0.0], np.cumsum(waveform.values.real * waveform.durations)])
    backwards = area[-1] - np.interp(ends[-1] - ends, ends, area)
    return bool(np.abs(area - backwards).max() <= SYMMETRY * np.abs(area).max())


def _first_half(waveform: RfWaveform) -> RfWaveform:
    """The first half of an envelope, a segment across the middle cut."""
    ends = np.cumsum(waveform.durations)
    durations = np.minimum(ends, ends[-1] / 2) - np.minimum(ends - waveform.durations, ends[-1] / 2)
    kept = durations > 1e-12 * ends[-1]
    return RfWaveform(durations[kept], waveform.values[kept], exact=waveform.exact)


@dataclass(frozen=True, eq=False)
class _Jobs:
    """Pulses of one envelope on a batch of tissues, by Taylor series on lanes."""

    tissue: Tissue
    star: _Star
    sampled: SampledPulse
    keys: list[PulseKey]
    tolerance: float
    nutation: np.ndarray

    def whole(self, threads: int) -> np.ndarray:
        """Propagators over all cells."""
        return np.concatenate([self._integrate(False, threads), self._integrate(True, threads)], axis=2)

    def halves(self, threads: int) -> np.ndarray:
        """Propagators of symmetric pulses from their first halves; equation at the top of the file."""
        layout, size = self.star.layout, self.star.layout.size - 1
        first = np.swapaxes(self.whole(threads), -1, -2)
        mirror = np.ones(size)
        mirror[layout.y] = -1.0
        metric = mirror * self.star.weights
        half, source = first[..., :size], first[..., size:]
        back = metric[:, None, :, None] * np.swapaxes(half, -1, -2) / metric[:, None, None, :]
        late = self._integrate(True, threads, backwards=True)
        whole = np.concatenate([back @ half, back @ source + np.swapaxes(late, -1, -2)], axis=-1)
        return np.swapaxes(whole, -1, -2)

    def _integrate(self, source: bool, threads: int, backwards: bool = False) -> np.ndarray:
        """The source's column or all others over the cells, forwards or backwards: `(tissues, keys, columns, size)`."""
        size, tissues = self.star.layout.size - 1, self.star.weights.shape[0]
        columns, first, lift = (1, size, 0.0) if source else (size, 0, self.star.fastest / 2)
        plan = np.array([self._plan(key, lift) for key in self.keys])
        order = np.argsort(plan.prod(axis=1), kind="stable")
        key_of, tissue_of = (axis.ravel() for axis in np.meshgrid(order, np.arange(tissues), indexing="ij"))
        out = np.empty((key_of.size, columns, size))
        carrier = 2 * np.pi * np.array([key.frequency for key in self.keys])
        shared, absorption, nutation = self._shared(backwards), self._absorption, self._nutation

        def run(part: slice) -> None:
            terms, parts = plan[key_of[part]].T
            jobs = (tissue_of[part], key_of[part])
            integrate_pulses(
                *self.star.arrays,
                absorption,
                nutation,
                *jobs,
                carrier,
                *shared,
                np.ascontiguousarray(terms),
                np.ascontiguousarray(parts),
                lift,
                columns,
                first,
                out[part],
            )

        _in_parts(run, key_of.size, threads)
        ordered = out.reshape(len(self.keys), tissues, columns, size)
        result = np.empty_like(ordered)
        result[order] = ordered
        return np.moveaxis(result, 0, 1)

    def _plan(self, key: PulseKey, lift: float) -> tuple[int, int]:
        radius = _radius(key, self.star, self.sampled, self.nutation[None], lift)
        return _series(radius * float(self.sampled.length.max()), self.tolerance)

    @cached_property
    def _nutation(self) -> np.ndarray:
        return np.array([key.amplitude for key in self.keys])[:, None] * self.nutation

    @cached_property
    def _absorption(self) -> np.ndarray:
        size, bound = self.star.layout.size - 1, self.star.layout.semisolid
        frequency = torch.tensor([[key.frequency] for key in self.keys], dtype=torch.float64)
        _, _, saturation = rf_generators(self.tissue, frequency.expand(-1, self.tissue.b0.numel()))
        return np.ascontiguousarray(-saturation[..., size - bound : size].transpose(1, 2).numpy())

    def _shared(self, backwards: bool) -> tuple[np.ndarray, ...]:
        """Lengths, and begin and rise of the lines that have the cells' averages."""
        turn = slice(None, None, -1 if backwards else 1)
        sign = -1.0 if backwards else 1.0
        pulse = self.sampled
        lines = []
        for mean, slope in (
            (pulse.mean.real, pulse.slope.real),
            (pulse.mean.imag, pulse.slope.imag),
            (pulse.power, pulse.power_slope),
        ):
            rise = sign * 12 * slope[turn]
            lines += [mean[turn] - rise / 2, rise]
        return tuple(np.ascontiguousarray(values) for values in (pulse.length[turn], *lines))


def _steps(
    program: StepProgram,
    pulses: Mapping[int, tuple[PulseKey, float, float]],
    keys: list[PulseKey],
    durations: list[float],
) -> tuple[np.ndarray, ...]:
    """Kind, index and turns of each step; `pulses` holds the key and the turns of each RF event that is played."""
    number_of, delay_of = {key: n for n, key in enumerate(keys)}, {value: n for n, value in enumerate(durations)}
    rf_rows = {
        rf: (0, number_of[key], math.cos(before), math.sin(before), math.cos(after), math.sin(after))
        for rf, (key, before, after) in pulses.items()
    }
    rows = []
    for step in program.steps:
        match step:
            case Pulse(rf):
                rows.append(rf_rows[rf])
            case Free(duration):
                rows.append((1, delay_of[duration], 1.0, 0.0, 1.0, 0.0))
            case Spoil():
                rows.append((2, 0, 1.0, 0.0, 1.0, 0.0))
            case Sample(index):
                rows.append((3, index, 1.0, 0.0, 1.0, 0.0))
            case MeasurementEnd():
                rows.append((4, 0, 1.0, 0.0, 1.0, 0.0))
    table = np.array(rows, dtype=np.float64)
    whole = tuple(table[:, column].astype(np.int64) for column in (0, 1))
    return whole + tuple(np.ascontiguousarray(table[:, column]) for column in range(2, 6))


def _play(
    steps: tuple[np.ndarray, ...],
    pulses: np.ndarray,
    delays: np.ndarray,
    tissue: Tissue,
    layout: Layout,
    samples: int,
    threads: int,
) -> tuple[Tensor, Tensor]:
    start = (equilibrium(tissue)[:, :-1] * tissue.initial_scale[:, None]).numpy()
    mz, mx, my = (np.zeros((start.shape[0], samples)) for _ in range(3))

    def run(part: slice) -> None:
        play_train(
            *steps, pulses[part], delays[part], start[part], tissue.reset, layout.pools, mz[part], mx[part], my[part]
        )

    _in_parts(run, start.shape[0], threads)
    scale = tissue.water.f[:, None]
    return torch.from_numpy(mz) / scale, torch.complex(torch.from_numpy(mx), torch.from_numpy(my)) / scale


def _by_columns(propagator: Tensor) -> np.ndarray:
    """A propagator with an appended 1 as columns without its last row, shape `(tissues, size + 1, size)`."""
    return np.ascontiguousarray(propagator[:, :-1].transpose(1, 2).numpy())


def _in_parts(run: Callable[[slice], None], jobs: int, threads: int) -> None:
    """Share `jobs` among threads; the loops release the interpreter, and each job's numbers are its own."""
    borders = np.linspace(0, jobs, min(threads, jobs) + 1).astype(int)
    parts = [slice(int(a), int(b)) for a, b in itertools.pairwise(borders)]
    if len(parts) == 1:
        run(parts[0])
        return
    with ThreadPoolExecutor(len(parts)) as pool:
        for _ in pool.map(run, parts):
            pass
