"""Which choices of configuration a package holds, so that two plugins never answer to the same one."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable


def choices(search_path: str | None) -> frozenset[str]:
    """Paths such as `simulator/cest.yaml` in the package of `pkg://package`; none where there is no such package."""
    if search_path is None:
        return frozenset()
    try:
        return frozenset(_files(resources.files(search_path.removeprefix("pkg://")), ""))
    except (ModuleNotFoundError, FileNotFoundError, NotADirectoryError):
        return frozenset()


def _files(folder: Traversable, prefix: str) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".yaml"):
            yield f"{prefix}{entry.name}"
