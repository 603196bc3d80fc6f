"""A trained surrogate as a folder: `weights.safetensors` and `surrogate.json`, which says all else.

Reading one executes nothing that the folder holds: the network is built by the plugin that the record names, and
weights are taken only where their hash, names and shapes are those that were written.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as tensors_bytes
from torch import Tensor

from spinloom.errors import SpinloomError, known_names
from spinloom.interfaces import Input, Surrogate
from spinloom.learning.trained_surrogate import TrainedSurrogate
from spinloom.registry import plugins
from spinloom.tracking import TrackingSettings, current_settings, fetch_model, is_reference, registered_models
from spinloom.whole_folder import whole_folder

FORMAT = "spinloom-surrogate-1"

WEIGHTS, RECORD = "weights.safetensors", "surrogate.json"

_SEAL = "sha256_record"
_INTERFACE = ("replaces", "quantity")


class ArtefactError(SpinloomError):
    """A folder that holds no trained surrogate, or one that is not what was written."""


def save_surrogate(
    folder: Path,
    surrogate: Surrogate,
    name: str,
    architecture: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    facts: Mapping[str, Any],
) -> None:
    """Write a trained surrogate to `folder`, whole or not at all.

    name, architecture: by which its plugin builds it
    facts: how it came about, plain containers: versions, sequences, training, metrics
    """
    content = tensors_bytes({key: value.detach().cpu().contiguous() for key, value in weights.items()})
    record = {
        "format": FORMAT,
        "surrogate": name,
        "plugin": plugins().surrogates().get(name),
        "architecture": dict(architecture),
        "replaces": surrogate.replaces,
        "quantity": surrogate.quantity,
        "inputs": [asdict(entry) for entry in surrogate.inputs],
        "sha256_weights": hashlib.sha256(content).hexdigest(),
        **facts,
    }
    record = json.loads(json.dumps(record, default=str))
    with whole_folder(folder) as draft:
        (draft / WEIGHTS).write_bytes(content)
        (draft / RECORD).write_text(json.dumps({**record, _SEAL: _seal(record)}, indent=2), encoding="utf-8")


def load_surrogate(model: str | Path, device: torch.device | str = "cpu", store: str | None = None) -> TrainedSurrogate:
    """The trained surrogate that `model` names.

    model: its folder, or the run folder that holds it as `model`; or of a tracking store `runs:/ID`, `models:/NAME`
        (the latest version), `models:/NAME/VERSION`, `models:/NAME@ALIAS`, or the whole id of a run
    store: URI of the tracking store; that of the task at work without one, or the local one

    Raises `ArtefactError` where a file is missing, foreign or altered, or where weights do not fit the network,
    `TrackingError` where the store does not have it, and `PluginError` where its plugin is not installed.
    """
    settings = TrackingSettings(uri=store) if store is not None else current_settings()
    if not is_reference(str(model)):
        return _load(_folder(Path(model), settings), device)
    with tempfile.TemporaryDirectory(prefix="spinloom-") as into:
        folder = fetch_model(str(model), settings, Path(into))
        try:
            return _load(_folder(folder, settings), device)
        except ArtefactError as error:
            raise ArtefactError(str(error).replace(str(folder), str(model))) from error


def _load(folder: Path, device: torch.device | str) -> TrainedSurrogate:
    record = _read_record(folder)
    surrogate = _built(folder, record)
    network = _network(folder, record, surrogate)
    inputs = tuple(Input(**entry) for entry in record["inputs"])
    return TrainedSurrogate(
        record["surrogate"], surrogate, network.to(device).eval().requires_grad_(False), inputs, record
    )


def _folder(path: Path, settings: TrackingSettings) -> Path:
    """Where the artefact lies; `ArtefactError` unless it holds exactly its two files."""
    folder = path / "model" if not (path / RECORD).is_file() and (path / "model").is_dir() else path
    if not folder.is_dir():
        registered = registered_models(settings)
        known = f" Registered are models. {known_names(path.name, registered)}" if registered else ""
        raise ArtefactError(
            f"There is no trained surrogate at {path}; give the output folder of `spinloom train`, runs:/ID of its "
            f"run, or models:/NAME of a registered one.{known}"
        )
    found = {entry.name for entry in folder.iterdir()}
    for name in (RECORD, WEIGHTS):
        if name not in found:
            raise ArtefactError(f"{folder} holds no trained surrogate that is whole: it lacks {name}.")
    if foreign := sorted(found - {RECORD, WEIGHTS}):
        raise ArtefactError(
            f"{folder} holds {', '.join(foreign)} beside {WEIGHTS} and {RECORD}; a trained surrogate is these two "
            "files and nothing else. Take the rest away."
        )
    return folder


def _read_record(folder: Path) -> dict[str, Any]:
    """The content of `surrogate.json`, its seal checked."""
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ArtefactError(f"{path} cannot be read: {error}.") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        found = record.get("format") if isinstance(record, dict) else None
        raise ArtefactError(f"{path} is of format {found!r}; this version reads '{FORMAT}'.")
    if record.pop(_SEAL, None) != _seal(record):
        raise ArtefactError(f"{path} was altered since it was written: its hash does not match. Take the original.")
    return record


def _built(folder: Path, record: Mapping[str, Any]) -> Surrogate:
    """The surrogate of the plugin, which must still be what was trained."""
    surrogate = plugins().surrogate(record["surrogate"])(record["architecture"])
    trained = {**{key: record[key] for key in _INTERFACE}, "inputs": [(i["name"], i["unit"]) for i in record["inputs"]]}
    present = {
        **{key: getattr(surrogate, key) for key in _INTERFACE},
        "inputs": [(i.name, i.unit) for i in surrogate.inputs],
    }
    for key, value in trained.items():
        if value != present[key]:
            raise ArtefactError(
                f"{folder} was trained for another version of surrogate '{record['surrogate']}': its {key} was {value} "
                f"and is {present[key]} now. Install the version of its plugin, or train anew."
            )
    return surrogate


def _network(folder: Path, record: Mapping[str, Any], surrogate: Surrogate) -> torch.nn.Module:
    """The network with the weights of the folder."""
    content = (folder / WEIGHTS).read_bytes()
    if hashlib.sha256(content).hexdigest() != record["sha256_weights"]:
        raise ArtefactError(f"{folder / WEIGHTS} was altered since it was written: its hash does not match {RECORD}.")
    try:
        weights = read_tensors(content)
    except SafetensorError as error:
        raise ArtefactError(f"{folder / WEIGHTS} cannot be read: {error}.") from error
    with torch.random.fork_rng(devices=[]):
        network = surrogate.network()
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    held = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    for name in sorted({*wanted, *held}):
        if wanted.get(name) != held.get(name):
            raise ArtefactError(
                f"The weights in {folder} do not fit the network of '{record['surrogate']}': '{name}' is "
                f"{_shape(held.get(name))}, and the network has {_shape(wanted.get(name))}."
            )
    network.load_state_dict(weights)
    return network


def _shape(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else f"of shape {shape}"


def _seal(record: Mapping[str, Any]) -> str:
    """Hash of the record, whatever the order of its keys and the layout of its file."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
