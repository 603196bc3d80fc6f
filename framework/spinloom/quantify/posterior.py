"""Mean and standard deviation of the numbers of a match over all entries that could be it.

With white noise of unknown size, and every entry and amplitude as likely as any other before the measurement, the
probability of an entry is

    p_i = SSE_i^(-(n - 1) / 2) / sum over j of SSE_j^(-(n - 1) / 2),   SSE_i = ||s||^2 (1 - <d_i, s>^2)

for n measurements: amplitude and noise are integrated out, the noise under Jeffreys' prior (Box and Tiao, Bayesian
Inference in Statistical Analysis, 1973, section 2.7).  The mean has the least mean square error of all estimates under
these probabilities.  Unlike the best entry it does not jump where several fit about as well, nor does it stop at the
dictionary's steps; where a number is not known it goes to the middle of what is possible.

Entries less likely than the best by more than `LEAST` are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spinloom.quantify.best_entries import ROUNDOFF
from spinloom.quantify.compression import rotation
from spinloom.quantify.dictionary import Dictionary, DictionaryError
from spinloom.quantify.matching import Blocks, Matches, atoms_of, probes_of, products_of

LEAST = 1e-6

SMALLEST = 1e-13
"""The sum of squares, relative to that of the signal, below which matches are equally perfect: a rounding is 1e-16."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """Of each number, by name, in its unit, float64, shape `(voxels,)` each; NaN where nothing was matched."""

    mean: dict[str, Tensor]
    deviation: dict[str, Tensor]


def posterior(dictionary: Dictionary, signals: Tensor, matches: Matches, blocks: Blocks | None = None) -> Posterior:
    """Mean and standard deviation of the numbers of `matches`, which `match` found for `signals` in `dictionary`.

    signals: real, shape `(voxels, measurements)`
    blocks: as in `match`

    Raises `DictionaryError` for a single measurement, which no entry fits better than another.
    """
    if dictionary.measurements < 2:
        raise DictionaryError(
            f"Signals of {dictionary.name} have one measurement, which every entry fits; there is no mean."
        )
    blocks, usable = blocks or Blocks(), ~matches.left_out
    probes = probes_of(rotation(dictionary), signals[usable])
    best = torch.stack([matches.numbers[name][usable] for name in dictionary.units], dim=1)
    sums = _Sums(probes, best, _lacking(matches.inner_product[usable]), (dictionary.measurements - 1) / 2)
    for part in dictionary.parts(blocks.part):
        atoms = atoms_of(rotation(dictionary), part.signals)
        longest = float(atoms.norm(dim=1).max())
        for rows, columns, products in products_of(atoms, probes, blocks):
            sums.add(rows, products, atoms[columns], longest, part.numbers[columns])
    mean, deviation = sums.moments()
    return Posterior(*(_spread(values, usable, dictionary) for values in (mean, deviation)))


def _lacking(inner_product: Tensor) -> Tensor:
    """1 - <d, s>^2."""
    return ((1 - inner_product) * (1 + inner_product)).clamp(min=SMALLEST)


class _Sums:
    """Sums over the entries of probability relative to the best, and of it times the numbers and their squares.

    Numbers count from those of the best entry, so that little is lost where all are near.
    """

    def __init__(self, probes: Tensor, best: Tensor, lacking: Tensor, power: float) -> None:
        self._probes, self._best, self._lacking, self._power = probes, best, lacking, power
        self._lengths = probes.norm(dim=1)
        furthest = (lacking * LEAST ** (-1 / power)).clamp(max=1)
        self._least = (1 - furthest).sqrt() + probes[:, 0]  # of the products that count
        self._weight = torch.zeros(best.shape[0], dtype=torch.float64)
        self._first, self._second = torch.zeros_like(best), torch.zeros_like(best)

    def add(self, rows: slice, products: Tensor, atoms: Tensor, longest: float, numbers: Tensor) -> None:
        """Take in a block: what single precision finds to count is weighed in double precision."""
        error = (atoms.shape[1] + 2) * ROUNDOFF * longest * self._lengths[rows]
        least = self._least[rows] - error
        near = (products.amax(dim=1) >= least).nonzero()[:, 0]
        row, entry = (products[near] >= least[near, None]).nonzero(as_tuple=True)
        voxel = rows.start + near[row]
        inner = (self._probes[voxel] * atoms[entry]).sum(dim=1) - self._probes[voxel, 0]
        weight = (self._lacking[voxel] / torch.maximum(_lacking(inner), self._lacking[voxel])) ** self._power
        weight = weight * (inner > 0) * (weight >= LEAST)
        apart = numbers[entry].double() - self._best[voxel]
        self._weight.index_add_(0, voxel, weight)
        self._first.index_add_(0, voxel, weight[:, None] * apart)
        self._second.index_add_(0, voxel, weight[:, None] * apart.square())

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation, shape `(voxels, numbers)`."""
        first, second = (values / self._weight[:, None] for values in (self._first, self._second))
        return self._best + first, (second - first.square()).clamp(min=0).sqrt()


def _spread(values: Tensor, usable: Tensor, dictionary: Dictionary) -> dict[str, Tensor]:
    whole = values.new_full((usable.numel(), values.shape[1]), torch.nan)
    whole[usable] = values
    return {name: whole[:, number] for number, name in enumerate(dictionary.units)}
