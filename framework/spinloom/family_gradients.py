"""Families of sequences whose parameters carry gradients: the file, and what each parameter does to its numbers.

    c(p) = c(p0) + dc/dp (p - p0),   dc/dp from the sequences with p0 - h and p0 + h

c being amplitudes, phases, frequencies and times of pulses and blocks (`SequenceChanges`).  Most follow a parameter in
proportion, so that the difference is their slope; what the six digits of a file round is 1e-4 of it at most.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from spinloom.errors import SequenceError
from spinloom.physics.sequence_changes import SequenceChanges
from spinloom.physics.sequence_difference import sequence_difference
from spinloom.sequence.expression import write_expression
from spinloom.sequence.families import BuiltSequence
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import build_sequence, sequence_family

STEPS = (0.05, 0.02, 0.01, 0.004, 0.002)
"""By which part of a parameter the sequences differ: the first that plays and keeps the structure counts."""

FACTORS = ("rf_scale", "gradient_scale")
"""Changes that are 1 where they change nothing; others are 0."""

ROUNDED = 1e-3
"""Part by which slopes of one size differ, because files have six digits."""


def differentiable_sequence(family: str, /, **parameters: Any) -> tuple[Timeline, SequenceChanges]:
    """The sequence of a family, and changes that are none but carry the gradients of its parameters.

    parameters: as for `build_sequence`; a tensor of a single number, or of as many as the parameter has, is a parameter
        with respect to which gradients are taken

    Raises `SequenceError` as `build_sequence` does, for a parameter that is no such number, and where another value of
    it makes another structure: other blocks, shapes of pulses or samples.
    """
    asked = {name: value for name, value in parameters.items() if isinstance(value, Tensor)}
    plain = {name: _plain(value) if name in asked else value for name, value in parameters.items()}
    for name in asked:
        if sequence_family(family).parameter(name).kind not in (float, tuple):
            raise SequenceError(f"{name} is no number that varies smoothly; give it as it is, not as a tensor.")
    built = build_sequence(family, **plain)
    timeline = built.timeline()
    found: dict[str, Tensor] = {}
    for name, value in asked.items():
        for place, number in enumerate(value.reshape(-1).unbind()):
            by = number.double().cpu() - number.detach().double().cpu()
            for change, slope in _slopes(built, timeline, name, place).items():
                found[change] = found.get(change, torch.tensor(float(change in FACTORS))) + slope * by
    return timeline, SequenceChanges(**found)


def _plain(value: Tensor) -> float | tuple[float, ...]:
    found = value.detach().cpu().tolist()
    return tuple(found) if isinstance(found, list) else float(found)


def _slopes(built: BuiltSequence, timeline: Timeline, name: str, place: int) -> dict[str, Tensor]:
    """Slopes of the changes in number `place` of a parameter: of those that have any, one number where all agree."""
    reason: SequenceError | None = None
    for step in STEPS:
        try:
            low, high = (_varied(built, name, place, side * step) for side in (-1, 1))
            one, two = (sequence_difference(timeline, _named(each, name)) for each in (low, high))
        except SequenceError as error:
            reason = error
            continue
        span = _number(high, name, place) - _number(low, name, place)
        if span:
            slopes = {change: (getattr(two, change) - getattr(one, change)) / span for change in one.names}
            return {change: _agreed(slope) for change, slope in slopes.items() if bool(slope.any())}
    raise SequenceError(
        f"{built.expression} has no gradient with respect to {name}. {reason or 'It stays on its raster.'}"
    ) from reason


def _agreed(slope: Tensor) -> Tensor:
    """The mean of numbers that are the same but for the digits of a file; other numbers as they are."""
    mean = slope.mean()
    return mean if bool(((slope - mean).abs() <= ROUNDED * mean.abs()).all()) else slope


def _varied(built: BuiltSequence, name: str, place: int, step: float) -> BuiltSequence:
    """The sequence with number `place` of a parameter changed by a part of its size."""
    whole = built.parameters[name]
    numbers = list(whole) if isinstance(whole, tuple) else [whole]
    number = _number(built, name, place)
    numbers[place] = number + step * (abs(number) or 1.0)
    return build_sequence(
        built.family, **{**built.parameters, name: tuple(numbers) if isinstance(whole, tuple) else numbers[0]}
    )


def _named(built: BuiltSequence, name: str) -> Timeline:
    return built.timeline(write_expression(built.family, {name: built.parameters[name]}))


def _number(built: BuiltSequence, name: str, place: int) -> float:
    value: Any = built.parameters[name]
    return float(value[place] if isinstance(value, tuple) else value)
