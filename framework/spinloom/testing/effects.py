"""Which numbers of a subject change a simulator's signal; one that does not is told, or it misleads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from spinloom.errors import RequirementError, SpinloomError
from spinloom.testing.deviation import require
from spinloom.testing.experiments import Experiment, Result, measured
from spinloom.testing.invariances import distance
from spinloom.testing.subjects import NUMBERS, number, scaled_subject, solute, with_number
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.pools import Tissue

NOTICED = 1e-7
"""Smallest change of a signal that counts as one."""

_TURNS = {"t1": (1.5, 0.0), "t2": (1.5, 0.0), "b0": (1.0, 0.15), "b1": (0.8, 0.0)}
"""By which factor, and by which shift [ppm], a number of the subject is turned."""

_SUFFERED = {
    "t1": "contrast of T1 would be missing from every image and fit",
    "t2": "contrast of T2 would be missing from every image and fit",
    "b0": "maps of the field would be without effect, and artefacts of it could not be studied",
    "b1": "maps of the transmit field would be without effect, and nobody would be told",
    "scale": "a tissue that does not begin at equilibrium would be simulated as one that does",
    "reset": "a tissue that recovers fully before each measurement would be simulated as one that does not",
    "pools": "a tissue of several pools would be taken for water, and nobody would be told",
}


def check_numbers_count(experiment: Experiment, reference: Result, without_effect: Iterable[str]) -> None:
    """Each of the subject's numbers changes the signal or is refused, unless the author says that it does not."""
    for name in NUMBERS:
        if name in without_effect:
            continue
        factor, shift = _TURNS[name]
        if isinstance(experiment.subject, Phantom):
            shift *= 1000.0
        turned = with_number(experiment.subject, name, factor * number(experiment.subject, name) + shift)
        try:
            result = experiment.on(turned).play()
        except RequirementError:
            continue
        require(
            distance(measured(result), measured(reference)) > NOTICED,
            f"Simulator '{experiment.simulator}' gives the same signal for another {name}: {_SUFFERED[name]}. Play it, "
            "refuse it in `check`, or name it in `without_effect` if this sequence cannot show it.",
        )
    if isinstance(experiment.subject, Tissue):
        _check_tissue_counts(experiment, experiment.subject, reference, without_effect)


def _check_tissue_counts(
    experiment: Experiment, tissue: Tissue, reference: Result, without_effect: Iterable[str]
) -> None:
    """The magnetisation to begin with, starting anew after each readout, and pools that stand beside."""
    changed = {
        "scale": scaled_subject(tissue, 0.5),
        "reset": replace(tissue, reset=not tissue.reset),
        "pools": replace(tissue, exchanging=(*tissue.exchanging, solute(tissue))),
    }
    for name, subject in changed.items():
        try:
            result = experiment.on(subject).play()
        except SpinloomError:
            continue
        told = set(result.notes) - set(reference.notes)
        require(
            name in without_effect or told or distance(measured(result), measured(reference)) > NOTICED,
            f"Simulator '{experiment.simulator}' gives the same signal for another {name}: {_SUFFERED[name]}. Play it, "
            "refuse it in `check`, or say in the notes that it is left out.",
        )
