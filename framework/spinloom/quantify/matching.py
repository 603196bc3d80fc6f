"""Which entry of a dictionary each voxel is most like: the one with the largest normalised inner product.

    i = argmax_i <d_i, s> / (||d_i|| ||s||),   M0 = <d_i, s> / ||d_i||^2,   and of equal entries the first

Signals are real and M0 is not negative, so the inner product is not taken by its magnitude.

Entries of a dense dictionary differ from each other by less than single precision resolves near 1.  They all lie close
to one direction v, so that is taken out first: with unit d and s, and d' and s' what lies across v,

    <d, s> = <v, s> + <d', s'> - <v, s> (1 - <v, d>)

whose first term is the same for all entries, and whose others are small; 1 - <v, d> is found in float64.  These others
are one matrix product in float32, made in blocks that fit the cache; their largest is kept while the dictionary
passes by, and entries that float32 cannot tell apart are compared in float64 (`best_entries`).  What is reported of
the entry found is computed from the signals themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from spinloom.quantify.best_entries import BestEntries
from spinloom.quantify.compression import PART, Basis, rotation, unit
from spinloom.quantify.dictionary import Dictionary, DictionaryError


@dataclass(frozen=True)
class Blocks:
    """What is multiplied at once: so many entries are read together, and their products are made in blocks of these."""

    part: int = PART
    entries: int = 2048
    voxels: int = 512


@dataclass(frozen=True, eq=False)
class Matches:
    """What was found in each voxel; NaN, and -1 for an index, where the signal is zero or not finite.

    index: of the entry, int64, shape `(voxels,)`
    numbers: of the entry, by name, float64, shape `(voxels,)` each
    inner_product: of the two signals, both of unit norm, at most 1, shape `(voxels,)`
    m0: by how much the voxel's signal is larger than the entry's, shape `(voxels,)`
    left_out: where there was nothing to match, boolean, shape `(voxels,)`
    """

    index: Tensor
    numbers: dict[str, Tensor]
    inner_product: Tensor
    m0: Tensor
    left_out: Tensor


def match(dictionary: Dictionary, signals: Tensor, basis: Basis | None = None, blocks: Blocks | None = None) -> Matches:
    """The entry of `dictionary` that each of `signals`, real, shape `(voxels, measurements)`, is most like.

    basis: to compare in, such as `compress` gives; None compares whole signals
    blocks: of any size; they change memory and time, not the result

    Raises `DictionaryError` where the two have different numbers of measurements.
    """
    blocks = blocks or Blocks()
    usable = usable_signals(dictionary, signals)
    chosen = signals[usable]
    basis = basis or rotation(dictionary)
    probes = probes_of(basis, chosen)
    found = BestEntries(probes, len(dictionary.units), dictionary.measurements)
    first = 0
    for part in dictionary.parts(blocks.part):
        atoms = atoms_of(basis, part.signals)
        longest = float(atoms.norm(dim=1).max())
        for rows, columns, products in products_of(atoms, probes, blocks):
            found.meet(rows, products, atoms[columns], longest, first + columns.start)
        found.keep(part.numbers, part.signals, first)
        first += part.signals.shape[0]
    return _reported(dictionary, signals, usable, found)


def usable_signals(dictionary: Dictionary, signals: Tensor) -> Tensor:
    """Which voxels can be matched; `DictionaryError` where signals do not fit the dictionary."""
    if signals.ndim != 2 or signals.shape[1] != dictionary.measurements:
        raise DictionaryError(
            f"The signals have shape {tuple(signals.shape)}, but those of {dictionary.name} have "
            f"{dictionary.measurements} measurements; match it with data of the same sequence, shape "
            "(voxels, measurements)."
        )
    if signals.is_complex():
        raise DictionaryError("The signals are complex; give magnitudes, or the real part along a known phase.")
    return signals.isfinite().all(dim=1) & (signals != 0).any(dim=1)


def probes_of(basis: Basis, signals: Tensor) -> Tensor:
    """What the unit `signals` are multiplied with: [-<v, s>, s'], float64, shape `(voxels, rank)`."""
    probes = basis.coordinates(signals)
    probes[:, 0] *= -1
    return probes


def atoms_of(basis: Basis, entries: Tensor) -> Tensor:
    """What unit signals of `entries` are multiplied as: [1 - <v, d>, d'], float64, shape `(entries, rank)`."""
    atoms = basis.coordinates(entries)
    atoms[:, 0] = 1 - atoms[:, 0]
    return atoms


def products_of(atoms: Tensor, probes: Tensor, blocks: Blocks) -> Iterator[tuple[slice, slice, Tensor]]:
    """Inner products of unit signals less <v, s>, block after block, float32.

    atoms, probes: as `atoms_of` and `probes_of` give them

    Yields voxels, entries and their products of shape `(voxels, entries)`, which the next ones overwrite.
    """
    low, high = probes.float(), atoms.float()
    space = torch.empty(blocks.voxels * blocks.entries)
    for start in range(0, high.shape[0], blocks.entries):
        columns = slice(start, min(start + blocks.entries, high.shape[0]))
        turned = high[columns].T.contiguous()
        for begin in range(0, low.shape[0], blocks.voxels):
            rows = slice(begin, min(begin + blocks.voxels, low.shape[0]))
            shape = rows.stop - rows.start, columns.stop - columns.start
            products = space[: shape[0] * shape[1]].view(shape)
            yield rows, columns, torch.mm(low[rows], turned, out=products)


def _reported(dictionary: Dictionary, signals: Tensor, usable: Tensor, found: BestEntries) -> Matches:
    chosen = signals[usable].double()
    inner = (unit(found.signals) * unit(chosen)).sum(dim=1).clamp(max=1)
    m0 = (found.signals * chosen).sum(dim=1) / found.signals.square().sum(dim=1)

    def spread(values: Tensor, empty: float) -> Tensor:
        whole = values.new_full((usable.numel(),), empty)
        whole[usable] = values
        return whole

    return Matches(
        index=spread(found.index, -1),
        numbers={name: spread(found.numbers[:, i], torch.nan) for i, name in enumerate(dictionary.units)},
        inner_product=spread(inner, torch.nan),
        m0=spread(m0, torch.nan),
        left_out=~usable,
    )
