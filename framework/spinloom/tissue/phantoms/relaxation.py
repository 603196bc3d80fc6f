"""Relaxation times and proton densities of the brain's tissues, with the spread between published values.

Sources (s): 1.5 T, ranges of reviews; 3 T, Stanisz et al. 2005 within the range of all; 7 and 9.4 T, Zhu et al. 2014.
Where a source gives one number, other sources differ from it by 30 to 60 %: +-20 % is taken.  A range without a number
is represented by its middle.  CSF at 9.4 T is not among them and taken as at 7 T.  Proton densities (white 0.7, grey
0.8 of CSF) are customary, +-5 %.
"""

from __future__ import annotations

from dataclasses import dataclass

from spinloom.errors import TissueError

TISSUES = ("white matter", "grey matter", "CSF", "lesion")
"""In the order of all maps of fractions and of the pools of a brain."""

DENSITY = (0.7, 0.8, 1.0, 0.75)
"""Proton density of `TISSUES` relative to CSF."""

DENSITY_SPREAD = 0.05
"""By which share the density of solid tissue differs between subjects."""


@dataclass(frozen=True)
class Spread:
    """A published value [s] and the range of them."""

    low: float
    value: float
    high: float

    def scaled(self, factor: float) -> Spread:
        """All three times `factor`."""
        return Spread(self.low * factor, self.value * factor, self.high * factor)


@dataclass(frozen=True)
class Relaxation:
    """T1 and T2 of a tissue."""

    t1: Spread
    t2: Spread


def _about(value: float) -> Spread:
    return Spread(0.8 * value, value, 1.2 * value)


def _range(low: float, high: float) -> Spread:
    return Spread(low, (low + high) / 2, high)


_CSF_7T = Relaxation(_about(4.0), _about(0.8))

_MEASURED: dict[float, tuple[Relaxation, Relaxation, Relaxation]] = {
    1.5: (
        Relaxation(_range(0.50, 0.88), _about(0.07)),
        Relaxation(_range(0.83, 1.12), _range(0.083, 0.095)),
        Relaxation(_about(2.57), _about(0.33)),
    ),
    3.0: (
        Relaxation(Spread(0.8, 1.084, 1.5), Spread(0.06, 0.069, 0.10)),
        Relaxation(Spread(1.2, 1.820, 2.0), Spread(0.07, 0.099, 0.12)),
        Relaxation(_range(2.0, 4.2), _range(1.3, 2.0)),
    ),
    7.0: (Relaxation(_about(1.222), _about(0.037)), Relaxation(_about(1.670), _about(0.043)), _CSF_7T),
    9.4: (Relaxation(_about(1.429), _about(0.029)), Relaxation(_about(2.002), _about(0.035)), _CSF_7T),
}
"""White matter, grey matter and CSF by field [T]."""

_LESION = (1.4, 1.8)
"""T1 and T2 of a lesion relative to white matter, chosen here: oedema prolongs both, T2 the more."""


def relaxation(field_t: float) -> tuple[Relaxation, ...]:
    """Of each of `TISSUES` at `field_t` [T]; `TissueError` where nothing is known of that field."""
    if field_t not in _MEASURED:
        known = ", ".join(f"{field:g}" for field in sorted(_MEASURED))
        raise TissueError(
            f"Relaxation times of the brain at {field_t:g} T are not known here; choose one of: {known} T."
        )
    white, grey, csf = _MEASURED[field_t]
    return white, grey, csf, Relaxation(white.t1.scaled(_LESION[0]), white.t2.scaled(_LESION[1]))
