"""CEST-weighted imaging from one file, exactly: pools for the saturation, isochromats for the readout."""

from __future__ import annotations

from spinloom import (
    Image,
    KSpace,
    Numerics,
    Phantom,
    PoolSimulator,
    PreparedSimulator,
    Requirements,
    Section,
    Timeline,
    check_lines,
    reconstruct,
)


class CestEpiSimulator:
    """A phantom of pools; options are those of `spinloom.PreparedSimulator`."""

    requirements = Requirements(
        timeline=frozenset({"rf", "adc", "gradients"}),
        subject=frozenset({"phantom"}),
        maps=frozenset({"pools"}),
        lineshapes=PoolSimulator.lineshapes,
    )

    def __init__(self, numerics: Numerics) -> None:
        self._solver = PreparedSimulator(numerics)

    def check(self, timeline: Timeline, subject: Phantom) -> None:
        """Raise where preparation and readout cannot be told apart, and where the samples are no lines."""
        self._solver.check(timeline, subject)
        check_lines("cest_epi", timeline, subject)

    def simulate(self, timeline: Timeline, subject: Phantom) -> KSpace:
        """Play `timeline` on `subject`: saturation on its pools, readout on its grid."""
        return self._solver.simulate(timeline, subject)

    def reconstruct(self, timeline: Timeline, kspace: KSpace) -> Image:
        """One image for each saturation."""
        return reconstruct(kspace, timeline.definitions)

    def report(self, timeline: Timeline, subject: Phantom, signal: KSpace) -> tuple[Section, ...]:
        """Maps of saturation and asymmetry, and the spectra of the tissues."""
        from spinloom_cest_epi.report import saturation_sections

        return saturation_sections(timeline, subject, self.reconstruct(timeline, signal))
