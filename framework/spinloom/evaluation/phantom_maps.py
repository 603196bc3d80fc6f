"""What a picture of a phantom shows: each of its maps with title, unit and the range of its colours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from torch import Tensor

from spinloom.evaluation.wording import number
from spinloom.tissue.phantom import Phantom

SHOWN = (0.0, 0.94)
"""Quantiles of times between which colours are spread; liquid would take most of them otherwise."""

COILS = 6
"""So many coils at most are shown."""


class Kind(Enum):
    """How a map is coloured: amounts from black, times from dark to light, deviations to both sides, labels apart."""

    AMOUNT = "amount"
    TIME = "time"
    DEVIATION = "deviation"
    LABEL = "label"


@dataclass(frozen=True, eq=False)
class ShownMap:
    """Values of shape `(z, y, x)`, NaN where there is nothing to show.

    low, high: ends of the colours
    names: of labels, for `Kind.LABEL`
    """

    title: str
    values: np.ndarray
    kind: Kind
    low: float
    high: float
    names: tuple[str, ...] = ()

    @property
    def goes_beyond(self) -> bool:
        """Whether values above `high` are drawn as `high` is."""
        return bool(np.nanmax(self.values, initial=-np.inf) > self.high)


def shown_maps(phantom: Phantom) -> list[ShownMap]:
    """M0 and every map that is not the same everywhere; times where there is magnetisation."""
    m0 = ShownMap("M₀", _array(phantom.m0), Kind.AMOUNT, 0.0, max(1.0, float(phantom.m0.max())))
    return [m0, *_times(phantom)[0], *_fields(phantom)[0], *_pools(phantom), *_coils(phantom)]


def constants(phantom: Phantom) -> list[str]:
    """Maps that are the same everywhere, with value and unit."""
    return _times(phantom)[1] + _fields(phantom)[1]


def _times(phantom: Phantom) -> tuple[list[ShownMap], list[str]]:
    inside = (phantom.m0 > 0).cpu().numpy()
    varying, alike = [], []
    for title, unit, values, factor in (
        ("T₁", "s", phantom.t1, 1),
        ("T₂", "ms", phantom.t2, 1e3),
        ("T₂\N{PRIME}", "ms", phantom.t2_prime, 1e3),
    ):
        if values is None:
            continue
        shown = factor * _array(values)
        shown = np.where(inside & np.isfinite(shown), shown, np.nan)
        finite = shown[np.isfinite(shown)]
        if finite.size == 0 or finite.min() == finite.max():
            alike.append(f"{title} {number(finite[0])} {unit}" if finite.size else f"{title} none")
            continue
        low, high = np.quantile(finite, SHOWN)
        varying.append(ShownMap(f"{title}  [{unit}]", shown, Kind.TIME, float(low), float(max(high, low * 1.01))))
    return varying, alike


def _fields(phantom: Phantom) -> tuple[list[ShownMap], list[str]]:
    """Field maps, on scales that are symmetric about their nominal value."""
    varying, alike = [], []
    for title, unit, values, nominal in (
        ("ΔB₀", "Hz", _array(phantom.b0), 0.0),
        ("B₁⁺", "of nominal", _array(phantom.b1), 1.0),
    ):
        reach = float(np.abs(values - nominal).max())
        if values.min() == values.max():
            alike.append(f"{title} {number(float(values.flat[0]))} {unit}")
        else:
            varying.append(ShownMap(f"{title}  [{unit}]", values, Kind.DEVIATION, nominal - reach, nominal + reach))
    return varying, alike


def _pools(phantom: Phantom) -> list[ShownMap]:
    if phantom.pools is None:
        return []
    count = int(phantom.pools.tissue.batch_shape[0])
    names = phantom.pools.names or tuple(str(tissue) for tissue in range(count))
    index = _array(phantom.pools.index)
    return [ShownMap("Pools", np.where(index >= 0, index, np.nan), Kind.LABEL, -0.5, count - 0.5, names)]


def _coils(phantom: Phantom) -> list[ShownMap]:
    """Magnitudes on one scale."""
    if phantom.coils is None:
        return []
    sizes = _array(phantom.coils.abs())
    high = float(np.quantile(sizes, 0.998))
    titles = [f"Coil {place + 1} of {len(sizes)}" for place in range(min(COILS, len(sizes)))]
    return [ShownMap(title, size, Kind.TIME, 0.0, high) for title, size in zip(titles, sizes, strict=False)]


def _array(values: Tensor) -> np.ndarray:
    found: np.ndarray = values.detach().cpu().double().numpy()
    return found
