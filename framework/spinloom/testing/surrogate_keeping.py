"""Whether a surrogate survives being saved, loaded and used by another process."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from spinloom.errors import SpinloomError
from spinloom.interfaces import Surrogate
from spinloom.learning.artefact import load_surrogate, save_surrogate
from spinloom.learning.scaling import scaled
from spinloom.sequence.timeline import Timeline
from spinloom.testing.deviation import Deviation, require
from spinloom.testing.fresh_process import in_spawned_worker
from spinloom.tissue.pools import Tissue


def check_kept(
    name: str, surrogate: Surrogate, architecture: Mapping[str, Any], timeline: Timeline, tissues: Tissue
) -> None:
    """Raise `Deviation` where a saved network does not load, or says something else, here or in a spawned process."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        network = surrogate.network()
    given = scaled(surrogate.features(timeline, tissues), surrogate.inputs).to(torch.float32)
    with torch.no_grad():
        expected = surrogate.predict(network.eval(), given)
    with tempfile.TemporaryDirectory(prefix="spinloom-") as folder:
        path = Path(folder) / "model"
        facts = {"made_by": "a contract"}
        try:
            save_surrogate(path, surrogate, name, architecture, network.state_dict(), facts)
            here = load_surrogate(path).predict(timeline, tissues).signals
            there = in_spawned_worker(_predicted, path, timeline, tissues)
        except Deviation:
            raise
        except Exception as error:
            kind = "" if isinstance(error, SpinloomError) else f"{type(error).__name__}: "
            raise Deviation(
                f"Surrogate '{name}' cannot be saved and loaded: {kind}{error} A training of hours could not be used."
            ) from error
    for found, where in ((here, "loaded"), (torch.from_numpy(there), "loaded in a spawned process")):
        apart = float((found - expected).abs().max())
        require(
            apart < 1e-6,
            f"Surrogate '{name}' predicts another signal once it is saved and {where}, by {apart:.2g}: part of what it "
            "knows is not in its `state_dict`, and every published network would be wrong.",
        )


def _predicted(path: Path, timeline: Timeline, tissues: Tissue) -> Any:
    return load_surrogate(path).predict(timeline, tissues).signals.numpy()
