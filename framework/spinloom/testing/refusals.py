"""Whether what a simulator declares is all that it needs: without it a sentence, and never a traceback."""

from __future__ import annotations

from dataclasses import replace

from spinloom.errors import RequirementError, SpinloomError
from spinloom.interfaces import Requirements, Subject, timeline_parts
from spinloom.testing.deviation import Deviation, require
from spinloom.testing.experiments import Experiment, without
from spinloom.testing.result_checks import check_result
from spinloom.testing.subjects import disc, fitting_tissue
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.pools import LINESHAPES, Tissue

_KNOWN = {
    "timeline": {"rf", "adc", "gradients", "labels"},
    "subject": {"tissue", "phantom"},
    "pools": {"exchanging", "semisolid"},
    "lineshapes": set(LINESHAPES),
    "maps": {"coils", "pools"},
}


def check_declaration(name: str, requirements: object) -> None:
    """Raise `Deviation` unless the requirements of `name` are words that the host knows."""
    require(
        isinstance(requirements, Requirements),
        f"'{name}' has no `requirements = Requirements(...)`: the host could refuse nothing before the work.",
    )
    for field, known in _KNOWN.items():
        if unknown := sorted(getattr(requirements, field) - known):
            raise Deviation(
                f"'{name}' requires {field}={unknown}, which the host does not know: nobody could ever meet it. "
                f"Known: {', '.join(sorted(known))}."
            )


def check_refusals(experiment: Experiment) -> None:
    """Raise `Deviation` where `experiment`, robbed of a part, ends otherwise than in a result or a sentence."""
    requirements = experiment.build().requirements
    for part in sorted(timeline_parts(experiment.timeline)):
        robbed = experiment.under(without(experiment.timeline, part))
        _try(robbed, refused=part in requirements.timeline, what=f"a sequence without {part}")
    for what, subject, refused in _other_subjects(requirements, experiment.subject):
        _try(experiment.on(subject), refused, what)


def _other_subjects(requirements: Requirements, subject: Subject) -> list[tuple[str, Subject, bool]]:
    """Subjects that lack something, in words, and whether they must be refused."""
    found: list[tuple[str, Subject, bool]] = []
    if "phantom" not in requirements.subject:
        found.append(("a phantom", disc(), True))
    if "tissue" not in requirements.subject:
        found.append(("a tissue", fitting_tissue(requirements), True))
    if isinstance(subject, Tissue):
        for kind in ("exchanging", "semisolid"):
            if getattr(subject, kind):
                bare = replace(subject, exchange=(), **{kind: ()})  # type: ignore[arg-type]
                found.append((f"a tissue without {kind} pools", bare, kind in requirements.pools))
    if isinstance(subject, Phantom) and subject.pools is not None:
        found.append(("a phantom without pools", replace(subject, pools=None), "pools" in requirements.maps))
    return found


def _try(experiment: Experiment, refused: bool, what: str) -> None:
    try:
        result = experiment.play()
        require(
            not refused,
            f"Simulator '{experiment.simulator}' declares that it needs more than {what}, and takes it all the same: "
            "a run would last until it fails, or mean nothing.",
        )
    except RequirementError as error:
        require(
            len(str(error)) > 20,
            f"Simulator '{experiment.simulator}' refuses {what} with '{error}': a user would not know the way out.",
        )
    except SpinloomError:
        return
    else:
        check_result(experiment.simulator, experiment.timeline, experiment.subject, result)
