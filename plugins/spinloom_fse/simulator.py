"""Fast spin echo, exactly: shots of an excitation and a train of refocusing pulses, each with a line of k-space."""

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


class FseSimulator:
    """Isochromats on the phantom's grid; options are those of `spinloom.PhantomSimulator`."""

    requirements = Requirements(timeline=frozenset({"rf", "adc", "gradients"}), subject=frozenset({"phantom"}))

    def __init__(self, numerics: Numerics) -> None:
        self._solver = PhantomSimulator(numerics)

    def check(self, timeline: Timeline, subject: Phantom) -> None:
        """Raise where a shot has other excitations than one or lines without an echo, or the samples are no lines."""
        for number, shot in enumerate(shots(timeline), start=1):
            if shot.excitations != 1 or shot.refocusings < shot.readouts:
                raise RequirementError(
                    f"Simulator 'fse' plays shots of one excitation with a refocusing pulse before each line, but shot "
                    f"{number} of {timeline.source} has {shot.excitations} excitations, {shot.refocusings} refocusing "
                    f"pulses and {shot.readouts} lines; simulator=bloch plays any sequence."
                )
        check_lines("fse", timeline, subject)
        self._solver.check(timeline, subject)

    def simulate(self, timeline: Timeline, subject: Phantom) -> KSpace:
        """Play `timeline` on `subject`; differentiable with respect to the maps of the phantom."""
        return self._solver.simulate(timeline, subject)

    def report(self, timeline: Timeline, subject: Phantom, signal: KSpace) -> tuple[Section, ...]:
        """When the echoes are, and which of them fills the centre of k-space."""
        trains = shots(timeline)
        first = np.flatnonzero(np.diff(signal.measurement, prepend=-1))
        middle = (first + np.append(first[1:], signal.measurement.size)) // 2
        distance = np.linalg.norm(signal.trajectory[middle], axis=1)
        central = int(distance.argmin())
        echoes = trains[0].readouts
        start = timeline.block_start[[train.blocks.start for train in trains]]
        shot = int(np.searchsorted(start, signal.time[middle[central]], side="right")) - 1
        spacing = float(np.diff(signal.time[middle[:echoes]]).mean()) if echoes > 1 else float("nan")
        rows = (
            ("Shots", f"{len(trains)}"),
            ("Echoes a shot", f"{echoes}"),
            ("Echo spacing", f"{1e3 * spacing:.3g} ms"),
            ("Effective echo time", f"{1e3 * (signal.time[middle[central]] - start[shot]):.4g} ms"),
        )
        caption = "The effective echo time is that of the line nearest to the centre of k-space, from the shot's begin."
        return (Section("Echo train", (Table(("", "Value"), rows, caption),)),)
