"""Fewer numbers a signal: the dictionary in the basis of its leading singular vectors.

    D = U S V^T,   d' = V_r^T d,   s' = V_r^T s / ||s||,   <d', s'> = <d, s> / ||s|| - <d - V_r d', s - V_r s'> / ||s||

(McGivney et al., IEEE Trans Med Imaging 2014;33:2311), the rows of D being the signals scaled to unit norm.  V comes
from the eigenvectors of D^T D, which is gathered part by part in float64: singular values below 1e-8 of the first are
noise, which no rank that compresses keeps.  The sign of a singular vector is arbitrary; here its largest component is
positive.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spinloom.quantify.dictionary import Dictionary, DictionaryError

PART = 65_536
"""Entries that are read together."""


@dataclass(frozen=True, eq=False)
class Basis:
    """Orthonormal vectors that signals are expressed in, the one that most signals lie along first.

    vectors: columns, float64, shape `(measurements, rank)`
    energy_loss: share of the energy of the dictionary, all entries weighing alike, that lies outside of them
    """

    vectors: Tensor
    energy_loss: float

    @property
    def rank(self) -> int:
        """Number of vectors."""
        return self.vectors.shape[1]

    def coordinates(self, signals: Tensor) -> Tensor:
        """Signals scaled to unit norm, in this basis: float64, shape `(signals, rank)`."""
        return unit(signals) @ self.vectors


def compress(dictionary: Dictionary, rank: int | None = None, energy_loss: float | None = None) -> Basis:
    """The leading singular vectors of `dictionary`.

    rank: how many of them; or
    energy_loss: as few as lose no more than this share of the energy

    Raises `DictionaryError` unless one of the two is given and possible.
    """
    gram = torch.zeros(dictionary.measurements, dictionary.measurements, dtype=torch.float64)
    for part in dictionary.parts(PART):
        rows = unit(part.signals)
        gram += rows.T @ rows
    vectors, lost = _leading(gram)
    return _kept(vectors, lost, _rank(dictionary, lost, rank, energy_loss))


def rotation(dictionary: Dictionary) -> Basis:
    """A full basis that loses nothing, its first vector along the first entries of `dictionary`."""
    rows = unit(next(dictionary.parts(PART)).signals)
    vectors, lost = _leading(rows.T @ rows)
    return _kept(vectors, torch.zeros_like(lost), dictionary.measurements)


def unit(signals: Tensor) -> Tensor:
    """Signals divided by their norms, float64."""
    wide = signals.double()
    return wide / wide.norm(dim=-1, keepdim=True)


def _leading(gram: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvectors by falling eigenvalue, and the share of energy that is lost after each of them."""
    values, vectors = torch.linalg.eigh(gram)
    values, vectors = values.flip(0).clamp(min=0), vectors.flip(1)
    largest = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True))
    lost = (values.sum() - values.cumsum(0)).clamp(min=0) / values.sum()
    return vectors * largest.sign(), lost


def _kept(vectors: Tensor, lost: Tensor, rank: int) -> Basis:
    return Basis(vectors[:, :rank].contiguous(), float(lost[rank - 1]))


def _rank(dictionary: Dictionary, lost: Tensor, rank: int | None, energy_loss: float | None) -> int:
    if (rank is None) == (energy_loss is None):
        raise DictionaryError("Give either the rank of the compression or the energy loss that it may have.")
    if energy_loss is not None:
        if not 0 <= energy_loss < 1:
            raise DictionaryError(f"An energy loss of {energy_loss:g} is none; give a share from 0 to below 1.")
        return int((lost > energy_loss).sum()) + 1
    assert rank is not None
    if not 1 <= rank <= dictionary.measurements:
        raise DictionaryError(
            f"A rank of {rank} is not possible; signals of {dictionary.name} have {dictionary.measurements} "
            f"measurements, so give 1 to {dictionary.measurements}."
        )
    return rank
