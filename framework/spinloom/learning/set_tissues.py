"""The tissues of a set, from the numbers that it keeps of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from spinloom.errors import ConfigurationError
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.batches import TissuePlan
from spinloom.tissue.pools import Tissue

FIELDS = ("tissue", "sequence")


def tissues_of(plan: TissuePlan, numbers: Mapping[str, np.ndarray], timeline: Timeline, field: str) -> Tissue:
    """The tissues in which what varies has the values `numbers`, as long as there are tissues.

    field: whose static field they are in: that of the `tissue`, or that of the definition B0 of the `sequence`

    Raises `ConfigurationError` where the sequence states no field.
    """
    tissue = plan.with_columns(numbers).tissue
    if field not in FIELDS:
        raise ConfigurationError(f"field is {field!r}; it is one of {', '.join(FIELDS)}.")
    if field == "tissue":
        return tissue
    stated = timeline.definitions.get("B0")
    if not isinstance(stated, float):
        raise ConfigurationError(
            f"{timeline.source} has no definition B0, so that field=sequence cannot be; take field=tissue."
        )
    return replace(tissue, b0=torch.full_like(tissue.b0, stated))
