"""Laws of Bloch's equations that a simulator's signal must obey.

Equilibrium is a fixed point without RF; the signal is linear in the magnetisation to begin with; and after a hard pulse
of 90 degrees along x, M+(t) = i exp(i 2 pi f t - t / T2) and Mz(t) = 1 - exp(-t / T1).
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from spinloom.errors import RequirementError, SpinloomError
from spinloom.interfaces import Signal, Subject
from spinloom.testing.deviation import require
from spinloom.testing.experiments import HARD_PULSE, Experiment, Result, free_induction_decay, measured, silent
from spinloom.testing.invariances import distance
from spinloom.testing.subjects import fitting_tissue, number, one_voxel, scaled_subject
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.pools import Tissue

LINEAR = 1e-6
"""How far from linear a signal may be [M0]: what solvers leave."""

FID = 5e-3
"""How far a free induction decay may be from its closed form: pulses of 10 us that are taken as hard, or as long."""


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
        half = measured(experiment.on(scaled_subject(subject, 0.5)).play())
    except RequirementError:
        return
    expected = whole / 2
    if isinstance(subject, Tissue):
        expected = (whole + measured(experiment.on(scaled_subject(subject, 0.0)).play())) / 2
    apart = distance(half, expected)
    require(
        apart < LINEAR,
        f"Simulator '{experiment.simulator}' is not linear in the magnetisation to begin with, by {apart:.2g}: signals "
        "of voxels could not be added, and images would depend on the scale of M0.",
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
