"""Gradient-echo EPI, exactly: shots of one excitation and a train of lines, without refocusing."""

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


class EpiSimulator:
    """Isochromats on the phantom's grid; options are those of `spinloom.PhantomSimulator`."""

    requirements = Requirements(timeline=frozenset({"rf", "adc", "gradients"}), subject=frozenset({"phantom"}))

    def __init__(self, numerics: Numerics) -> None:
        self._solver = PhantomSimulator(numerics)

    def check(self, timeline: Timeline, subject: Phantom) -> None:
        """Raise where a shot has other excitations than one or refocusing pulses, or the samples are no lines."""
        for number, shot in enumerate(shots(timeline), start=1):
            if shot.excitations != 1 or shot.refocusings or shot.readouts < 2:
                raise RequirementError(
                    f"Simulator 'epi' plays shots of one excitation and a train of lines, but shot {number} of "
                    f"{timeline.source} has {shot.excitations} excitations, {shot.refocusings} refocusing pulses and "
                    f"{shot.readouts} lines; simulator=bloch plays any sequence."
                )
        check_lines("epi", timeline, subject)
        self._solver.check(timeline, subject)

    def simulate(self, timeline: Timeline, subject: Phantom) -> KSpace:
        """Play `timeline` on `subject`; differentiable with respect to the maps of the phantom."""
        return self._solver.simulate(timeline, subject)

    def report(self, timeline: Timeline, subject: Phantom, signal: KSpace) -> tuple[Section, ...]:
        """Timing of the train, and by how far the field shifts the image."""
        train = shots(timeline)[0]
        first = np.flatnonzero(np.diff(signal.measurement, prepend=-1))
        middle = ((first + np.append(first[1:], signal.measurement.size)) // 2)[: train.readouts]
        spacing = float(np.diff(signal.time[middle]).mean())
        across = np.ptp(signal.trajectory[middle], axis=0)
        inside = subject.b0[subject.m0 > 0]
        largest = float(inside.abs().max()) if inside.numel() else 0.0
        shift = largest * spacing * train.readouts
        rows = (
            ("Lines a shot", f"{train.readouts}"),
            ("Echo spacing", f"{1e3 * spacing:.3g} ms"),
            ("Largest field deviation", f"{largest:.4g} Hz"),
            ("Blipped axis", "xyz"[int(across.argmax())]),
            ("Largest shift along it", f"{shift:.3g} pixels"),
        )
        return (Section("Echo train", (Table(("", "Value"), rows),)),)
