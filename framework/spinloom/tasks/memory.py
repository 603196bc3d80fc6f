"""What a batch will need of memory, and what there is, compared before any work."""

from __future__ import annotations

import os
from pathlib import Path

from spinloom.errors import ConfigurationError

SAMPLE_BYTES = 96
"""A sample of a tissue at its peak: Mz and complex Mxy in chunks and joined (48), the spectrum and its medians (48)."""

NUMBER_BYTES = 32
"""A number of a tissue: as it was drawn, as the batch holds it, as the engine takes it, and while it is copied."""

_LIMIT_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def refuse_beyond_memory(tissues: int, samples: int, numbers: int, spins: int = 1) -> None:
    """Raise `ConfigurationError` where a batch cannot fit, which says how many tissues would.

    samples: of the signal, for each tissue
    numbers: that describe each tissue
    spins: isochromats that each tissue is solved at
    """
    each = (samples * SAMPLE_BYTES + numbers * NUMBER_BYTES) * spins
    free = free_memory()
    if free is not None and tissues * each > free:
        raise ConfigurationError(
            f"{tissues:,} tissues with {samples:,} samples of the signal need about {_gigabytes(tissues * each)} of "
            f"memory, but {_gigabytes(free)} are free; about {free // each:,} tissues fit. Take fewer samples or wider "
            "steps, or split the batch into several runs with -m."
        )


def free_memory() -> int | None:
    """Memory that this process may still take [bytes], None where the system does not tell."""
    found = [_available(), *(_limit(path) for path in _LIMIT_FILES)]
    return min((value for value in found if value is not None), default=None)


def _available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return _physical()


def _physical() -> int | None:
    """All memory of the machine, for systems that do not tell what is free."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _limit(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.3g} GB"
