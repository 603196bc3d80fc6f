"""The exact simulator of imaging sequences, general trajectories included: isochromats on the phantom's grid."""

from __future__ import annotations

from spinloom import KSpace, Numerics, Phantom, PhantomSimulator, Requirements, Timeline


class BlochSimulator:
    """Any sequence with RF and readouts; options are those of `spinloom.PhantomSimulator`."""

    requirements = Requirements(timeline=frozenset({"rf", "adc"}), subject=frozenset({"phantom"}))

    def __init__(self, numerics: Numerics) -> None:
        self._solver = PhantomSimulator(numerics)

    def check(self, timeline: Timeline, subject: Phantom) -> None:
        """Raise where memory or the file's ppm terms stand in the way."""
        self._solver.check(timeline, subject)

    def simulate(self, timeline: Timeline, subject: Phantom) -> KSpace:
        """Play `timeline` on `subject`; differentiable with respect to the maps of the phantom."""
        return self._solver.simulate(timeline, subject)
