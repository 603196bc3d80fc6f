"""A trained network as a simulator: fast, and only as right as its training."""

from __future__ import annotations

import logging

from spinloom import ConfigurationError, Numerics, Requirements, Signal, Timeline, Tissue, load_surrogate

log = logging.getLogger(__name__)


class SurrogateSimulator:
    """Plays the network `model`.

    Options: `model`, a trained surrogate as `spinloom.load_surrogate` takes it: a folder, `runs:/ID`, `models:/NAME`;
    `strict`, whether inputs outside the network's valid range are refused instead of flagged.
    """

    def __init__(self, numerics: Numerics) -> None:
        model, strict = numerics.options.get("model"), numerics.options.get("strict", False)
        if model is None:
            raise ConfigurationError(
                "simulator.model is not given; add simulator.model=FOLDER (or runs:/ID, models:/NAME)."
            )
        if not isinstance(strict, bool):
            raise ConfigurationError(f"simulator.strict is {strict!r}; it is true or false.")
        self._strict, self._dtype = strict, numerics.dtype
        self._trained = load_surrogate(str(model), numerics.device)
        self.requirements: Requirements = self._trained.surrogate.requirements

    def check(self, timeline: Timeline, subject: Tissue) -> None:
        """Raise `RequirementError` where the network cannot stand in."""
        self._trained.check(timeline, subject)

    def simulate(self, timeline: Timeline, subject: Tissue) -> Signal:
        """The signal that the network predicts, one sample a measurement; the notes flag inputs out of range."""
        signal, prediction = self._trained.signal(timeline, subject, self._strict, self._dtype)
        for note in prediction.notes:
            log.warning("%s", note)
        return signal
