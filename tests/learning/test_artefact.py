"""A trained surrogate on disk: the same network again, or a sentence that says what is wrong with the folder."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from spinloom import Input, read_sequence, read_tissue
from spinloom.errors import PluginError, SpinloomError
from spinloom.learning.artefact import RECORD, WEIGHTS, ArtefactError, load_surrogate
from spinloom.registry import plugins

SMALL = {"hidden": [8], "activation": "silu", "unrolled": 0}

Save = Callable[..., Path]


def altered(folder: Path, **changes: object) -> None:
    """Change the record without a new seal."""
    record = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps(record | changes))


def test_a_network_read_again_predicts_the_same(save_small: Save, tmp_path: Path) -> None:
    timeline = read_sequence("mrf_larginine_9p4t")
    tissue = read_tissue("larginine_phantom_9p4t").flatten()
    first, again = (load_surrogate(save_small(tmp_path / name)) for name in ("one", "two"))
    assert torch.equal(first.predict(timeline, tissue).signals, again.predict(timeline, tissue).signals)
    other = load_surrogate(save_small(tmp_path / "other", seed=1))
    assert not torch.equal(first.predict(timeline, tissue).signals, other.predict(timeline, tissue).signals)


def test_the_record_says_what_the_network_is(save_small: Save, tmp_path: Path) -> None:
    trained = load_surrogate(save_small(tmp_path / "model"))
    assert trained.record["plugin"] == "dynamic_mlp"
    assert trained.record["architecture"] == SMALL
    assert trained.record["made_by"] == "a test"
    assert trained.inputs == plugins().surrogate("dynamic_mlp").inputs
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [RECORD, WEIGHTS]


def test_reading_draws_no_random_number(save_small: Save, tmp_path: Path) -> None:
    before = torch.get_rng_state()
    load_surrogate(save_small(tmp_path / "model"))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_run_that_trained_it_leads_to_its_model(save_small: Save, tmp_path: Path) -> None:
    save_small(tmp_path / "run" / "model")
    assert load_surrogate(tmp_path / "run").name == "dynamic_mlp"


def test_ranges_are_those_of_the_training_whatever_the_plugin_says_now(save_small: Save, tmp_path: Path) -> None:
    surrogate = plugins().surrogate("dynamic_mlp")(SMALL)
    surrogate.inputs = tuple(Input(i.name, i.unit, i.low, 2 * i.high) for i in surrogate.inputs)
    trained = load_surrogate(save_small(tmp_path / "model", surrogate=surrogate))
    assert [entry.high for entry in trained.inputs] == [entry.high for entry in surrogate.inputs]


def _without_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def _without_record(folder: Path) -> None:
    (folder / RECORD).unlink()


def _foreign(folder: Path) -> None:
    (folder / "setup.py").write_text("raise SystemExit")


def _flipped_bit(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('executed')",)


def _pickle(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(pickle.dumps(_Bomb()))


def _cut_short(folder: Path) -> None:
    (folder / RECORD).write_text((folder / RECORD).read_text()[:100])


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "no weights": (_without_weights, "lacks weights.safetensors"),
    "no record": (_without_record, "lacks surrogate.json"),
    "a foreign file": (_foreign, "holds setup.py beside"),
    "a bit of the weights": (_flipped_bit, "weights.safetensors was altered"),
    "a pickle for weights": (_pickle, "weights.safetensors was altered"),
    "half a record": (_cut_short, "cannot be read"),
    "another range": (lambda folder: altered(folder, inputs=[]), "surrogate.json was altered"),
    "another format": (lambda folder: altered(folder, format="x"), "is of format 'x'"),
}


@pytest.mark.parametrize(("damage", "expected"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_folder_that_is_not_what_was_written_is_refused(
    damage: Callable[[Path], None], expected: str, save_small: Save, tmp_path: Path
) -> None:
    folder = save_small(tmp_path / "model")
    damage(folder)
    with pytest.raises(ArtefactError) as refusal:
        load_surrogate(folder)
    assert expected in str(refusal.value)
    assert str(folder) in str(refusal.value)


def test_weights_of_another_shape_are_refused_with_both_shapes(save_small: Save, tmp_path: Path) -> None:
    wide = plugins().surrogate("dynamic_mlp")({**SMALL, "hidden": [9]}).network().state_dict()
    with pytest.raises(ArtefactError, match=r"is of shape \(9.*\), and the network has of shape \(8"):
        load_surrogate(save_small(tmp_path / "model", weights=wide))


def test_a_surrogate_that_no_plugin_has_is_refused_with_the_nearest(save_small: Save, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"Surrogate 'dynamic_mpl' is unknown\. Did you mean 'dynamic_mlp'\?"):
        load_surrogate(save_small(tmp_path / "model", name="dynamic_mpl"))


def test_a_network_for_other_inputs_is_refused(save_small: Save, tmp_path: Path) -> None:
    surrogate = plugins().surrogate("dynamic_mlp")(SMALL)
    surrogate.inputs = surrogate.inputs[:-1]
    with pytest.raises(ArtefactError, match="another version of surrogate 'dynamic_mlp': its inputs"):
        load_surrogate(save_small(tmp_path / "model", surrogate=surrogate))


def test_a_path_without_anything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpinloomError, match="There is no trained surrogate at"):
        load_surrogate(tmp_path / "nothing")
