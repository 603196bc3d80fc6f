"""Laws of Bloch's equations that a simulator's signal must obey.

Equilibrium is a fixed point without RF; the signal is linear in the magnetisation to begin with; and after a hard pulse
of 90 degrees along x, M+(t) = i exp(i 2 pi f t - t / T2) and Mz(t) = 1 - exp(-t / T1).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import torch

from spinloom.errors import RequirementError, SpinloomError
from spinloom.interfaces import Signal, Subject
from spinloom.testing.deviation import require
from spinloom.testing.experiments import HARD_PULSE, Experiment, Result, free_induction_decay, measured, silent
from spinloom.testing.invariances import distance
from spinloom.testing.subjects import NUMBERS, fitting_tissue, number, one_voxel, solute, with_number
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.pools import Tissue

LINEAR = 1e-6
"""How far from linear a signal may be [M0]: what solvers leave."""

FID = 5e-3
"""How far a free induction decay may be from its closed form: pulses of 10 us that are taken as hard, or as long."""

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


def check_equilibrium(experiment: Experiment) -> None:
    """RF of no amplitude leaves everything where it is."""
    subject = experiment.subject
    if isinstance(subject, Tissue):
        subject = replace(subject, initial_scale=torch.ones_like(subject.initial_scale))
    result = replace(experiment, timeline=silent(experiment.timeline), subject=subject).play()
    rest = measured(replace(result, mz=result.mz - 1) if isinstance(result, Signal) else result).abs()
    apart = float(rest.max())
    require(
        apart < LINEAR,
        f"Simulator '{experiment.simulator}' makes {apart:.2g} M0 of signal without RF: what relaxes towards anything "
        "else than equilibrium shifts every measurement.",
    )


def check_linearity(experiment: Experiment, reference: Result) -> None:
    """Half the magnetisation to begin with is half the signal, or half of what it adds to a signal.

    A simulator that refuses to begin elsewhere than at equilibrium has nothing to be linear in.
    """
    subject, whole = experiment.subject, measured(reference)
    try:
        half = measured(experiment.on(_scaled(subject, 0.5)).play())
    except RequirementError:
        return
    expected = whole / 2
    if isinstance(subject, Tissue):
        expected = (whole + measured(experiment.on(_scaled(subject, 0.0)).play())) / 2
    apart = distance(half, expected)
    require(
        apart < LINEAR,
        f"Simulator '{experiment.simulator}' is not linear in the magnetisation to begin with, by {apart:.2g}: signals "
        "of voxels could not be added, and images would depend on the scale of M0.",
    )


def check_numbers_count(experiment: Experiment, reference: Result, without_effect: Iterable[str]) -> None:
    """Each of the subject's numbers changes the signal, unless the author says that it does not."""
    for name in NUMBERS:
        if name in without_effect:
            continue
        factor, shift = _TURNS[name]
        if isinstance(experiment.subject, Phantom):
            shift *= 1000.0
        turned = with_number(experiment.subject, name, factor * number(experiment.subject, name) + shift)
        apart = distance(measured(experiment.on(turned).play()), measured(reference))
        require(
            apart > NOTICED,
            f"Simulator '{experiment.simulator}' gives the same signal for another {name}: {_SUFFERED[name]}. Play it, "
            "or name it in `without_effect` if this sequence cannot show it.",
        )
    if isinstance(experiment.subject, Tissue):
        _check_tissue_counts(experiment, experiment.subject, reference, without_effect)


def _check_tissue_counts(
    experiment: Experiment, tissue: Tissue, reference: Result, without_effect: Iterable[str]
) -> None:
    """The magnetisation to begin with, starting anew after each readout, and pools that stand beside."""
    changed = {
        "scale": _scaled(tissue, 0.5),
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


def check_free_induction(experiment: Experiment) -> bool:
    """Compare a free induction decay with its closed form; False where the simulator refuses to play one."""
    timeline = free_induction_decay()
    subject: Subject = one_voxel()
    if isinstance(experiment.subject, Tissue):
        subject = fitting_tissue(experiment.build().requirements, share=1e-9)
        subject = replace(subject, rel_b1=torch.ones_like(subject.rel_b1))
    try:
        result = replace(experiment, timeline=timeline, subject=subject).play()
    except SpinloomError:
        return False
    time = torch.tensor(result.time) - HARD_PULSE * (1 - 2 / math.pi)
    hertz = subject.b0 if isinstance(subject, Phantom) else subject.b0_shift_ppm * subject.larmor * 1e-6
    t1, t2, hertz = (values.reshape(-1, 1) for values in (number(subject, "t1"), number(subject, "t2"), hertz))
    transverse = 1j * torch.exp(2j * math.pi * hertz * time - time / t2)
    found = result.mxy if isinstance(result, Signal) else result.samples
    apart = distance(found, transverse)
    require(
        apart < FID,
        f"Simulator '{experiment.simulator}' plays a free induction decay {apart:.2g} away from "
        "M+ = i exp(i 2 pi f t - t / T2): a sign, a unit (seconds, hertz, ppm of the Larmor frequency) or a frame is "
        "not that of docs/conventions.md, and comparing with other simulators or a scanner would mislead.",
    )
    if isinstance(result, Signal):
        apart = distance(result.mz, 1 - torch.exp(-time / t1))
        require(
            apart < FID,
            f"Simulator '{experiment.simulator}' recovers {apart:.2g} away from Mz = 1 - exp(-t / T1) after 90 deg: "
            "T1 is in another unit, or the flip angle is not that of the file.",
        )
    return True


def _scaled(subject: Subject, factor: float) -> Subject:
    if isinstance(subject, Phantom):
        return replace(subject, m0=subject.m0 * factor)
    return replace(subject, initial_scale=subject.initial_scale * factor)
