"""What a contract finds wrong with a plugin: one sentence that says what a user would have suffered."""

from __future__ import annotations


class Deviation(AssertionError):  # noqa: N818
    """A plugin that does not do what users rely on; the message is a sentence for its author."""


def require(holds: object, sentence: str) -> None:
    """Raise `Deviation` with `sentence` unless `holds` is true."""
    __tracebackhide__ = True
    if not holds:
        raise Deviation(sentence)
