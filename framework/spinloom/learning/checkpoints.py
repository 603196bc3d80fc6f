"""Checkpoints: all that a training needs to go on as if it had never stopped, in one file that is always whole.

A checkpoint holds the network, the optimiser, the schedule, where the training is, its best weights and history, and
the state of every random generator.  Reading one executes nothing.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinloom.errors import OutputError
from spinloom.whole_file import write_whole

CHECKPOINT = "checkpoint.pt"

_FULL = (
    "The last checkpoint is whole; free some space and give the same command again, and training goes on from there."
)


def write_checkpoint(folder: Path, identity: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Put a checkpoint into `folder`, which is made where it is missing, in place of the one before.

    identity: what makes this training, plain containers; a training of another identity does not go on from it
    state: tensors, numbers, text and containers of these

    Raises `OutputError` where there is no space; the checkpoint before is left as it was.
    """
    buffer = io.BytesIO()
    torch.save({"identity": _text(identity), "state": dict(state), "random": random_states()}, buffer)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Checkpoints cannot be written to {folder}: {error.strerror}. Name another output."
        ) from error
    write_whole(folder / CHECKPOINT, buffer.getvalue(), _FULL)


def read_checkpoint(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any] | None:
    """The state of the checkpoint in `folder`, its random states restored; None where there is none.

    Raises `OutputError` where it cannot be read or is of another training, which it then says.
    """
    path = folder / CHECKPOINT
    for draft in folder.glob(f".{CHECKPOINT}-*"):
        draft.unlink()
    if not path.is_file():
        return None
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        before: dict[str, Any] = json.loads(found["identity"])
        state: dict[str, Any] = found["state"]
        random_before = found["random"]
    except Exception as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise OutputError(f"The checkpoint {path} cannot be read ({reason}); delete {folder} to train anew.") from error
    _refuse_foreign(folder, before, json.loads(_text(identity)))
    restore_random_states(random_before)
    return state


def random_states() -> dict[str, Any]:
    """The state of every random generator of this process."""
    legacy: Any = np.random.get_state()
    kind, keys, *rest = legacy
    return {
        "python": json.dumps(random.getstate()),
        "numpy": [kind, keys.tolist(), *rest],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_states(states: Mapping[str, Any]) -> None:
    """Put every random generator into the state that `random_states` gave."""
    version, numbers, gauss = json.loads(states["python"])
    random.setstate((version, tuple(numbers), gauss))
    kind, keys, *rest = states["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), *rest))
    torch.set_rng_state(states["torch"])
    if torch.cuda.is_available() and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])


def _text(identity: Mapping[str, Any]) -> str:
    return json.dumps(identity, sort_keys=True, default=str)


def _refuse_foreign(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for key in sorted({*before, *now}):
        if before.get(key) != now.get(key):
            raise OutputError(
                f"{folder} holds a training that was begun with other values: its {key} was {before.get(key)} and is "
                f"{now.get(key)} now. Name another output, or delete that folder."
            )
