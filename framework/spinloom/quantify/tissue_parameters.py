"""Parameters of a tissue by name, as a fit moves them: `amide.k`, `water.t2`, `b0_shift_ppm`.

Fractions, relaxation times, rates and relative B1 are above zero and span decades: a fit moves their logarithm.
Shifts are moved as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from spinloom.errors import known_names
from spinloom.quantify.least_squares import FitError
from spinloom.tissue.pools import ExchangingPool, SemisolidPool, Tissue, Water

_Pool = TypeVar("_Pool", Water, ExchangingPool, SemisolidPool)

_WATER = ("t1", "t2")
_POOL = ("f", "t1", "t2", "k", "shift_ppm")
_FIELDS = ("b0_shift_ppm", "rel_b1")

_DECADES = 1000.0
"""A logarithmic parameter stays within this factor of where it begins."""

_PPM = 3.0
"""A shift stays within this distance of where it begins."""


def is_shift(name: str) -> bool:
    """Whether a parameter is moved as it is, and may be negative."""
    return name.endswith("shift_ppm")


def known_parameters(tissue: Tissue) -> tuple[str, ...]:
    """Names of everything that a fit may move in `tissue`."""
    pools = [f"{name}.{key}" for name in tissue.pools for key in _POOL]
    return (*(f"water.{key}" for key in _WATER), *pools, *_FIELDS)


def read_parameter(tissue: Tissue, name: str) -> Tensor:
    """The value of a parameter, of the batch shape."""
    if name in _FIELDS:
        return cast(Tensor, getattr(tissue, name))
    owner, _, key = name.rpartition(".")
    return cast(Tensor, getattr(tissue.water if owner == "water" else tissue.pools[owner], key))


def with_parameters(tissue: Tissue, values: Mapping[str, Tensor]) -> Tissue:
    """The tissue with the parameters `values`, each of its batch shape."""
    fields: dict[str, Any] = {name: values[name] for name in _FIELDS if name in values}
    return replace(
        tissue,
        water=_changed(tissue.water, "water", values),
        exchanging=tuple(_changed(pool, pool.name, values) for pool in tissue.exchanging),
        semisolid=tuple(_changed(pool, pool.name, values) for pool in tissue.semisolid),
        **fields,
    )


def _changed(pool: _Pool, owner: str, values: Mapping[str, Tensor]) -> _Pool:
    parts = {name: name.rpartition(".") for name in values}
    mine: dict[str, Any] = {key: values[name] for name, (pool_name, _, key) in parts.items() if pool_name == owner}
    return replace(pool, **mine)


def check_parameters(tissue: Tissue, names: Sequence[str]) -> None:
    """Raise `FitError` for a name that the tissue does not know, twice the same, or a logarithm of zero."""
    known = known_parameters(tissue)
    for name in names:
        if name not in known:
            raise FitError(f"Tissue '{tissue.name}' has no parameter '{name}' to fit. {known_names(name, known)}")
        if not is_shift(name) and not (read_parameter(tissue, name) > 0).all():
            raise FitError(f"The fit of {name} begins at 0, which has no logarithm; give the tissue a value above 0.")
    if not names or len(set(names)) < len(names):
        raise FitError(f"The parameters to fit are {', '.join(names) or '(none)'}; name at least one, and each once.")


def to_line(name: str, value: Tensor) -> Tensor:
    """The number that a fit moves, for the parameter's value."""
    return value if is_shift(name) else value.log()


def from_line(name: str, number: Tensor) -> Tensor:
    """The parameter's value, for the number that a fit moves."""
    return number if is_shift(name) else number.exp()


def reach(name: str) -> float:
    """How far the number that a fit moves may go from where it begins, to both sides."""
    return _PPM if is_shift(name) else float(torch.tensor(_DECADES).log())
