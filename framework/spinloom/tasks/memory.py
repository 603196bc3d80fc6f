"""What a batch will need of memory, and what there is, compared before any work."""

from __future__ import annotations

from spinloom.errors import ConfigurationError
from spinloom.free_memory import free_memory

SAMPLE_BYTES = 96
"""A sample of a tissue at its peak: Mz and complex Mxy in chunks and joined (48), the spectrum and its medians (48)."""

NUMBER_BYTES = 32
"""A number of a tissue: as it was drawn, as the batch holds it, as the engine takes it, and while it is copied."""


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


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.3g} GB"
