"""Read a Pulseq file, or one of the sequences that Spinloom ships, and lower it to a `Timeline`."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from spinloom.errors import SequenceError, known_names
from spinloom.sequence.lowering import lower
from spinloom.sequence.text import read_text
from spinloom.sequence.timeline import Timeline


def read_sequence(name_or_path: str | Path) -> Timeline:
    """Read a `.seq` file of Pulseq 1.2 to 1.5.

    name_or_path: a path, or the name of a sequence that Spinloom ships (see `sequence_names`)

    Raises `SequenceError` with the line or event that is wrong.
    """
    return lower(read_text(sequence_path(name_or_path)))


@cache
def _shipped() -> dict[str, Path]:
    with as_file(files("spinloom") / "sequences") as folder:
        return {path.stem: path for path in sorted(folder.rglob("*.seq"))}


def sequence_names() -> list[str]:
    """Names of the sequences that Spinloom ships."""
    return sorted(_shipped())


def sequence_path(name_or_path: str | Path) -> Path:
    """The file that a name or path means."""
    path = Path(name_or_path)
    if _exists(path):
        return path
    if str(name_or_path) in _shipped():
        return _shipped()[str(name_or_path)]
    if path.suffix == "" and path.name == str(name_or_path):
        raise SequenceError(
            f"There is no sequence '{name_or_path}'. {known_names(str(name_or_path), _shipped())} "
            "A path to a .seq file does as well."
        )
    return path


def _exists(path: Path) -> bool:
    """Whether a path leads somewhere, as far as this process may see; `read_text` says why another cannot be read."""
    try:
        return path.exists()
    except OSError:
        return True
