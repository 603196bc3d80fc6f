"""A batch of tissues solved chunk after chunk, so that no more than one chunk's propagators are kept at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from spinloom.physics.isochromats import averaged, with_isochromats
from spinloom.physics.players import Player
from spinloom.tissue.pools import Tissue


def in_chunks(
    player: Player, tissue: Tissue, cells: int | None, progress: Callable[[int], None] | None
) -> tuple[Tensor, Tensor]:
    """Mz and complex Mxy of a flat batch, shapes `(batch, samples)`; spins of a tissue are averaged once solved.

    progress: called after each chunk with the tissues that are done
    """
    tissues, spins = tissue.b0.numel(), 1 if tissue.isochromats is None else tissue.isochromats.count
    chunk = max(1, player.chunk // spins)
    gathered = _Gathered(tissues) if player.name == "fast" else _Parts()
    for start in range(0, tissues, chunk):
        part = tissue[start : start + chunk]
        mz, mxy = (averaged(signal, part) for signal in player.play(with_isochromats(part), cells))
        gathered.add(start, mz, mxy)
        if progress is not None:
            progress(min(start + chunk, tissues))
    return gathered.whole()


class _Gathered:
    """Signals written into their places of the whole, which is there but once."""

    def __init__(self, tissues: int) -> None:
        self._tissues = tissues
        self._signals: tuple[Tensor, Tensor] | None = None

    def add(self, start: int, *signals: Tensor) -> None:
        if self._signals is None:
            mz, mxy = (signal.new_empty((self._tissues, signal.shape[1])) for signal in signals)
            self._signals = mz, mxy
        for whole, signal in zip(self._signals, signals, strict=True):
            whole[start : start + signal.shape[0]] = signal

    def whole(self) -> tuple[Tensor, Tensor]:
        assert self._signals is not None
        return self._signals


class _Parts:
    """Signals kept as they came and joined at the end, which leaves gradients as they are."""

    def __init__(self) -> None:
        self._parts: list[tuple[Tensor, Tensor]] = []

    def add(self, start: int, mz: Tensor, mxy: Tensor) -> None:
        self._parts.append((mz, mxy))

    def whole(self) -> tuple[Tensor, Tensor]:
        return torch.cat([mz for mz, _ in self._parts]), torch.cat([mxy for _, mxy in self._parts])
