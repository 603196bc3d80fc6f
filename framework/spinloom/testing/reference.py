"""An independent solution of the Bloch-McConnell equations: written out pool by pool and integrated as an ODE.

It shares no line with the engine: no matrix, no rotating frame (RF turns in the Larmor frame as it does in the
coil), no reuse.  Slow and plain on purpose; for one tissue and short sequences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp

from spinloom.sequence.steps import Free, MeasurementEnd, Pulse, Sample, Spoil, step_program
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import ExchangingPool, SemisolidPool, Tissue
from spinloom.units import PPM


@dataclass
class _Pool:
    f: float
    r1: float
    r2: float
    k: float
    detuning: float
    lineshape: str | None


def reference_signal(timeline: Timeline, tissue: Tissue, rtol: float = 1e-11) -> tuple[np.ndarray, np.ndarray]:
    """Mz and complex Mxy of water at every sample, both of shape `(samples,)`.

    tissue: a single one (batch shape `()` or `(1,)`)
    """
    pools, nutation = _pools(tissue)
    larmor = float(tissue.larmor.reshape(-1)[0])
    scale = float(tissue.initial_scale.reshape(-1)[0])
    start = np.array([[0.0, 0.0, scale * pool.f] for pool in pools]).ravel()
    state, mz, mxy = start.copy(), [], []
    for step in step_program(timeline).steps:
        match step:
            case Free(duration):
                state = _integrate(state, duration, pools, lambda _t: 0j, 0.0, rtol)
            case Pulse(rf):
                event = timeline.rf[rf]
                waveform = timeline.waveforms[event.waveform]
                begin = 0.0
                for length, value in zip(waveform.durations, waveform.values, strict=True):
                    turn = 2 * np.pi * event.frequency(larmor)
                    size = 2 * np.pi * event.amplitude * nutation * value * np.exp(1j * event.phase(larmor))
                    envelope = lambda t, b=begin, s=size, w=turn: s * np.exp(1j * w * (b + t))  # noqa: E731
                    state = _integrate(state, length, pools, envelope, turn, rtol)
                    begin += length
            case Spoil():
                state = state * np.array([0.0, 0.0, 1.0] * len(pools))
            case Sample():
                mz.append(state[2] / pools[0].f)
                mxy.append((state[0] + 1j * state[1]) / pools[0].f)
            case MeasurementEnd():
                state = start.copy() if tissue.reset else state
    return np.array(mz), np.array(mxy)


def _pools(tissue: Tissue) -> tuple[list[_Pool], float]:
    def number(tensor: object) -> float:
        return float(tensor.reshape(-1)[0])  # type: ignore[attr-defined]

    larmor, shift = number(tissue.larmor), number(tissue.b0_shift_ppm)
    water = tissue.water
    pools = [_Pool(number(water.f), 1 / number(water.t1), 1 / number(water.t2), 0.0, shift, None)]
    solutes: list[ExchangingPool | SemisolidPool] = [*tissue.exchanging, *tissue.semisolid]
    pools += [
        _Pool(
            number(pool.f),
            1 / number(pool.t1),
            1 / number(pool.t2),
            number(pool.k),
            number(pool.shift_ppm) + shift,
            getattr(pool, "lineshape", None),
        )
        for pool in solutes
    ]
    for pool in pools:
        pool.detuning *= 2 * np.pi * larmor * PPM
    return pools, number(tissue.rel_b1)


def _integrate(
    state: np.ndarray, duration: float, pools: list[_Pool], nutation: object, frequency: float, rtol: float
) -> np.ndarray:
    def slope(time: float, m: np.ndarray) -> np.ndarray:
        w = nutation(time)  # type: ignore[operator]
        out = np.zeros_like(m)
        for i, pool in enumerate(pools):
            x, y, z = m[3 * i : 3 * i + 3]
            out[3 * i + 2] = -pool.r1 * (z - pool.f)
            if pool.lineshape is None:
                out[3 * i] = -pool.r2 * x - pool.detuning * y - w.imag * z
                out[3 * i + 1] = pool.detuning * x - pool.r2 * y + w.real * z
                out[3 * i + 2] += w.imag * x - w.real * y
            elif pool.lineshape == "lorentzian":
                away = (pool.detuning - frequency) / pool.r2
                out[3 * i + 2] -= abs(w) ** 2 / pool.r2 / (1 + away**2) * z
            for component in range(3) if pool.lineshape is None else (2,):
                flow = pool.k * (m[3 * i + component] - pool.f * m[component])
                out[3 * i + component] -= flow
                out[component] += flow
        return out

    return solve_ivp(slope, (0.0, duration), state, method="LSODA", rtol=rtol, atol=1e-13).y[:, -1]
