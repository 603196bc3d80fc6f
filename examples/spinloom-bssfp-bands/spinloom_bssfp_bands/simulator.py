"""Images by balanced SSFP: isochromats on the phantom's grid through every pulse, and where the bands must lie.

    |M+| vanishes where the field is off by (n + 1/2) / TR, for pulses that alternate (Carr 1958)

All physics is `spinloom.PhantomSimulator`; this simulator refuses what is not balanced and reports the bands.
"""

from __future__ import annotations

import numpy as np

from spinloom import (
    KSpace,
    Numerics,
    Phantom,
    PhantomSimulator,
    RequirementError,
    Requirements,
    Section,
    Table,
    Timeline,
    check_lines,
    shots,
)

UNBALANCED = 1.0
"""Largest moment that a TR may leave [cycles/m]: six digits of a file, over a metre."""


class BssfpBandsSimulator:
    """Isochromats on the phantom's grid; options are those of `spinloom.PhantomSimulator`."""

    requirements = Requirements(timeline=frozenset({"rf", "adc", "gradients"}), subject=frozenset({"phantom"}))

    def __init__(self, numerics: Numerics) -> None:
        self._solver = PhantomSimulator(numerics)

    def check(self, timeline: Timeline, subject: Phantom) -> None:
        """Raise where a TR leaves a gradient moment, or the samples are no lines."""
        starts = np.flatnonzero(timeline.block_rf >= 0)
        moments = np.array([[event.moment for event in timeline.gradients] or [0.0]])
        played = np.where(timeline.block_gradient >= 0, moments[0][timeline.block_gradient], 0.0)
        left = np.abs(np.add.reduceat(played, starts, axis=1)).max(initial=0.0) if starts.size else 0.0
        if left > UNBALANCED:
            raise RequirementError(
                f"Simulator 'bssfp_bands' plays balanced sequences, but {timeline.source} leaves {left:.3g} cycles/m "
                "after a TR; simulator=bloch plays any sequence."
            )
        check_lines("bssfp_bands", timeline, subject)
        self._solver.check(timeline, subject)

    def simulate(self, timeline: Timeline, subject: Phantom) -> KSpace:
        """Play `timeline` on `subject`; differentiable with respect to the maps of the phantom."""
        return self._solver.simulate(timeline, subject)

    def report(self, timeline: Timeline, subject: Phantom, signal: KSpace) -> tuple[Section, ...]:
        """How far apart the bands lie, and how many of the phantom's spins are within a tenth of that of one."""
        tr = float(np.median(np.diff(timeline.block_start[timeline.block_rf >= 0])))
        inside = subject.m0 > 0
        turns = (subject.b0[inside] * tr).cpu().numpy()
        dark = float(np.mean(np.abs((turns % 1.0) - 0.5) < 0.05))
        rows = (
            ("TR", f"{1000 * tr:.4g} ms"),
            ("Bands, if pulses alternate", f"every {1 / tr:.4g} Hz, the first at {0.5 / tr:.4g} Hz"),
            ("Share of spins in a band", f"{100 * dark:.0f} %"),
            ("Excitations", str(sum(shot.excitations for shot in shots(timeline)))),
        )
        return (Section("Bands", (Table(("", "Value"), rows),)),)
