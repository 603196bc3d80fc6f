"""Whether a simulator says the same again: with the same seed, and in a process of its own."""

from __future__ import annotations

from typing import Any

import torch

from spinloom.testing.deviation import Deviation, require
from spinloom.testing.experiments import Experiment, Result, measured
from spinloom.testing.fresh_process import in_spawned_worker, seed_everything


def check_seed(experiment: Experiment) -> None:
    """Raise `Deviation` where two runs with one seed differ in a bit."""
    found = []
    for _ in range(2):
        seed_everything(3)
        found.append(measured(experiment.play()))
    require(
        torch.equal(*found),
        f"Simulator '{experiment.simulator}' gives other numbers in a second run with the same seed: `spinloom "
        "reproduce` would fail for everyone. Draw random numbers by torch's generator alone.",
    )


def check_spawned(experiment: Experiment, reference: Result) -> None:
    """Raise `Deviation` where a spawned process does not give what this one does."""
    try:
        found = in_spawned_worker(_numbers, experiment)
    except Exception as error:
        raise Deviation(
            f"Simulator '{experiment.simulator}' fails in a spawned process with {type(error).__name__}: {error}. "
            "Sweeps with several jobs would all fail; keep nothing in the process that imported the plugin."
        ) from error
    difference = abs(measured(reference).detach().cpu().numpy() - found).max(initial=0.0)
    require(
        difference < 1e-9,
        f"Simulator '{experiment.simulator}' gives another signal in a spawned process, by {difference:.2g}: a sweep "
        "would differ from its single runs.",
    )


def _numbers(experiment: Experiment) -> Any:
    seed_everything(0)
    return measured(experiment.play()).detach().cpu().numpy()
