"""What a contract finds wrong with a plugin: one sentence that says what a user would have suffered."""

from __future__ import annotations


class Deviation(AssertionError):  # noqa: N818
    """A plugin that does not do what users rely on; the message is a sentence for its author."""


def skip(reason: str) -> None:
    """Leave a check out, as pytest does; the only thing that contracts need pytest for."""
    import pytest

    pytest.skip(reason)


def require(holds: object, sentence: str) -> None:
    """Raise `Deviation` with `sentence` unless `holds` is true."""
    __tracebackhide__ = True
    if not holds:
        raise Deviation(sentence)
