"""What the loops of the fast engine know of pulses: terms of their tables, or maps solved for each isochromat."""

from __future__ import annotations

import numpy as np

from spinloom.physics.imaging.arrangement import Arrangement
from spinloom.physics.imaging.plan import EXCITE, MAP, Plan
from spinloom.physics.imaging.pulse_maps import PulseTable
from spinloom.physics.imaging.pulse_terms import Terms, terms_of
from spinloom.physics.imaging.tile import Pulses


def pulse_arrays(tables: list[PulseTable], plan: Plan, grid: Arrangement) -> Pulses:
    """Pulses for all rows of `grid`; what `solved_maps` finds has yet to be put in."""
    dtype, operations = grid.maps.m0.dtype, plan.operations
    mapped = plan.maps[np.unique(operations[operations[:, 0] == MAP, 1]), 0]
    full = np.isin(np.arange(len(tables)), mapped)
    played = full | np.isin(np.arange(len(tables)), operations[operations[:, 0] == EXCITE, 1])
    terms = [
        terms_of(pulse.table, pulse.rtol / 4, bool(whole)) if pulse.table is not None and used else Terms.none()
        for pulse, whole, used in zip(tables, full, played, strict=True)
    ]
    without = np.array([pulse.table is None for pulse in tables], dtype=bool)
    along = np.stack([pulse.direction.numpy() for pulse in tables]) if tables else np.zeros((0, 3))
    frequencies = np.array([pulse.frequency for pulse in tables])
    return Pulses(
        first=np.cumsum([0, *(len(found.places) for found in terms)]),
        first_pair=np.cumsum([0, *(len(found.pairs) for found in terms)]),
        counts=np.array([found.counts for found in terms]).reshape(-1, 4),
        pairs=np.concatenate([Terms.none().pairs, *(found.pairs for found in terms)]),
        places=np.concatenate([Terms.none().places, *(found.places for found in terms)]),
        coefficients=np.concatenate([Terms.none().coefficients, *(found.coefficients for found in terms)], dtype=dtype),
        scales=np.array([_scales(pulse) for pulse in tables], dtype=dtype).reshape(-1, 4, 2),
        row_shifts=(along @ grid.rows.T - frequencies[:, None]).astype(dtype),
        column_shifts=(along @ grid.columns.T).astype(dtype),
        solved=np.zeros((0, 12, 0, 0), dtype=dtype),
        which=np.where(without, np.cumsum(without) - 1, -1),
        full=full,
        maps=plan.maps,
    )


def _scales(pulse: PulseTable) -> np.ndarray:
    """Middle of the range of each number, and the inverse of half of it; 0 where the range is empty."""
    if pulse.table is None:
        return np.zeros((4, 2))
    low, high = pulse.table.low.numpy(), pulse.table.high.numpy()
    width = high - low
    return np.stack([(low + high) / 2, np.divide(2.0, width, out=np.zeros(4), where=width > 0)], axis=1)


def solved_maps(tables: list[PulseTable], grid: Arrangement, rows: slice) -> np.ndarray:
    """Entries for each isochromat of `rows` of the pulses without a table, shape `(pulses, 12, rows, columns)`."""
    maps, found = grid.maps, []
    shape = maps.m0[rows].shape
    if all(pulse.table is not None for pulse in tables):
        return np.zeros((0, 12, 0, 0), dtype=maps.m0.dtype)
    places = (grid.rows[rows][:, None] + grid.columns).reshape(-1, 3).T
    for pulse in tables:
        if pulse.table is None:
            detuning = maps.b0[rows].reshape(-1) + pulse.direction.numpy() @ places - pulse.frequency
            others = (values[rows].reshape(-1) for values in (maps.b1, maps.r1, maps.r2))
            numbers = np.stack([detuning, *others]).astype(np.float64)
            found.append(pulse.solved(numbers, places).reshape(12, *shape))
    return np.array(found, dtype=maps.m0.dtype).reshape(-1, 12, *shape)
