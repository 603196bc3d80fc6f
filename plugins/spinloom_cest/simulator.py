"""The exact CEST simulator: a `.seq` played on a batch of tissues by the Bloch-McConnell equations."""

from __future__ import annotations

from spinloom import Numerics, PoolSimulator, Requirements, Signal, Timeline, Tissue


class CestSimulator:
    """Water, any number of exchanging pools and semisolid pools; options are those of `spinloom.PoolSimulator`."""

    requirements = Requirements(
        timeline=frozenset({"rf", "adc"}), subject=frozenset({"tissue"}), lineshapes=PoolSimulator.lineshapes
    )

    def __init__(self, numerics: Numerics) -> None:
        self._solver = PoolSimulator(numerics)

    def simulate(self, timeline: Timeline, subject: Tissue) -> Signal:
        """Play `timeline` on `subject`; differentiable with respect to every parameter of the tissue."""
        return self._solver.simulate(timeline, subject)
