"""A batch of tissues as named arrays and words that JSON holds, and back, digit for digit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from spinloom.tissue.pools import Exchange, ExchangingPool, Isochromats, SemisolidPool, Tissue, Water

_SCANNER = ("b0", "gamma", "b0_shift_ppm", "rel_b1", "initial_scale")


def tissue_arrays(tissue: Tissue) -> dict[str, Tensor]:
    """Every parameter by its place in the tissue, such as `exchanging.0.k`."""
    parts: dict[str, Any] = {"water": tissue.water}
    for kind in ("exchanging", "semisolid", "exchange"):
        parts |= {f"{kind}.{number}": part for number, part in enumerate(getattr(tissue, kind))}
    if tissue.isochromats is not None:
        parts["isochromats"] = tissue.isochromats
    arrays = {
        f"{place}.{name}": getattr(part, name) for place, part in parts.items() for name in _tensor_fields(type(part))
    }
    return arrays | {name: getattr(tissue, name) for name in _SCANNER}


def tissue_words(tissue: Tissue) -> dict[str, Any]:
    """All that is no tensor."""
    return {
        "name": tissue.name,
        "exchanging": [pool.name for pool in tissue.exchanging],
        "semisolid": [[pool.name, pool.lineshape] for pool in tissue.semisolid],
        "exchange": [[pair.first, pair.second] for pair in tissue.exchange],
        "isochromats": None if tissue.isochromats is None else tissue.isochromats.count,
        "reset": tissue.reset,
        "max_pulse_samples": tissue.max_pulse_samples,
    }


def tissue_from_arrays(words: Mapping[str, Any], arrays: Mapping[str, Tensor]) -> Tissue:
    """The tissue that `tissue_words` and `tissue_arrays` took apart; `KeyError` where a part is missing."""

    def part(kind: type, place: str) -> dict[str, Tensor]:
        return {name: arrays[f"{place}.{name}"] for name in _tensor_fields(kind)}

    spins = words["isochromats"]
    return Tissue(
        name=words["name"],
        water=Water(**part(Water, "water")),
        exchanging=tuple(
            ExchangingPool(name, **part(ExchangingPool, f"exchanging.{number}"))
            for number, name in enumerate(words["exchanging"])
        ),
        semisolid=tuple(
            SemisolidPool(name, **part(SemisolidPool, f"semisolid.{number}"), lineshape=lineshape)
            for number, (name, lineshape) in enumerate(words["semisolid"])
        ),
        **{name: arrays[name] for name in _SCANNER},
        reset=words["reset"],
        max_pulse_samples=words["max_pulse_samples"],
        exchange=tuple(
            Exchange(first, second, **part(Exchange, f"exchange.{number}"))
            for number, (first, second) in enumerate(words["exchange"])
        ),
        isochromats=None if spins is None else Isochromats(**part(Isochromats, "isochromats"), count=spins),
    )


def _tensor_fields(kind: type) -> list[str]:
    """Names of the fields that hold tensors; the annotations are text here."""
    return [field.name for field in fields(kind) if field.type in ("Tensor", torch.Tensor)]
