"""How far each number of a match can move before the data object: intervals of entries that fit about as well.

With white noise of unknown size the entries whose sum of squares is at most

    SSE_i <= SSE_best (1 + F / (n - p)),   F the quantile of F(1, n - p),   SSE_i = ||s||^2 (1 - <d_i, s>^2)

hold the truth of one number with the probability of that quantile (profile likelihood; Seber and Wild, Nonlinear
Regression, 1989), n being the measurements and p the numbers that vary and M0.  The interval of a number reaches from
the smallest to the largest value among them.  It ends where the grid ends, and knows nothing of a wrong model, nor that
magnitudes of weak signals have no white noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.stats import f as f_distribution
from torch import Tensor

from spinloom.quantify.compression import rotation
from spinloom.quantify.dictionary import Dictionary, DictionaryError
from spinloom.quantify.matching import Blocks, Matches, atoms_of, probes_of, products_of

LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Intervals:
    """Ends of the interval of each number, by name, float64, shape `(voxels,)` each; NaN where nothing was matched.

    entries: how many entries fit about as well as the best, int64, shape `(voxels,)`
    """

    low: dict[str, Tensor]
    high: dict[str, Tensor]
    entries: Tensor


def intervals(
    dictionary: Dictionary, signals: Tensor, matches: Matches, level: float = LEVEL, blocks: Blocks | None = None
) -> Intervals:
    """The interval of each number of `matches`, which `match` found for `signals` in `dictionary`.

    level: probability of an interval to hold the truth, between 0 and 1
    blocks: as in `match`

    Raises `DictionaryError` for a level that is none, or fewer measurements than unknowns.
    """
    blocks, usable = blocks or Blocks(), ~matches.left_out
    threshold = _least_inner_product(dictionary, matches.inner_product[usable], level)
    basis, chosen = rotation(dictionary), signals[usable]
    probes = probes_of(basis, chosen)
    threshold = (threshold + probes[:, 0]).float()
    best = torch.stack([matches.numbers[name][usable] for name in dictionary.units], dim=1)
    reach = _Reach(best.clone(), best.clone(), torch.zeros(chosen.shape[0], dtype=torch.int64))
    for part in dictionary.parts(blocks.part):
        for rows, columns, products in products_of(atoms_of(basis, part.signals), probes, blocks):
            reach.widen(rows, products, threshold[rows], part.numbers[columns])
    return _reported(dictionary, usable, reach)


def _least_inner_product(dictionary: Dictionary, best: Tensor, level: float) -> Tensor:
    """The inner product from which on an entry fits about as well as the best."""
    if not 0 < level < 1:
        raise DictionaryError(f"A level of {level:g} is no probability; give one between 0 and 1, such as 0.95.")
    unknowns = len(dictionary.units) + 1
    freedom = dictionary.measurements - unknowns
    if freedom < 1:
        raise DictionaryError(
            f"Signals of {dictionary.name} have {dictionary.measurements} measurements for {unknowns} unknowns (its "
            "varied numbers and M0), which leaves none to tell noise by; there can be no intervals."
        )
    excess = 1 + float(f_distribution.ppf(level, 1, freedom)) / freedom
    return (1 - (1 - best.square()) * excess).clamp(min=0).sqrt()


@dataclass(frozen=True, eq=False)
class _Reach:
    """Smallest and largest numbers so far, shape `(voxels, numbers)`, and how many entries they are of."""

    low: Tensor
    high: Tensor
    entries: Tensor

    def widen(self, rows: slice, products: Tensor, threshold: Tensor, numbers: Tensor) -> None:
        """Take in a block; entries are looked at in rows whose largest product reaches the threshold alone."""
        near = (products.amax(dim=1) >= threshold).nonzero()[:, 0]
        row, column = (products[near] >= threshold[near, None]).nonzero(as_tuple=True)
        voxel = rows.start + near[row]
        self.entries.index_add_(0, voxel, torch.ones_like(voxel))
        place = voxel[:, None].expand(-1, numbers.shape[1])
        self.low.scatter_reduce_(0, place, numbers[column], "amin")
        self.high.scatter_reduce_(0, place, numbers[column], "amax")


def _reported(dictionary: Dictionary, usable: Tensor, reach: _Reach) -> Intervals:
    def spread(values: Tensor) -> dict[str, Tensor]:
        whole = values.new_full((usable.numel(), values.shape[1]), torch.nan)
        whole[usable] = values
        return {name: whole[:, number] for number, name in enumerate(dictionary.units)}

    entries = torch.zeros(usable.numel(), dtype=torch.int64)
    entries[usable] = reach.entries.clamp(min=1)
    return Intervals(spread(reach.low), spread(reach.high), entries)
