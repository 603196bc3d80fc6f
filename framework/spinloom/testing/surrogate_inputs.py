"""What a surrogate reads of sequence and tissue: declared, in its units, its own, and flagged out of range."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from spinloom.errors import SpinloomError
from spinloom.interfaces import Surrogate, timeline_parts
from spinloom.learning.scaling import outside
from spinloom.sequence.timeline import Timeline
from spinloom.testing.deviation import Deviation, require
from spinloom.testing.experiments import without
from spinloom.tissue.pools import Tissue

REPLACES = ("step", "trajectory", "image", "inverse")
QUANTITIES = ("mz_over_m0", "mxy_abs")

FAR = 1000.0
"""Factor that takes any relaxation time out of the range of any training."""


def check_inputs(name: str, surrogate: Surrogate) -> None:
    """Raise `Deviation` where what a surrogate says of itself is not what the host can use."""
    for field, known in (("replaces", REPLACES), ("quantity", QUANTITIES)):
        value = getattr(surrogate, field, None)
        require(
            value in known,
            f"Surrogate '{name}' says {field} = {value!r}, which is none of {', '.join(known)}: what it predicts would "
            "be compared with something else.",
        )
    require(surrogate.inputs, f"Surrogate '{name}' has no inputs: it would say the same of every tissue.")
    for each in surrogate.inputs:
        require(
            each.name and each.unit and each.low <= each.high,
            f"Surrogate '{name}' has the input {each}; without a name, a unit and a range from low to high nobody "
            "could be told that a tissue lies outside.",
        )
    names = [each.name for each in surrogate.inputs]
    require(
        len(set(names)) == len(names),
        f"Surrogate '{name}' names two inputs alike: a sentence on one out of range would not say which.",
    )


def check_features(name: str, surrogate: Surrogate, timeline: Timeline, tissues: Tissue) -> None:
    """Raise `Deviation` where features have another shape, unit, owner or gradient than they should."""
    found, count = surrogate.features(timeline, tissues), tissues.batch_shape.numel()
    middle = (int((timeline.block_adc >= 0).sum()),) if surrogate.replaces == "step" else ()
    shape = (count, *middle, len(surrogate.inputs))
    require(
        tuple(found.shape) == shape and bool(torch.isfinite(found).all()),
        f"Surrogate '{name}' makes features of shape {tuple(found.shape)} (or not finite), not {shape}: its network "
        "would read one tissue's numbers as another's.",
    )
    beyond = outside(found, surrogate.inputs).reshape(-1, len(surrogate.inputs)).any(0)
    for number, each in enumerate(surrogate.inputs):
        value = float(found[..., number].reshape(-1)[0])
        require(
            not beyond[number],
            f"Surrogate '{name}' reads {value:.4g} for its input '{each.name}', which ranges from {each.low:g} to "
            f"{each.high:g} {each.unit}, of a tissue that its contract calls valid: the unit is another, or the range.",
        )
    alone = torch.cat([surrogate.features(timeline, tissues[n : n + 1]) for n in range(count)])
    require(
        torch.allclose(alone, found, rtol=1e-12, atol=0),
        f"Surrogate '{name}' reads other numbers of a tissue in a batch than alone: maps would depend on which voxels "
        "are predicted together.",
    )
    _check_gradient(name, surrogate, timeline, tissues)


def _check_gradient(name: str, surrogate: Surrogate, timeline: Timeline, tissues: Tissue) -> None:
    t1 = tissues.water.t1.clone().requires_grad_()

    def total(values: Tensor) -> Tensor:
        return surrogate.features(timeline, _with_t1(tissues, values)).sum()

    if not total(t1.detach() * 1.01).sub(total(t1.detach())).abs() > 0:
        return
    try:
        (gradient,) = torch.autograd.grad(total(t1), [t1])
    except RuntimeError as error:
        raise Deviation(
            f"Surrogate '{name}' reads T1 of water without a gradient ({error}): whoever fits tissues through the "
            "network gets an error from torch, or zeros."
        ) from error
    step = 1e-6 * t1.detach()
    expected = float(total(t1.detach() + step) - total(t1.detach() - step)) / 2e-6
    found = float((gradient * t1.detach()).sum())
    require(
        abs(found - expected) <= 1e-4 * abs(expected),
        f"Surrogate '{name}' gives {found:.6g} as the derivative of its features along T1, where differences give "
        f"{expected:.6g}: a fit through the network would walk the wrong way.",
    )


def check_flags(name: str, surrogate: Surrogate, timeline: Timeline, tissues: Tissue) -> None:
    """Raise `Deviation` where a tissue far out of range looks like one within, and nobody is told."""
    far = _with_t1(tissues, tissues.water.t1 * FAR)
    try:
        surrogate_features = surrogate.features(timeline, far)
    except SpinloomError:
        return
    unmoved = torch.equal(surrogate_features, surrogate.features(timeline, tissues))
    require(
        unmoved or bool(outside(surrogate_features, surrogate.inputs).any()),
        f"Surrogate '{name}' takes a tissue of T1 {float(far.water.t1[0]):.0f} s for one within its range: users would "
        "get a guess without the flag that says so. Give features as they are; the host scales, checks and flags.",
    )


def check_lacking(name: str, surrogate: Surrogate, timeline: Timeline, tissues: Tissue) -> None:
    """Raise `Deviation` where a sequence or a tissue that lacks a part is met by a traceback."""
    robbed: list[tuple[str, Timeline, Tissue, bool]] = []
    for part in sorted(timeline_parts(timeline)):
        needed = part in surrogate.requirements.timeline
        robbed.append((f"a sequence without {part}", without(timeline, part), tissues, needed))
    for kind in ("exchanging", "semisolid"):
        if getattr(tissues, kind):
            bare = replace(tissues, exchange=(), **{kind: ()})  # type: ignore[arg-type]
            robbed.append((f"a tissue without {kind} pools", timeline, bare, kind in surrogate.requirements.pools))
    for what, sequence, tissue, needed in robbed:
        try:
            surrogate.requirements.check(name, sequence, tissue)
            require(
                not needed, f"Surrogate '{name}' declares that it needs more than {what}, and takes it all the same."
            )
            surrogate.features(sequence, tissue)
        except SpinloomError:
            continue
        except Deviation:
            raise
        except Exception as error:
            raise Deviation(
                f"Surrogate '{name}' meets {what} with {type(error).__name__}: {error}. A user would see a traceback "
                "instead of a sentence; declare it in `requirements`, or raise `spinloom.RequirementError`."
            ) from error


def _with_t1(tissues: Tissue, values: Tensor) -> Tissue:
    return replace(tissues, water=replace(tissues.water, t1=values))
