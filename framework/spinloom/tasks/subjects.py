"""What a simulation is of: the tissues or the phantom that a configuration asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spinloom.errors import ConfigurationError, RequirementError
from spinloom.interfaces import Simulator, Subject
from spinloom.sequence.facts import sequence_facts
from spinloom.sequence.timeline import Timeline
from spinloom.tasks.memory import refuse_beyond_memory
from spinloom.tissue.batches import TissueBatch, plan_batch
from spinloom.tissue.files import tissue_names
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.door import build_phantom, phantom_names

KINDS = ("phantom", "tissue")


def read_subject(config: Mapping[str, Any], timeline: Timeline, simulator: Simulator) -> TissueBatch | Phantom:
    """The subject of `config`: what its group `tissue` or its group `phantom` holds.

    Raises `ConfigurationError` where neither or both are chosen or memory cannot hold it, and `RequirementError` where
    the simulator takes the other kind, before any work.
    """
    chosen = [kind for kind in KINDS if config.get(kind) is not None]
    if len(chosen) > 1:
        raise _both(config, simulator)
    if not chosen:
        raise _not_chosen(simulator)
    _check_kind(chosen[0], config, simulator)
    if chosen[0] == "phantom":
        return build_phantom(config["phantom"])
    plan = plan_batch(config["tissue"], config["names"]["tissue"], config["samples"])
    refuse_beyond_memory(plan.tissues, sequence_facts(timeline).adc_samples, plan.numbers, plan.spins)
    return plan.build(config["seed"])


def subject_itself(read: TissueBatch | Phantom) -> Subject:
    """What the simulator takes of what was read."""
    return read if isinstance(read, Phantom) else read.tissue


def _both(config: Mapping[str, Any], simulator: Simulator) -> ConfigurationError:
    given = " and ".join(f"{kind}={config['names'].get(kind)}" for kind in ("tissue", "phantom"))
    out = [kind for kind in KINDS if kind not in simulator.requirements.subject] or KINDS
    return ConfigurationError(
        f"A simulation is of a tissue or of a phantom, but {given} are both given; leave one out with "
        f"{' or '.join(f'{kind}=null' for kind in out)}."
    )


def _check_kind(kind: str, config: Mapping[str, Any], simulator: Simulator) -> None:
    """Raise where the simulator takes no subject of this kind, before one is read or made."""
    taken = sorted(simulator.requirements.subject)
    if kind not in taken:
        raise RequirementError(
            f"Simulator '{config['simulator']['name']}' takes a {' or a '.join(taken)}, but {kind}="
            f"{config['names'][kind]} is given; give {taken[0]}=NAME (and {kind}=null where an experiment chose it) "
            "or another simulator."
        )


def _not_chosen(simulator: Simulator) -> ConfigurationError:
    kind = "tissue" if "tissue" in simulator.requirements.subject else "phantom"
    known = ", ".join(tissue_names() if kind == "tissue" else phantom_names())
    return ConfigurationError(f"'{kind}' is not given; add {kind}=NAME. Known: {known}.")
