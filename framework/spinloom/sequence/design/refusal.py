"""The sentence for a parameter that the hardware, or the time there is, cannot play."""

from __future__ import annotations

from spinloom.errors import SequenceError


def refusal(parameter: str, value: float, why: str, nearest: float) -> SequenceError:
    """The error for `parameter`, with the limit that it meets in `why`, and the nearest value that plays."""
    return SequenceError(
        f"{parameter}={value:g} cannot be played: {why}. The nearest value that plays is {parameter}={nearest:g}."
    )
