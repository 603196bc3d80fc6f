"""Multiple overlapping-echo detachment, exactly: several excitations, one refocusing pulse, one train of lines.

Each excitation's echo is shifted by gradients of its own, so that all of them lie in one k-space.  The image is that of
the train's own grid, centred on the train and not on any of the echoes.
"""

from __future__ import annotations

from spinloom import (
    Image,
    KSpace,
    Numerics,
    Phantom,
    PhantomSimulator,
    RequirementError,
    Requirements,
    Timeline,
    check_lines,
    grid_centre,
    reconstruct,
    shots,
)


class MoledSimulator:
    """Isochromats on the phantom's grid; options are those of `spinloom.PhantomSimulator`."""

    requirements = Requirements(timeline=frozenset({"rf", "adc", "gradients"}), subject=frozenset({"phantom"}))

    def __init__(self, numerics: Numerics) -> None:
        self._solver = PhantomSimulator(numerics)

    def check(self, timeline: Timeline, subject: Phantom) -> None:
        """Raise where a shot has under two excitations or refocuses other than once, or the samples are no lines."""
        for number, shot in enumerate(shots(timeline), start=1):
            if shot.excitations < 2 or shot.refocusings != 1 or shot.readouts < 2:
                raise RequirementError(
                    f"Simulator 'moled' plays shots of several excitations, one refocusing pulse and a train of lines, "
                    f"but shot {number} of {timeline.source} has {shot.excitations} excitations, {shot.refocusings} "
                    f"refocusing pulses and {shot.readouts} lines; simulator=bloch plays any sequence."
                )
        check_lines("moled", timeline, subject)
        self._solver.check(timeline, subject)

    def simulate(self, timeline: Timeline, subject: Phantom) -> KSpace:
        """Play `timeline` on `subject`; differentiable with respect to the maps of the phantom."""
        return self._solver.simulate(timeline, subject)

    def reconstruct(self, timeline: Timeline, kspace: KSpace) -> Image:
        """Complex image on the grid of the train."""
        return reconstruct(kspace, timeline.definitions, origin=grid_centre(kspace, timeline.definitions))
