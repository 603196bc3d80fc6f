"""A trained surrogate by its folder, its run or its registered name: one network, whichever way it is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from spinloom import load_surrogate, read_sequence, read_tissue, tracking
from spinloom.cli import root
from spinloom.errors import ConfigurationError, SpinloomError
from spinloom.learning.artefact import ArtefactError
from spinloom.tracking import TrackingSettings, check_model_name, is_reference, register_model

SEQUENCE = "sequence=mrf_larginine_9p4t"
TISSUE = ["tissue=larginine_phantom_9p4t", "tissue.t1=uniform(2.5, 3.3)"]


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(root, list(arguments))
    assert result.exit_code in (0, 1), result.output
    return result


@pytest.fixture(scope="module")
def store(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A folder with a local store in it, and the runs of two trainings that were registered as `arginine`."""
    folder = tmp_path_factory.mktemp("work")
    ids = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        for seed in "01":
            by = ["simulator=surrogate", f"simulator.model={teacher}", SEQUENCE, *TISSUE, "samples=32", "chunk=16"]
            network = ["surrogate=dynamic_mlp", "surrogate.hidden=[8]", "training.accelerator=cpu", "training.epochs=1"]
            result = run("train", *network, *by, f"seed={seed}", "register=arginine", f"output=model_{seed}")
            assert f"Registered as models:/arginine/{int(seed) + 1}." in result.output
            ids.append(re.findall(r"run (\w{32})", result.output)[0])
    return folder, *ids


@pytest.fixture
def at_store(store: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str, str]:
    monkeypatch.chdir(store[0])
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return store


def signals(model: str) -> torch.Tensor:
    tissue = read_tissue("larginine_phantom_9p4t").flatten()
    return load_surrogate(model).predict(read_sequence("mrf_larginine_9p4t"), tissue).signals


def test_every_way_to_name_a_network_leads_to_the_same_weights(at_store: tuple[Path, str, str]) -> None:
    _, first, second = at_store
    register_model(TrackingSettings(), first, "other", alias="best")
    same = {
        "model_0": [f"runs:/{first}", f"runs:/{first}/model", first, "models:/arginine/1", "models:/other@best"],
        "model_1": [f"runs:/{second[:12]}", "models:/arginine", "models:/arginine/latest", "models:/arginine/2"],
    }
    for folder, references in same.items():
        wanted = signals(folder)
        assert all(torch.equal(signals(reference), wanted) for reference in references)
    assert not torch.equal(signals("model_0"), signals("model_1"))


def test_a_later_alias_is_taken_from_the_version_before(at_store: tuple[Path, str, str]) -> None:
    _, first, second = at_store
    for training in (first, second):
        assert run("runs", "register", training[:10], "moving", "--alias", "best").exit_code == 0
        assert load_surrogate("models:/moving@best").record["run_id"] == training


def test_the_store_may_be_named_or_be_that_of_the_environment(
    at_store: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"sqlite:///{at_store[0] / 'mlruns' / 'spinloom.db'}"
    monkeypatch.chdir(tmp_path)
    assert load_surrogate("models:/arginine/1", store=uri).record["run_id"] == at_store[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert load_surrogate("models:/arginine/1").record["run_id"] == at_store[1]
    assert list(tmp_path.iterdir()) == []


def test_commands_take_a_reference_of_the_store_that_they_track_in(
    at_store: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"tracking.uri=sqlite:///{at_store[0] / 'mlruns' / 'spinloom.db'}"
    monkeypatch.chdir(tmp_path)
    asked = [SEQUENCE, *TISSUE, "samples=4", "tracking=off", uri]
    by = ["simulator=surrogate", "simulator.model=models:/arginine/1"]
    for command in (
        ["evaluate", *by, "model=models:/arginine@nobody", "output=a"],
        ["evaluate", *by, f"model=runs:/{at_store[1]}", "output=b"],
        ["predict", "model=models:/arginine", "output=c"],
        ["simulate", *by, "output=d"],
    ):
        result = run(*command, *asked)
        assert result.exit_code == ("nobody" in str(command)), result.output
        assert ("has no alias 'nobody'" in result.stderr) == ("nobody" in str(command))
    assert "NRMSE 0 %" in run("evaluate", *by, f"model=runs:/{at_store[1]}", "output=e", *asked).output


WRONG = {
    "a name that is not registered": ("models:/argnine", "no registered model 'argnine'. Did you mean 'arginine'?"),
    "a version that there is not": ("models:/arginine/9", "'arginine' has no version 9; it has 1, 2"),
    "a run that there is not": ("runs:/ffff", "no run whose id begins with 'ffff'"),
    "a folder that the run lacks": ("runs:/FIRST/weights", "has no folder 'weights' among its files"),
    "a stage": ("models:/arginine/Production", "names no model; write runs:/ID, models:/NAME"),
    "a name as a folder": ("argnine", "There is no trained surrogate at argnine; .* Did you mean 'arginine'?"),
}


@pytest.mark.parametrize(("reference", "words"), WRONG.values(), ids=WRONG.keys())
def test_a_network_that_does_not_exist_gets_a_sentence_with_the_nearest(
    reference: str, words: str, at_store: tuple[Path, str, str]
) -> None:
    with pytest.raises(SpinloomError, match=words.replace("?", r"\?").replace(".*", ".*")):
        load_surrogate(reference.replace("FIRST", at_store[1]))


def test_what_a_store_holds_is_checked_as_a_folder_is(save_small: Callable[..., Path], tmp_path: Path) -> None:
    """A pickle that was logged beside the weights is refused, and never opened."""
    settings = TrackingSettings(uri=f"sqlite:///{tmp_path / 'runs.db'}")
    folder = save_small(tmp_path / "logged" / "model")
    (folder / "model.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with tracking.run(settings, task="train", name="altered") as altered:
        pass
    from spinloom.tracking.store import Store

    assert altered.run_id is not None
    Store(settings).log_folder(altered.run_id, folder.parent)
    reference = register_model(settings, altered.run_id, "altered")
    with pytest.raises(ArtefactError, match=r"models:/altered/1 holds model\.pkl beside weights\.safetensors"):
        load_surrogate(reference, store=settings.store_uri)


def test_nothing_is_registered_without_a_store_or_under_no_name(teacher: Path, here: Path) -> None:
    asked = ["surrogate=dynamic_mlp", "simulator=surrogate", f"simulator.model={teacher}", SEQUENCE, *TISSUE]
    asked += ["samples=8", "output=out"]
    assert "register=apt needs a tracking store" in run("train", *asked, "tracking=off", "register=apt").stderr
    assert "'a/b' cannot be the name" in run("train", *asked, "register=a/b").stderr
    assert list(here.iterdir()) == []
    for name in ("", " ", "..", "a:b", "a@b", "a/b"):
        with pytest.raises(ConfigurationError, match="cannot be the name of a registered model"):
            check_model_name(name)
    check_model_name("apt brain-3.t")


def test_paths_are_no_references(here: Path) -> None:
    (here / ("a" * 32)).mkdir()
    assert not any(map(is_reference, ("models/apt", "./runs", "apt", "a" * 32, "C:/models", "abc123")))
    assert all(map(is_reference, ("models:/apt", "runs:/1f", "runs:1f", "b" * 32)))
