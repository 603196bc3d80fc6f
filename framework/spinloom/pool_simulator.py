"""The simulator that plugins of saturation transfer wrap: a `.seq` played on a batch of tissues by `solve_pools`.

Plugins differ in what they require of a tissue, in their defaults and in what they report, not in physics.
"""

from __future__ import annotations

from spinloom.errors import ConfigurationError, known_names
from spinloom.interfaces import Numerics, Signal
from spinloom.physics.engine import solve_pools
from spinloom.physics.lineshapes import SOLVED_LINESHAPES
from spinloom.physics.offsets import offsets_ppm
from spinloom.sequence.replay import PHYSICAL, SHAPE_PHASES, TIMINGS
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue


class PoolSimulator:
    """Water, any number of exchanging pools and semisolid pools.

    Options: `rtol`, the largest error by the sampling of pulses in units of M0, or `cells`, a fixed number of cells
    a pulse (`all` for every sample of the file); `timing` and `shape_phase`, whose time and signs are played, as for
    `solve_pools`.  Raises `ConfigurationError` for values that are none.
    """

    lineshapes = SOLVED_LINESHAPES
    """Lineshapes of semisolid pools that are solved."""

    def __init__(self, numerics: Numerics) -> None:
        self._numerics = numerics
        self._rtol = _positive(numerics.options.get("rtol", 1e-6))
        self._cells = _cells(numerics.options.get("cells"))
        self._timing = _name(numerics.options.get("timing", PHYSICAL), "timing", TIMINGS)
        self._shape_phase = _shape_phase(numerics.options.get("shape_phase"))

    def simulate(self, timeline: Timeline, subject: Tissue) -> Signal:
        """Play `timeline` on `subject`; differentiable with respect to every parameter of the tissue."""
        solution = solve_pools(
            timeline,
            subject,
            rtol=self._rtol,
            cells=self._cells,
            dtype=self._numerics.dtype,
            device=self._numerics.device,
            progress=self._numerics.progress,
            timing=self._timing,
            shape_phase=self._shape_phase,
        )
        offsets, remarks = offsets_ppm(timeline, subject)
        return Signal(
            mz=solution.mz,
            mxy=solution.mxy,
            time=solution.time,
            measurement=solution.measurement,
            offset_ppm=offsets,
            notes=(*solution.notes, *remarks),
        )


def _positive(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigurationError(f"simulator.rtol is {value!r}; it is a positive number such as 1e-6.")
    return float(value)


def _cells(value: object) -> int | str | None:
    if value is None or value == "all":
        return value
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"simulator.cells is {value!r}; it is null, 'all' or a whole number from 1.")
    return value


def _shape_phase(value: object) -> str | None:
    return None if value is None else _name(value, "shape_phase", SHAPE_PHASES)


def _name(value: object, option: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ConfigurationError(f"simulator.{option} is {value!r}. {known_names(str(value), known)}")
    return str(value)
