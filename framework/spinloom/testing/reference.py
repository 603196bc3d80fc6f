"""An independent solution of the Bloch-McConnell equations: written out pool by pool and integrated as an ODE.

It shares no line with the engine: no matrix, no rotating frame (RF turns in the Larmor frame as it does in the
coil), no reuse, lineshapes by adaptive quadrature of their definitions.  Slow and plain on purpose; for one tissue in
one field (no T2*) and short sequences.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.integrate import quad, solve_ivp
from torch import Tensor

from spinloom.errors import RequirementError
from spinloom.sequence.steps import Free, MeasurementEnd, Pulse, Sample, Spoil, step_program
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import ExchangingPool, SemisolidPool, Tissue, Water
from spinloom.units import PPM


@dataclass(frozen=True)
class _Pool:
    f: float
    r1: float
    r2: float
    detuning: float
    lineshape: str | None


@dataclass(frozen=True)
class _Flow:
    """Exchange from pool `source` to pool `target` at `rate`."""

    source: int
    target: int
    rate: float
    components: tuple[int, ...]


@dataclass(frozen=True)
class _Model:
    pools: list[_Pool]
    flows: list[_Flow]
    nutation: float


def reference_signal(timeline: Timeline, tissue: Tissue, rtol: float = 1e-11) -> tuple[np.ndarray, np.ndarray]:
    """Mz and complex Mxy of water at every sample, both of shape `(samples,)`.

    tissue: a single one (batch shape `()` or `(1,)`) without T2*
    """
    if tissue.isochromats is not None:
        raise RequirementError(f"Tissue '{tissue.name}' has T2*, which the reference does not solve; remove it.")
    model = _model(tissue)
    larmor, scale = _number(tissue.larmor), _number(tissue.initial_scale)
    water = model.pools[0]
    start = np.array([[0.0, 0.0, scale * pool.f] for pool in model.pools]).ravel()
    state, mz, mxy = start.copy(), [], []
    for step in step_program(timeline).steps:
        match step:
            case Free(duration):
                state = _integrate(state, duration, model, lambda _t: 0j, 0.0, rtol)
            case Pulse(rf):
                event = timeline.rf[rf]
                waveform = timeline.waveforms[event.waveform]
                begin = 0.0
                for length, value in zip(waveform.durations, waveform.values, strict=True):
                    turn = 2 * np.pi * event.frequency(larmor)
                    size = 2 * np.pi * event.amplitude * model.nutation * value * np.exp(1j * event.phase(larmor))
                    envelope = lambda t, b=begin, s=size, w=turn: s * np.exp(1j * w * (b + t))  # noqa: E731
                    state = _integrate(state, length, model, envelope, turn, rtol)
                    begin += length
            case Spoil():
                state = state * np.array([0.0, 0.0, 1.0] * len(model.pools))
            case Sample():
                mz.append(state[2] / water.f)
                mxy.append((state[0] + 1j * state[1]) / water.f)
            case MeasurementEnd():
                state = start.copy() if tissue.reset else state
    return np.array(mz), np.array(mxy)


def _model(tissue: Tissue) -> _Model:
    solutes: list[ExchangingPool | SemisolidPool] = [*tissue.exchanging, *tissue.semisolid]
    names = [pool.name for pool in solutes]
    pools = [_pool(tissue.water, 0.0, None, tissue)]
    flows = []
    for index, pool in enumerate(solutes, start=1):
        pools.append(_pool(pool, _number(pool.shift_ppm), getattr(pool, "lineshape", None), tissue))
        flows += _flows(pools, index, 0, _number(pool.k), _number(pool.k) * _number(pool.f))
    for pair in tissue.exchange:
        one, other, rate = 1 + names.index(pair.first), 1 + names.index(pair.second), _number(pair.k)
        flows += _flows(pools, one, other, rate, rate * pools[one].f / pools[other].f)
    return _Model(pools, flows, _number(tissue.rel_b1))


def _pool(pool: Water | ExchangingPool | SemisolidPool, shift: float, lineshape: str | None, tissue: Tissue) -> _Pool:
    detuning = 2 * np.pi * _number(tissue.larmor) * PPM * (shift + _number(tissue.b0_shift_ppm))
    return _Pool(_number(pool.f), 1 / _number(pool.t1), 1 / _number(pool.t2), detuning, lineshape)


def _flows(pools: list[_Pool], first: int, second: int, rate: float, back: float) -> list[_Flow]:
    """Exchange both ways, of Mz alone where either pool has no more."""
    whole = pools[first].lineshape is None and pools[second].lineshape is None
    components = (0, 1, 2) if whole else (2,)
    return [_Flow(first, second, rate, components), _Flow(second, first, back, components)]


def _number(tensor: Tensor) -> float:
    return float(tensor.reshape(-1)[0])


def _integrate(
    state: np.ndarray,
    duration: float,
    model: _Model,
    nutation: Callable[[float], complex],
    frequency: float,
    rtol: float,
) -> np.ndarray:
    lines = [_line(pool, pool.detuning - frequency) for pool in model.pools]

    def slope(time: float, m: np.ndarray) -> np.ndarray:
        w = nutation(time)
        out = np.zeros_like(m)
        for i, (pool, line) in enumerate(zip(model.pools, lines, strict=True)):
            x, y, z = m[3 * i : 3 * i + 3]
            out[3 * i + 2] = -pool.r1 * (z - pool.f) - abs(w) ** 2 * line * z
            if pool.lineshape is None:
                out[3 * i] = -pool.r2 * x - pool.detuning * y - w.imag * z
                out[3 * i + 1] = pool.detuning * x - pool.r2 * y + w.real * z
                out[3 * i + 2] += w.imag * x - w.real * y
        for flow in model.flows:
            for component in flow.components:
                moved = flow.rate * m[3 * flow.source + component]
                out[3 * flow.source + component] -= moved
                out[3 * flow.target + component] += moved
        return out

    return solve_ivp(slope, (0.0, duration), state, method="LSODA", rtol=rtol, atol=1e-13).y[:, -1]


def _line(pool: _Pool, detuning: float) -> float:
    """Absorption line of a pool [s]; zero where all components are followed."""
    match pool.lineshape:
        case "lorentzian":
            return pool.r2 / (pool.r2**2 + detuning**2)
        case "gaussian":
            return math.sqrt(math.pi / 2) / pool.r2 * math.exp(-0.5 * (detuning / pool.r2) ** 2)
        case "superlorentzian":
            return _superlorentzian(pool.r2, max(abs(detuning), 2 * math.pi))
        case None | "none":
            return 0.0
    raise RequirementError(f"The reference does not solve the lineshape '{pool.lineshape}'; choose another.")


def _superlorentzian(r2: float, detuning: float) -> float:
    """The integral over orientations, on intervals that shrink towards the magic angle."""
    magic, steps = 1 / math.sqrt(3), np.geomspace(1.0, 1e-10, 21)
    borders = np.unique(np.concatenate([magic * (1 - steps), magic + (1 - magic) * steps]))

    def line(u: float) -> float:
        width = abs(3 * u * u - 1) * r2
        return math.exp(-2 * (detuning / width) ** 2) / width if width else 0.0

    return math.sqrt(2 * math.pi) * math.fsum(
        quad(line, *ends, epsabs=0.0, epsrel=1e-9)[0] for ends in pairwise(borders)
    )
