"""Batches of tissues from ranges, samples and tables.

Any number of a pool model may be a range (`spinloom.tissue.variation`) or a list instead of one value, and
`table` may name a file with one row a tissue.  What varies independently multiplies:

    lists x rows of the table x each grid x samples

in this order, the last changing fastest; of several grids those of the scanner come first, then those of water, of
the semisolid pools and of the others.  All lists vary together, as the columns of a table do, and all draws vary
together, `samples` times.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spinloom.errors import TissueError
from spinloom.tissue import schema
from spinloom.tissue.addresses import numbers_of, value_at, with_value
from spinloom.tissue.numbers import number, shown
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pool_sections import isochromat_count
from spinloom.tissue.pools import Tissue
from spinloom.tissue.section import Section
from spinloom.tissue.tables import read_table
from spinloom.tissue.variation import Draw, Grid, variation

TABLE = "table"
"""Key of a tissue's table beside those of the pool model."""


@dataclass(frozen=True, eq=False)
class Parameter:
    """A number that varies over a batch: its address, unit and meaning, and a value a tissue, shape `(tissues,)`."""

    address: str
    unit: str
    meaning: str
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class TissueBatch:
    """A batch of tissues, and what varies in it; the batch shape is `(tissues,)`, or `()` where nothing does."""

    tissue: Tissue
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, eq=False)
class TissuePlan:
    """A batch that is known in size but not yet built, so that one too large can be refused first.

    mapping: the pool model, its lists, ranges and table still in place of numbers
    lists, table: columns by address
    grids, draws: ranges by address
    samples: how often to draw
    """

    name: str
    mapping: Mapping[str, Any]
    lists: Mapping[str, np.ndarray]
    table: Mapping[str, np.ndarray]
    grids: Mapping[str, Grid]
    draws: Mapping[str, Draw]
    samples: int

    @property
    def axes(self) -> tuple[int, ...]:
        """Lengths of what varies independently, the last changing fastest."""
        rows = [next(iter(columns.values())).size for columns in (self.lists, self.table) if columns]
        return (*rows, *(grid.count for grid in self.grids.values()), *([self.samples] if self.draws else []))

    @property
    def tissues(self) -> int:
        """Number of tissues."""
        return math.prod(self.axes)

    @property
    def numbers(self) -> int:
        """How many numbers describe each tissue."""
        return sum(found.name == found.key.name for found in numbers_of(self.mapping).values())

    @property
    def spins(self) -> int:
        """How many isochromats each tissue is solved at."""
        water = Section.of(self.mapping, f"Tissue '{self.name}'").child(schema.WATER)
        return isochromat_count(water) or 1

    def build(self, seed: int = 0) -> TissueBatch:
        """Draw with `seed`, multiply the axes out and read the tissues; raises `TissueError` for impossible values."""
        return self.with_columns(self.columns(seed))

    def with_columns(self, columns: Mapping[str, np.ndarray]) -> TissueBatch:
        """The tissues of which what varies has the values of `columns`, which are as long as there are tissues.

        columns: those that `columns` gives, or equal parts of all of them

        Raises `TissueError` for impossible values.
        """
        mapping = dict(self.mapping)
        numbers = numbers_of(mapping)
        for address, values in columns.items():
            for other in numbers[address].others if address in self.table else ():
                mapping = with_value(mapping, other, None)
            mapping = with_value(mapping, address, values)
        return TissueBatch(
            tissue_from_mapping(mapping, self.name),
            tuple(
                Parameter(address, numbers[address].unit, numbers[address].meaning, values)
                for address, values in columns.items()
            ),
        )

    def columns(self, seed: int = 0) -> dict[str, np.ndarray]:
        """Values of every varied number, one a tissue, by address."""
        drawn = {address: draw.values(self.samples, seed, address) for address, draw in self.draws.items()}
        single = [{address: grid.values()} for address, grid in self.grids.items()]
        axes = [group for group in (self.lists, self.table, *single, drawn) if group]
        columns, outer, inner = {}, 1, self.tissues
        for group, length in zip(axes, self.axes, strict=True):
            inner //= length
            for address, values in group.items():
                columns[address] = np.tile(np.repeat(values, inner), outer)
            outer *= length
        return columns


def plan_batch(mapping: Mapping[str, Any], name: str, samples: int | None = None) -> TissuePlan:
    """What `mapping`, a pool model with lists, ranges or a `table`, asks for.

    samples: how often to draw where `uniform` or `loguniform` stand

    Raises `TissueError` for a range or table that is none, and for samples without draws or draws without samples.
    """
    pool_model = {str(key): value for key, value in mapping.items() if key != TABLE}
    lists: dict[str, np.ndarray] = {}
    grids: dict[str, Grid] = {}
    draws: dict[str, Draw] = {}
    for address in numbers_of(pool_model):
        written = value_at(pool_model, address)
        where = f"Tissue '{name}': '{address}'"
        if isinstance(written, list | tuple):
            lists[address] = np.array([number(item, f"{where[:-1]}[{i}]'") for i, item in enumerate(written)])
        match variation(written, where):
            case Grid() as grid:
                grids[address] = grid
            case Draw() as draw:
                draws[address] = draw
    _refuse_uneven(name, lists)
    table = {} if mapping.get(TABLE) is None else read_table(mapping[TABLE], pool_model)
    for address in table:
        if address in lists or address in grids or address in draws:
            raise TissueError(
                f"Tissue '{name}': '{address}' is a column of the table and {shown(value_at(pool_model, address))} as "
                "well; keep one of the two."
            )
    return TissuePlan(name, pool_model, lists, table, grids, draws, _checked(samples, draws))


def _refuse_uneven(name: str, lists: Mapping[str, np.ndarray]) -> None:
    """Raise where a list is empty or of another length than the first."""
    first = next(iter(lists), "")
    for address, values in lists.items():
        if values.size == 0:
            raise TissueError(f"Tissue '{name}': '{address}' is an empty list; give a number, or one number a tissue.")
        if values.size != lists[first].size:
            raise TissueError(
                f"Tissue '{name}': '{address}' lists {values.size} values, but '{first}' lists {lists[first].size}; "
                "all lists of a tissue need the same length, one value a tissue of the batch."
            )


def _checked(samples: int | None, draws: Mapping[str, Draw]) -> int:
    if samples is None:
        if draws:
            raise TissueError(f"'{next(iter(draws))}' is drawn; say how many tissues, such as samples=1000.")
        return 1
    if type(samples) is not int or samples < 1:
        raise TissueError(f"samples is {samples!r}; it is a whole number from 1.")
    if not draws:
        raise TissueError(
            f"samples={samples} draws nothing, because no number of the tissue is uniform(low, high) or "
            "loguniform(low, high); give one, or leave samples out."
        )
    return samples
