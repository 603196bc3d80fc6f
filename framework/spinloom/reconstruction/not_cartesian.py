"""The error that says that samples are no lines on a grid, so that another method has to take them."""

from __future__ import annotations

from spinloom.errors import SequenceError


class NotCartesianError(SequenceError):
    """Samples that do not lie on evenly spaced lines."""
