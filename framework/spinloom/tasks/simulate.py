"""Simulate: play a sequence on a tissue or a phantom by a simulator, all by name, path or value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from spinloom.errors import ConfigurationError, known_names
from spinloom.interfaces import Checker, Numerics, Simulator, Subject
from spinloom.registry import plugins
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import read_sequence
from spinloom.tissue.files import read_tissue
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.door import build_phantom
from spinloom.tissue.pools import Tissue

_DEFAULTS = {"name": "cest", "dtype": "float64", "device": "cpu"}
_DTYPES = {"float32": torch.float32, "float64": torch.float64}


def simulate(
    *,
    sequence: str | Path | Timeline,
    tissue: str | Path | Tissue | None = None,
    phantom: str | Path | Phantom | None = None,
    simulator: str | None = None,
    dtype: str | None = None,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Any:
    """What `sequence` measures: the `Signal` of a `tissue`, or the `KSpace` of a `phantom`.

    sequence, tissue, phantom: a name, the path of a file, or what was read from one; a sequence may be a family with
        parameters, such as `fse(esp_ms=9)`
    simulator: name of an installed simulator; without it `cest` for a tissue and `bloch` for a phantom
    dtype, device: `float64` or `float32`, and a torch device; without a dtype `float64` for a tissue, and `float32` for
        a phantom
    progress: called now and then with the tissues or isochromats that are done and their number
    options: the simulator's numerics, as in its configuration

    Raises `RequirementError` where the sequence or the subject lacks what the simulator needs.
    """
    if (tissue is None) == (phantom is None):
        raise ConfigurationError("simulate takes a tissue or a phantom; give one of the two.")
    name = simulator or ("bloch" if tissue is None else "cest")
    number = dtype or ("float32" if tissue is None else "float64")
    timeline = sequence if isinstance(sequence, Timeline) else read_sequence(sequence)
    subject: Subject
    if tissue is not None:
        subject = tissue if isinstance(tissue, Tissue) else read_tissue(tissue)
    else:
        subject = phantom if isinstance(phantom, Phantom) else build_phantom({"name": str(phantom)})
    solver = build_simulator({"name": name, "dtype": number, "device": device, **options}, progress)
    check_fit(solver, name, timeline, subject)
    return solver.simulate(timeline, subject)


def check_fit(simulator: Simulator, name: str, timeline: Timeline, subject: Subject) -> None:
    """Raise `RequirementError` where sequence or subject lack what the simulator `name` needs, before any work."""
    simulator.requirements.check(name, timeline, subject)
    if isinstance(simulator, Checker):
        simulator.check(timeline, subject)


def build_simulator(settings: Mapping[str, Any], progress: Callable[[int, int], None] | None = None) -> Simulator:
    """The simulator that a configuration group `simulator` describes: its `name`, `dtype`, `device` and options."""
    options = dict(settings)
    name, dtype, device = (str(options.pop(key, default)) for key, default in _DEFAULTS.items())
    if dtype not in _DTYPES:
        raise ConfigurationError(f"simulator.dtype is '{dtype}'. {known_names(dtype, _DTYPES)}")
    numerics = Numerics(_DTYPES[dtype], _usable_device(device), options, progress)
    simulator: Simulator = plugins().simulator(name)(numerics)
    return simulator


def _usable_device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(
            f"simulator.device is '{name}', which torch cannot use here ({reason}); simulator.device=cpu always works."
        ) from error
    return device
