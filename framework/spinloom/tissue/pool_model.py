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

from spinloom.errors import TissueError, known_names
from spinloom.tissue import schema
from spinloom.tissue.numbers import count, number, shown, switch
from spinloom.tissue.pools import LINESHAPES, ExchangingPool, SemisolidPool, Tissue, Water
from spinloom.tissue.schema import Key
from spinloom.tissue.section import Section

SEMISOLID_NAME = "mt"
"""What the semisolid pool of a pool model is called: the schema gives it no name."""


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
    water, semisolid, exchanging = _water(top), _semisolid(top), _exchanging(top)
    batch = _batch_shape((top, water, *semisolid, *exchanging))
    tensors = _Tensors(batch, dtype, torch.device(device))
    return Tissue(
        name=name,
        water=Water(**tensors.of(water, schema.WATER_KEYS)),
        exchanging=tuple(ExchangingPool(pool.name, **tensors.of(pool, schema.POOL_KEYS)) for pool in exchanging),
        semisolid=tuple(
            SemisolidPool(SEMISOLID_NAME, **tensors.of(pool, schema.POOL_KEYS), lineshape=_lineshape(pool))
            for pool in semisolid
        ),
        **tensors.of(top, schema.SCANNER_KEYS),
        reset=_switch(top, schema.RESET, schema.RESET_DEFAULT),
        max_pulse_samples=_max_pulse_samples(top),
    )


def _water(top: Section) -> Section:
    if top.mapping.get(schema.WATER) is None:
        raise TissueError(
            f"{top.where(schema.WATER)} is missing; give for example '{schema.WATER}: {{f: 1.0, t1: 1.2, t2: 0.07}}'."
        )
    water = top.child(schema.WATER)
    water.refuse_unknown(schema.WATER_KEYS)
    return water


def _semisolid(top: Section) -> tuple[Section, ...]:
    """The semisolid pool's section, none where it is missing or empty."""
    pool = top.child(schema.SEMISOLID)
    pool.refuse_unknown(schema.POOL_KEYS, schema.LINESHAPE)
    return (pool,) if pool.mapping else ()


def _exchanging(top: Section) -> tuple[Section, ...]:
    pools = top.child(schema.EXCHANGING).children()
    for pool in pools:
        pool.refuse_unknown(schema.POOL_KEYS)
    return pools


def _lineshape(pool: Section) -> str:
    written = pool.mapping.get(schema.LINESHAPE)
    choices = f"'{schema.LINESHAPE}' is one of: {', '.join(LINESHAPES)}."
    if written is None:
        raise TissueError(f"{pool.where(schema.LINESHAPE)} is missing; {choices}")
    if str(written).strip().lower() not in LINESHAPES:
        raise TissueError(
            f"{pool.where(schema.LINESHAPE)} is {shown(written)}, which is no lineshape. "
            f"{known_names(str(written), LINESHAPES)}"
        )
    return str(written).strip().lower()


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
