"""The errors that Spinloom raises on purpose, and the sentence that helps out of them.

Every message names the thing, its value and the way out; the command line prints it without a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SpinloomError(Exception):
    """Base of every error that Spinloom raises on purpose."""


class SequenceError(SpinloomError):
    """A sequence that cannot be read, asks for what Pulseq does not define, or cannot be built as asked."""


class TissueError(SpinloomError):
    """A tissue description that is missing, malformed or physically impossible."""


class PluginError(SpinloomError):
    """A plugin that is unknown, disabled, broken or written for another version of the plugin API."""


class ConfigurationError(SpinloomError):
    """A configuration that does not compose or holds a value that the task cannot use."""


class RequirementError(SpinloomError):
    """A timeline or a subject that lacks what the chosen simulator needs."""


class OutputError(SpinloomError):
    """Results that cannot be written where they were asked for."""


class TrackingError(SpinloomError):
    """A tracking server that cannot be reached or refuses a run."""


def known_names(name: str, known: Iterable[str]) -> str:
    """End of a message about the unknown `name`: the nearest known name first, then all of them, sorted."""
    options = sorted(known)
    if not options:
        return "None is known."
    nearest = difflib.get_close_matches(name.lower(), options, n=1, cutoff=0.5)
    hint = f"Did you mean '{nearest[0]}'? " if nearest else ""
    return f"{hint}Known: {', '.join(options)}."
