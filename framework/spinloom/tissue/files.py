"""The door to tissues: the pool models that Spinloom ships, by name, and files in the same schema, by path."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import torch

from spinloom.errors import TissueError, known_names
from spinloom.tissue.numbers import shown
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pools import Tissue
from spinloom.tissue.yaml_text import read_yaml

__all__ = ["load_mapping", "read_tissue", "tissue_from_mapping", "tissue_names", "tissue_path"]


def read_tissue(
    name_or_path: str | Path,
    *,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> Tissue:
    """The tissue of a pool model: one that Spinloom ships, or a YAML file in the schema of pulseq-cest.

    name_or_path: one of `tissue_names()`, or the path of a file
    dtype, device: of the tissue's tensors, which have the batch shape `()`, or `(n,)` where the file lists values

    Raises `TissueError` that names the file, the key or line, the value and the way out.
    """
    path = tissue_path(name_or_path)
    source = _source(path)
    return tissue_from_mapping(read_yaml(path, source), path.stem, source=source, dtype=dtype, device=device)


def tissue_names() -> list[str]:
    """Names of the tissues that Spinloom ships, sorted."""
    return sorted(path.stem for path in _shipped().glob("*.yaml"))


def tissue_path(name_or_path: str | Path) -> Path:
    """The file of a tissue, by the name of a shipped one or by path; a shipped name goes before a file of that name.

    Raises `TissueError` with the nearest known name where there is no such file.
    """
    if isinstance(name_or_path, str) and name_or_path in tissue_names():
        return _shipped() / f"{name_or_path}.yaml"
    path = Path(name_or_path)
    if not _is_file(path):
        raise TissueError(
            f"{shown(str(name_or_path))} is neither a tissue that Spinloom ships nor a file. "
            f"{known_names(path.stem, tissue_names())} Or give the path of a YAML file."
        )
    return path


def load_mapping(name_or_path: str | Path) -> dict[str, Any]:
    """Keys and values of a pool model's file, its numbers still text; checked to describe a tissue.

    Raises what `read_tissue` raises.
    """
    path = tissue_path(name_or_path)
    mapping = read_yaml(path, _source(path))
    tissue_from_mapping(mapping, path.stem, source=_source(path))
    return mapping


def _source(path: Path) -> str:
    return f"Tissue file '{path}'"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _shipped() -> Path:
    return Path(str(resources.files("spinloom") / "conf" / "tissue"))
