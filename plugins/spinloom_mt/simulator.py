"""The exact simulator of semisolid magnetisation transfer: the physics of CEST on tissues with a semisolid pool."""

from __future__ import annotations

from spinloom import Numerics, PoolSimulator, Requirements, Section, Signal, Timeline, Tissue, mt_series


class MtSimulator:
    """Water, at least one semisolid pool, and any exchanging pools; options are those of `spinloom.PoolSimulator`."""

    requirements = Requirements(
        timeline=frozenset({"rf", "adc"}),
        subject=frozenset({"tissue"}),
        pools=frozenset({"semisolid"}),
        lineshapes=PoolSimulator.lineshapes,
    )

    def __init__(self, numerics: Numerics) -> None:
        self._solver = PoolSimulator(numerics)

    def simulate(self, timeline: Timeline, subject: Tissue) -> Signal:
        """Play `timeline` on `subject`; differentiable with respect to every parameter of the tissue."""
        return self._solver.simulate(timeline, subject)

    def report(self, timeline: Timeline, subject: Tissue, signal: Signal) -> tuple[Section, ...]:
        """Transfer ratio against offset for each power, and the saturation rate of every measurement."""
        from spinloom_mt.report import mt_section

        return (mt_section(mt_series(timeline, subject, signal), subject),)
