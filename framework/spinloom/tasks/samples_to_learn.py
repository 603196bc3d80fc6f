"""The samples that a configuration trains a network on: those of a set, or fresh ones of a simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spinloom import provenance
from spinloom.errors import ConfigurationError
from spinloom.interfaces import Checker, Surrogate
from spinloom.learning.batches import Samples, make_samples
from spinloom.learning.set_folder import JoinedParts, open_sets
from spinloom.learning.set_parts import SetParts, timeline_of, tissue_of
from spinloom.learning.settings import TrainingSettings
from spinloom.learning.signal_set import SignalSet
from spinloom.learning.sources import FreshParts, Source
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import sequence_content
from spinloom.tasks.draws import TRAINING, Draws
from spinloom.tasks.record import without_password
from spinloom.tasks.simulate import build_simulator, check_fit
from spinloom.tissue.pools import Tissue

_MADE_BY = ("simulator", "sequence", "protocols", "field", "tissue", "samples")
"""What a configuration says of where samples come from."""


@dataclass(frozen=True, eq=False)
class Learned:
    """What is learned from.

    source: of batches
    identity: what tells it from others, plain containers
    facts: for the record of the trained surrogate
    """

    source: Source
    identity: Mapping[str, Any]
    facts: Mapping[str, Any]


def samples_to_learn(config: Mapping[str, Any], name: str, surrogate: Surrogate, settings: TrainingSettings) -> Learned:
    """Open the set of `config`, or prepare its simulator; refuses what `surrogate` cannot stand in for."""
    if config["set"] is not None:
        return _from_set(config, name, surrogate, settings)
    return _from_simulator(config, name, surrogate, settings)


def _from_set(config: Mapping[str, Any], name: str, surrogate: Surrogate, settings: TrainingSettings) -> Learned:
    folder = open_sets(config["set"])
    for signals in folder.sets:
        made = signals.attributes["config"]
        _refuse_other(config, signals)
        for protocol in range(len(signals.protocols)):
            numbers, timeline = signals.part(protocol, slice(0, 1)).numbers, timeline_of(signals, protocol)
            _check(name, surrogate, timeline, tissue_of(made, numbers, timeline))
    parts = tuple(SetParts(signals, surrogate, surrogate.inputs, settings.validation) for signals in folder.sets)
    return Learned(
        Source(JoinedParts(parts), config["seed"], settings.buffer, settings.validation_samples),
        {"set": folder.digest, "seed": config["seed"]},
        {
            "set": {"path": str(Path(config["set"]).absolute()), "digest": folder.digest, "samples": len(folder)},
            "made_by": folder.made_by(_MADE_BY),
            "sequences": _hashes(
                timeline_of(signals, number) for signals in folder.sets for number in range(len(signals.protocols))
            ),
        },
    )


def _refuse_other(config: Mapping[str, Any], signals: SignalSet) -> None:
    """Raise where the configuration asks for another version, sequence or tissue than made the set."""
    made = signals.attributes["config"]
    version, wanted = signals.attributes.get("spinloom"), config.get("set_version") or provenance.versions()["spinloom"]
    if version != wanted:
        raise ConfigurationError(
            f"set={signals.path} was made by Spinloom {version}, and {wanted} is asked for, whose signals may differ; "
            f"make the set anew with `spinloom generate`, or accept it as it is with set_version={version}."
        )
    tissue = config["names"].get("tissue")
    for key, asked, differs in (
        ("sequence", config["sequence"], config["sequence"] is not None and _is_other(config["sequence"], signals)),
        ("tissue", tissue, tissue is not None and tissue != made["names"]["tissue"]),
    ):
        if differs:
            found = made["sequence"] if key == "sequence" else made["names"]["tissue"]
            what = "has changed since" if found == asked else "is asked for"
            raise ConfigurationError(
                f"set={signals.path} was made with {key}={found}, but {key}={asked} {what}; leave {key} out, or make "
                "a set of it with `spinloom generate`."
            )


def _is_other(sequence: str, signals: SignalSet) -> bool:
    """Whether a set is not of `sequence`: of one file its bytes decide, of draws of a family the family."""
    made = signals.attributes["config"]
    if made.get("protocols") is not None:
        return bool(sequence != made["sequence"])
    return sequence_content(sequence) not in signals.protocols.values()


def _from_simulator(config: Mapping[str, Any], name: str, surrogate: Surrogate, settings: TrainingSettings) -> Learned:
    if config.get("simulator") is None:
        raise ConfigurationError(
            "Nothing to learn from: add set=FOLDER, a set that `spinloom generate` made, or simulator=NAME with "
            "sequence, tissue and samples."
        )
    if type(config["chunk"]) is not int or config["chunk"] < 1:
        raise ConfigurationError(f"chunk is {config['chunk']!r}; it is a whole number from 1.")
    simulator = build_simulator(config["simulator"])
    draws = Draws(config, TRAINING, config["chunk"])
    if not draws.only_drawn:
        raise ConfigurationError(
            "Fresh samples each epoch need a tissue whose ranges are all drawn: uniform(low, high), latin(low, high) "
            "or their logarithms. For grids and tables, make a set with `spinloom generate`."
        )
    for number in range(0, draws.parts, draws.parts // len(draws.sequences)):
        part = draws.part(number)
        check_fit(simulator, config["simulator"]["name"], part.timeline, part.tissue[:1])
        _check(name, surrogate, part.timeline, part.tissue[:1])

    def make(epoch: int, chunk: int) -> Samples:
        part = draws.part(chunk, 1 + epoch)
        return make_samples(surrogate, surrogate.inputs, part.timeline, part.tissue, part.simulated(simulator))

    parts = FreshParts(draws.parts, draws.samples, make)
    shown = without_password(config)
    made = {key: shown[key] for key in (*_MADE_BY, "chunk", "seed")}
    return Learned(
        Source(parts, config["seed"], settings.buffer, settings.validation_samples),
        made,
        {"set": None, "made_by": made, "sequences": _hashes(draws.sequences)},
    )


def _check(name: str, surrogate: Surrogate, timeline: Timeline, tissue: Tissue) -> None:
    surrogate.requirements.check(name, timeline, tissue)
    if isinstance(surrogate, Checker):
        surrogate.check(timeline, tissue)


def _hashes(timelines: Any) -> list[str]:
    return sorted({timeline.sha256 for timeline in timelines})
