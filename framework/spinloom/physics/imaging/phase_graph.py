"""The extended phase graph in three dimensions: magnetisation as waves in space, for a few isochromats at once.

    M+(r) = sum over k of F(k) e^(2 pi i k r),   Mz(r) = sum over k of Z(k) e^(2 pi i k r)

    F'(k) = a*^2 F(k) - b^2 F(-k)* + 2 a* b Z(k)              a pulse of rotation (a, b); gradients move F in k
    Z'(k) = (|a|^2 - |b|^2) Z(k) - a b F(-k)* - a* b* F(k)    and Z(0) recovers

Waves of one moment are one.  A wave counts by the mean of its magnitude over the isochromats; one that falls below
`least` of the mean M0 is followed no further, nor are more than `MOST_WAVES` of each kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.physics.imaging.few_spins import FewSpins, Rotation

MOST_WAVES = 256

GRAIN = 0.02
"""Moments closer than this are the same [cycles/m]: a hundredth of a turn over half a metre."""

KEPT, REFOCUSED, EXCITED, STORED = range(4)
TURNS = ("kept", "refocused", "excited", "stored")

_TO_TRANSVERSE = np.array([KEPT, REFOCUSED, EXCITED])
_TO_LONGITUDINAL = np.array([STORED, STORED, KEPT])
"""What a pulse makes of F(k), F(-k)* and Z(k)."""

Turns = tuple[tuple[int, str], ...]


@dataclass(frozen=True, eq=False)
class Waves:
    """Waves of one kind.

    moments: [cycles/m], shape `(waves, 3)`
    values: complex, shape `(waves, spins)`
    histories: for `PhaseGraph.turns`, shape `(waves,)`
    """

    moments: np.ndarray
    values: np.ndarray
    histories: np.ndarray


class PhaseGraph:
    """Waves of a few isochromats, and what pulses made of them."""

    def __init__(self, few: FewSpins, least: float) -> None:
        self._few, self._least = few, least
        self._parents, self._pulses, self._kinds = ([np.array([start])] for start in (-1, 0, KEPT))
        self._histories = 1
        self._begin(few.start)

    def restore(self) -> None:
        """Go to equilibrium."""
        self._begin(np.ones_like(self._few.weight))

    def _begin(self, longitudinal: np.ndarray) -> None:
        none = np.zeros(0, dtype=np.int64)
        self._f = Waves(np.zeros((0, 3)), np.zeros((0, longitudinal.size), dtype=complex), none)
        self._z = Waves(np.zeros((1, 3)), longitudinal[None].astype(complex), np.zeros(1, dtype=np.int64))
        self._wait()

    def _wait(self) -> None:
        """Nothing is pending: neither decay and turn of M+, nor decay of Mz, nor a moment."""
        spins = self._few.weight.size
        self._factor, self._decay, self._moment = np.ones(spins, dtype=complex), np.ones(spins), np.zeros(3)

    def precess(self, duration: float, moment: np.ndarray, turn: float = 0.0) -> None:
        """Precess for `duration` [s] under a moment [cycles/m], and turn M+ by `turn` [rad] besides."""
        rate = 2j * np.pi * self._few.b0 - self._few.r2
        self._factor = self._factor * np.exp(rate * duration + 1j * turn)
        self._decay = self._decay * np.exp(-self._few.r1 * duration)
        self._moment = self._moment + moment

    def transverse(self) -> Waves:
        """The transverse waves that count."""
        values = self._f.values * self._factor
        seen = np.abs(values) @ self._few.weight >= self._least
        return Waves(self._f.moments[seen] + self._moment, values[seen], self._f.histories[seen])

    def play(self, pulse: Rotation, before: float, after: float, number: int) -> None:
        """Play pulse `number`, with M+ turned by `before` and `after` it [rad]."""
        turn = 2 * np.pi * pulse.frequency
        self.precess(pulse.before, pulse.moment_before, before - turn * pulse.before)
        f = Waves(self._f.moments + self._moment, self._f.values * self._factor, self._f.histories)
        still = np.abs(self._z.moments).max(axis=1, initial=0.0) < GRAIN
        recovered = self._z.values * self._decay + still[:, None] * (1 - self._decay)
        self._wait()
        self._mix(f, Waves(self._z.moments, recovered, self._z.histories), pulse.a, pulse.b, number)
        self.precess(pulse.after, pulse.moment_after, after - turn * pulse.after)

    def _mix(self, f: Waves, z: Waves, a: np.ndarray, b: np.ndarray, number: int) -> None:
        """Turn all waves by the rotation (a, b)."""
        moments = np.concatenate([np.zeros((1, 3)), f.moments, -f.moments, z.moments])
        _, first, where = np.unique(_keys(moments), return_index=True, return_inverse=True)
        count = f.histories.size
        places = (where[1 : count + 1], where[count + 1 : 2 * count + 1], where[2 * count + 1 :])
        values = np.zeros((3, first.size, self._few.weight.size), dtype=complex)
        histories = np.zeros((3, first.size), dtype=np.int64)
        for row, (place, held) in enumerate(zip(places, (f, f, z), strict=True)):
            values[row, place] = held.values.conj() if row == 1 else held.values
            histories[row, place] = held.histories
        to_f = np.stack([a.conj() ** 2, -(b**2), 2 * a.conj() * b])
        to_z = np.stack([-(a * b).conj(), -a * b, np.abs(a) ** 2 - np.abs(b) ** 2])
        self._f = self._strongest(moments[first], values * to_f[:, None], histories, _TO_TRANSVERSE, number)
        self._z = self._strongest(moments[first], values * to_z[:, None], histories, _TO_LONGITUDINAL, number)

    def _strongest(
        self, moments: np.ndarray, parts: np.ndarray, histories: np.ndarray, kinds: np.ndarray, number: int
    ) -> Waves:
        """The sums of `parts`, as far as they are worth following, with the history of the strongest part of each."""
        values = parts.sum(axis=0)
        size = np.abs(values) @ self._few.weight
        size[np.abs(moments).max(axis=1) < GRAIN] = np.inf
        kept = np.flatnonzero(size >= self._least)
        if kept.size > MOST_WAVES:
            kept = kept[np.sort(np.argsort(-size[kept], kind="stable")[:MOST_WAVES])]
        strongest = (np.abs(parts[:, kept]) @ self._few.weight).argmax(axis=0)
        after, kind = histories[strongest, kept], kinds[strongest]
        changed = np.flatnonzero(kind != KEPT)
        self._parents.append(after[changed])
        self._kinds.append(kind[changed])
        self._pulses.append(np.full(changed.size, number))
        after[changed] = self._histories + np.arange(changed.size)
        self._histories += changed.size
        return Waves(moments[kept], values[kept], after)

    def turns(self, history: int) -> Turns:
        """What pulses made of a wave, in playing order: number of the pulse, and one of `TURNS`."""
        if len(self._parents) > 1:
            self._parents, self._pulses, self._kinds = (
                [np.concatenate(parts)] for parts in (self._parents, self._pulses, self._kinds)
            )
        found: list[tuple[int, str]] = []
        while history > 0:
            found.append((int(self._pulses[0][history]), TURNS[self._kinds[0][history]]))
            history = int(self._parents[0][history])
        return tuple(reversed(found))


_PRIMES = np.array([1, 2**31 - 1, 2**61 - 1], dtype=np.int64)


def _keys(moments: np.ndarray) -> np.ndarray:
    """One number for each moment, equal where moments are; the shift keeps round moments off the grains' borders."""
    grains = np.rint(moments / GRAIN + 0.2365).astype(np.int64)
    keys: np.ndarray = (grains * _PRIMES).sum(axis=1)
    return keys
