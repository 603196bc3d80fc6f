"""False echoes in words, for the notes of a simulation."""

from __future__ import annotations

from itertools import groupby

from spinloom.physics.imaging.aliasing import Aliasing, FalseEcho
from spinloom.physics.imaging.coherence import MOST_PULSES
from spinloom.physics.imaging.finer_grid import FACTORS
from spinloom.physics.imaging.phase_graph import Turns

TOLD = 3
"""False echoes that get a sentence each."""

RUNS_TOLD = 5
"""Runs of turns of a pathway that are told; the middle of longer ones is left out."""


def aliasing_notes(found: Aliasing, first_measurement: int = 0) -> tuple[str, ...]:
    """What the grid gets wrong, by how much, and how many isochromats would do; nothing where it holds everything.

    first_measurement: number by which the first ADC event of the program is told
    """
    sentences = [_sentence(echo, found, first_measurement) for echo in found.echoes[:TOLD]]
    more = len(found.echoes[TOLD:]) + found.further
    if more:
        sentences.append(f"{more} more coherences may alias, none of them much more than these.")
    if found.echoes:
        sentences.append(_way_out(found))
    if found.stopped:
        sentences.append(f"Coherence pathways were followed through the first {MOST_PULSES:,} pulses only.")
    return tuple(sentences)


def _sentence(echo: FalseEcho, found: Aliasing, first_measurement: int) -> str:
    cycles = [moment * extent for moment, extent in zip(echo.moment, found.grid.extents, strict=True)]
    dephased = ", ".join(
        f"{turns:.4g} along {axis}" for axis, turns in zip("xyz", cycles, strict=True) if abs(turns) > 0.5
    )
    return (
        f"{_size(found.grid.counts)} isochromats are too few for the coherence {describe(echo.turns)}: dephased by "
        f"{dephased} (cycles over the phantom), it shows in measurement {first_measurement + echo.measurement}, sample "
        f"{echo.sample}, as a false echo of up to {_percent(echo.size)} of the largest signal."
    )


def _way_out(found: Aliasing) -> str:
    if found.enough is None:
        tried = f"of up to {FACTORS[-1]} times as many a side"
        return f"No grid tried, {tried}, is certain to keep all false echoes below {_percent(found.limit)}."
    spread = " spread over the thickness of the plane" if found.enough.plane and max(found.grid.groups) == 1 else ""
    return f"{_size(found.enough.counts)} isochromats{spread} keep all false echoes below {_percent(found.limit)}."


def _size(counts: tuple[int, int, int]) -> str:
    return " x ".join(map(str, counts))


def _percent(size: float) -> str:
    return f"{100 * size:.2g} %" if size < 0.995 else f"{100 * size:.0f} %"


def describe(turns: Turns) -> str:
    """A pathway in words: `excited by pulse 1, refocused by pulses 2 to 4`."""
    runs = []
    for kind, run in groupby(_named(turns), key=lambda turn: turn[1]):
        numbers = [number for number, _ in run]
        which = f"pulse {numbers[0]}" if len(numbers) == 1 else f"pulses {_listed(numbers)}"
        runs.append(f"{kind} by {which}")
    if len(runs) > RUNS_TOLD:
        runs = [*runs[: RUNS_TOLD // 2], "...", *runs[-(RUNS_TOLD // 2) :]]
    return ", ".join(runs)


def _named(turns: Turns) -> list[tuple[int, str]]:
    """Turns, with what was stored before called `recalled` instead of `excited`."""
    stored = [False, *(kind == "stored" for _, kind in turns)]
    named = zip(turns, stored[: len(turns)], strict=True)
    return [(number, "recalled" if kind == "excited" and was else kind) for (number, kind), was in named]


def _listed(numbers: list[int]) -> str:
    first, last = numbers[0], numbers[-1]
    return f"{first} to {last}" if last - first + 1 == len(numbers) > 2 else ", ".join(map(str, numbers))
