"""What must not matter to a simulator: precision, device, and what else is simulated beside."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from spinloom.interfaces import Signal
from spinloom.testing.deviation import require
from spinloom.testing.experiments import Experiment, Result, measured
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.pools import Tissue

NEIGHBOURS = 1e-6
"""How much the other members of a batch may change one [M0]: they choose how finely pulses are sampled."""


def distance(found: Tensor, expected: Tensor) -> float:
    """Largest difference, relative to the largest magnitude of what is expected; `Deviation` for another shape."""
    require(
        found.shape == expected.shape,
        f"A simulator returned numbers of shape {tuple(found.shape)} where {tuple(expected.shape)} is due: voxels "
        "would be taken for samples.",
    )
    expected = expected.detach().cpu().to(torch.complex128)
    size = float(expected.abs().max()) if expected.numel() else 0.0
    difference = (found.detach().cpu().to(torch.complex128) - expected).abs()
    return float(difference.max()) / (size or 1.0) if difference.numel() else 0.0


def check_dtypes(experiment: Experiment, reference: Result, tolerance: float) -> None:
    """float32 and float64 are what they were asked to be, and say the same."""
    name = experiment.simulator
    single = experiment.play("float32")
    for result, wanted in ((single, torch.complex64), (reference, torch.complex128)):
        kind = measured(result).dtype
        require(
            kind == wanted,
            f"Simulator '{name}' was asked for {_real(wanted)} and computed in {_real(kind)}: memory and speed, or "
            "precision, are not what the user chose.",
        )
    apart = distance(measured(single), measured(reference))
    require(
        apart < tolerance,
        f"Simulator '{name}' differs by {apart:.2g} between float32 and float64: one of the two is wrong, and no user "
        "could tell which.",
    )


def check_devices(experiment: Experiment, reference: Result, tolerance: float) -> None:
    """The CPU, and the GPU where there is one."""
    for device in ("cpu", "cuda")[: 1 + torch.cuda.is_available()]:
        result = reference if device == "cpu" else experiment.play(device=device)
        found = measured(result)
        require(
            found.device.type == device,
            f"Simulator '{experiment.simulator}' was asked for {device} and answers on {found.device}: a run on a GPU "
            "would spend its time in copies, or run out of memory.",
        )
        require(
            distance(found, measured(reference)) < tolerance,
            f"Simulator '{experiment.simulator}' says something else on {device} than on the CPU: results would depend "
            "on the machine.",
        )


def check_batch(experiment: Experiment, reference: Result) -> None:
    """Each tissue alone, and the batch with another shape, is what the batch says."""
    subject = experiment.subject
    assert isinstance(subject, Tissue)
    flat, together = subject.flatten(), measured(reference)
    together = together.reshape(-1, together.shape[-1])
    for number in range(min(3, together.shape[0])):
        alone = measured(experiment.on(flat[number : number + 1]).play())
        apart = distance(alone[0], together[number])
        require(
            apart < NEIGHBOURS,
            f"Simulator '{experiment.simulator}' gives tissue {number + 1} of a batch another signal than alone, by "
            f"{apart:.2g}: maps would depend on which voxels are simulated together.",
        )
    grid = experiment.on(flat.map(lambda values: values[None])).play()
    assert isinstance(grid, Signal)
    require(
        tuple(grid.mz.shape) == (1, *together.shape[:1], grid.time.size),
        f"Simulator '{experiment.simulator}' turns a batch of shape (1, {together.shape[0]}) into mz of shape "
        f"{tuple(grid.mz.shape)}: maps of several axes would not come back as maps.",
    )


def check_coils(experiment: Experiment, reference: Result) -> None:
    """Two coils that receive as one does, and with half its size, see what it sees."""
    subject = experiment.subject
    assert isinstance(subject, Phantom)
    one = torch.ones(subject.shape, dtype=subject.m0.dtype.to_complex())
    coils = one[None] if subject.coils is None else subject.coils[:1]
    both = measured(experiment.on(replace(subject, coils=torch.cat([coils, 0.5j * coils]))).play())
    expected = measured(reference)[:1]
    apart = distance(both, torch.cat([expected, 0.5j * expected]))
    require(
        apart < NEIGHBOURS,
        f"Simulator '{experiment.simulator}' does not weigh its signal by each coil's sensitivity, by {apart:.2g}: "
        "parallel imaging and combination of coils would be wrong.",
    )


def _real(kind: torch.dtype) -> str:
    return str(kind.to_real() if kind.is_complex else kind).removeprefix("torch.")
