"""From the keys and values of a pool model to a `Tissue`: names resolved, numbers checked, units SI.

A number may be a list or, from Python, an array, one value a tissue of a batch; single numbers hold for the whole
batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import TissueError
from spinloom.tissue import schema
from spinloom.tissue.numbers import count, number, shown, switch
from spinloom.tissue.pool_sections import (
    ExchangeSection,
    PoolSection,
    exchange_section,
    isochromat_count,
    pool_sections,
    water_section,
)
from spinloom.tissue.pools import Exchange, ExchangingPool, Isochromats, SemisolidPool, Tissue, Water
from spinloom.tissue.schema import Key
from spinloom.tissue.section import Section


def tissue_from_mapping(
    mapping: Mapping[str, Any],
    name: str,
    *,
    source: str | None = None,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> Tissue:
    """The tissue that a mapping in the schema of pool models describes.

    mapping: plain containers, such as a node that Hydra composed; numbers may be text
    name: of the tissue
    source: what to call the mapping in an error, "Tissue 'name'" by default
    dtype, device: of the tissue's tensors, which have the batch shape `()`, or `(n,)` where a value is a list

    Raises `TissueError` that names the key, its value and the way out.
    """
    top = Section.of(mapping, source or f"Tissue '{name}'")
    top.refuse_unknown(schema.SCANNER_KEYS, *schema.SECTIONS, *schema.SETTINGS)
    _switch(top, schema.VERBOSE, schema.VERBOSE_DEFAULT)
    water, pools = water_section(top), pool_sections(top)
    pairs, spins = exchange_section(top, [pool.name for pool in pools]), isochromat_count(water)
    sections = (top, water, *(pool.section for pool in pools), *(pair.section for pair in pairs))
    tensors = _Tensors(_batch_shape(sections), dtype, torch.device(device))
    tissue = Tissue(
        name=name,
        water=Water(**tensors.of(water, schema.WATER_KEYS)),
        exchanging=tuple(_exchanging(pool, tensors) for pool in pools if pool.lineshape is None),
        semisolid=tuple(_semisolid(pool, pool.lineshape, tensors) for pool in pools if pool.lineshape is not None),
        **tensors.of(top, schema.SCANNER_KEYS),
        reset=_switch(top, schema.RESET, schema.RESET_DEFAULT),
        max_pulse_samples=_max_pulse_samples(top),
        exchange=tuple(_exchange(pair, tensors) for pair in pairs),
        isochromats=Isochromats(tensors.read(water, schema.T2STAR), spins) if spins else None,
    )
    _refuse_impossible_pairs(tissue, pairs)
    _refuse_slow_dephasing(tissue, water)
    return tissue


def _exchanging(pool: PoolSection, tensors: _Tensors) -> ExchangingPool:
    return ExchangingPool(pool.name, **tensors.of(pool.section, schema.POOL_KEYS))


def _semisolid(pool: PoolSection, lineshape: str, tensors: _Tensors) -> SemisolidPool:
    return SemisolidPool(pool.name, **tensors.of(pool.section, schema.POOL_KEYS), lineshape=lineshape)


def _exchange(pair: ExchangeSection, tensors: _Tensors) -> Exchange:
    return Exchange(pair.first, pair.second, **tensors.of(pair.section, schema.EXCHANGE_KEYS))


def _refuse_impossible_pairs(tissue: Tissue, pairs: Iterable[ExchangeSection]) -> None:
    """Detailed balance divides by the fraction of the second pool."""
    for pair in pairs:
        if not bool((tissue.pools[pair.second].f > 0).all()):
            raise TissueError(
                f"{pair.where} exchanges with pool '{pair.second}' of fraction 0, which cannot balance it; give that "
                "pool a fraction above zero or remove the pair."
            )


def _refuse_slow_dephasing(tissue: Tissue, water: Section) -> None:
    if tissue.isochromats is not None and bool((tissue.isochromats.t2star > tissue.water.t2).any()):
        raise TissueError(
            f"{water.where(schema.T2STAR.name)} is {shown(water.mapping[schema.T2STAR.name])}, longer than t2; a "
            "spread of the field only shortens the decay, so give at most t2."
        )


def _switch(top: Section, key: str, default: bool) -> bool:
    return switch(top.mapping.get(key, default), top.where(key))


def _max_pulse_samples(top: Section) -> int:
    written = top.mapping.get(schema.MAX_SAMPLES, schema.MAX_SAMPLES_DEFAULT)
    return count(written, top.where(schema.MAX_SAMPLES))


def _batch_shape(sections: Iterable[Section]) -> torch.Size:
    """`(n,)` where values are lists of n numbers, else `()`."""
    lists = [found for section in sections for found in section.lists()]
    for where, length in lists:
        if length == 0:
            raise TissueError(f"{where} is an empty list; give a number, or one number a tissue.")
        if length != lists[0][1]:
            raise TissueError(
                f"{where} lists {length} values, but {lists[0][0]} lists {lists[0][1]}; "
                "all lists of a tissue need the same length, one value a tissue of the batch."
            )
    return torch.Size((lists[0][1],) if lists else ())


@dataclass(frozen=True)
class _Tensors:
    """Reads numbers as tensors of one batch shape, type and device."""

    batch: torch.Size
    dtype: torch.dtype
    device: torch.device

    def of(self, section: Section, keys: Iterable[Key]) -> dict[str, Tensor]:
        """The tensors of `keys` in SI units, by the field of `Tissue` or of the pool that holds them."""
        return {key.field: self.read(section, key) for key in keys}

    def read(self, section: Section, key: Key) -> Tensor:
        """The number or numbers of one key in SI units, checked in the type that they get."""
        name = section.given(key)
        if name is not None and isinstance(section.mapping[name], np.ndarray):
            return self._column(section, key, name)
        items = [("", key.default)] if name is None else section.items(name)
        numbers = [key.to_si(number(written, where), name) for where, written in items]
        tensor = torch.tensor(numbers, dtype=self.dtype)
        for (where, written), value in zip(items, tensor.tolist(), strict=True):
            self._refuse_outside(key, value, written, where)
        return tensor.expand(self.batch or (1,)).reshape(self.batch).clone().to(self.device)

    def _column(self, section: Section, key: Key, name: str) -> Tensor:
        """The array under `name` in SI units, whole and at once, for batches that are too long to walk through."""
        written = np.asarray(section.mapping[name], dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = 1 / written if key.alias_is_rate and name == key.alias else written * key.si_factor
        column = torch.from_numpy(values).to(self.dtype)
        for index in (int(column.argmin()), int(column.argmax())):  # bounds are intervals; NaN is found as well
            self._refuse_outside(key, float(column[index]), float(written[index]), section.where(f"{name}[{index}]"))
        return column.to(self.device)

    def _refuse_outside(self, key: Key, value: float, written: object, where: str) -> None:
        if not key.bound.holds(value):
            raise TissueError(
                f"{where} is {shown(written)}, but must be {key.bound.value} "
                f"({key.meaning}); give for example '{key.example}'."
            )
