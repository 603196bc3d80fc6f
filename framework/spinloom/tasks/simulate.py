"""Simulate: play a sequence on a tissue by a simulator, all three by name, path or value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from spinloom.errors import ConfigurationError, known_names
from spinloom.interfaces import Numerics, Signal, Simulator
from spinloom.registry import plugins
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import read_sequence
from spinloom.tissue.files import read_tissue
from spinloom.tissue.pools import Tissue

_DEFAULTS = {"name": "cest", "dtype": "float64", "device": "cpu"}
_DTYPES = {"float32": torch.float32, "float64": torch.float64}


def simulate(
    *,
    sequence: str | Path | Timeline,
    tissue: str | Path | Tissue,
    simulator: str = "cest",
    dtype: str = "float64",
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Signal:
    """Signal of `tissue` under `sequence`.

    sequence, tissue: a shipped name, the path of a file, or what was read from one; a sequence may be a family with
        parameters, such as `fse(esp_ms=9)`
    simulator: name of an installed simulator
    dtype, device: `float64` or `float32`, and a torch device
    progress: called now and then with the tissues of a batch that are done and their number
    options: the simulator's numerics, as in its configuration

    Raises `RequirementError` where the sequence or the tissue lacks what the simulator needs.
    """
    timeline = sequence if isinstance(sequence, Timeline) else read_sequence(sequence)
    subject = tissue if isinstance(tissue, Tissue) else read_tissue(tissue)
    solver = build_simulator({"name": simulator, "dtype": dtype, "device": device, **options}, progress)
    solver.requirements.check(simulator, timeline, subject)
    return solver.simulate(timeline, subject)


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
