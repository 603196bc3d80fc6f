"""What the tests of learning share: networks with random weights, which make signals as quickly as anything can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from spinloom.learning.artefact import save_surrogate
from spinloom.registry import plugins

SMALL = {"hidden": [8], "activation": "silu", "unrolled": 0}
"""Architecture of a dynamic network that is small enough to train in a moment."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def save_small() -> Callable[..., Path]:
    """Writes a small dynamic network of random weights to a folder; keywords replace its parts."""

    def save(folder: Path, seed: int = 0, **changes: object) -> Path:
        surrogate = plugins().surrogate("dynamic_mlp")(SMALL)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            weights = surrogate.network().state_dict()
        parts = {
            "surrogate": surrogate,
            "name": "dynamic_mlp",
            "architecture": SMALL,
            "weights": weights,
            "facts": {"made_by": "a test"},
        }
        save_surrogate(folder, **{**parts, **changes})
        return folder

    return save


@pytest.fixture(scope="session")
def teacher(save_small: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that others learn from."""
    return save_small(tmp_path_factory.mktemp("teacher") / "model")
