"""A network in a simulator's place: its signal has the form of a simulator's, and inputs out of range are flagged."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from spinloom import Tissue, load_surrogate, read_sequence, read_signal, simulate
from spinloom.cli import root
from spinloom.errors import ConfigurationError, RequirementError
from spinloom.tissue.batches import plan_batch
from spinloom.tissue.files import load_mapping, tissue_path
from spinloom.tissue.phantoms.door import build_phantom

SEQUENCE = "mrf_larginine_9p4t"


def tissues(t1: str | list[float], samples: int | None = 4) -> Tissue:
    mapping = load_mapping(tissue_path("larginine_phantom_9p4t"))
    mapping["water_pool"]["t1"] = t1
    return plan_batch(mapping, "arginine", samples).build(0).tissue


INSIDE = tissues("uniform(2.5, 3.3)")


def test_the_signal_has_the_form_of_the_exact_simulators(teacher: Path) -> None:
    exact = simulate(sequence=SEQUENCE, tissue=INSIDE[:1])
    found = simulate(sequence=SEQUENCE, tissue=INSIDE, simulator="surrogate", model=teacher)
    first = exact.first_samples()
    assert found.mz.shape == found.mxy.shape == (4, exact.measurements)
    torch.testing.assert_close(torch.from_numpy(found.time), torch.from_numpy(exact.time[first]))
    torch.testing.assert_close(torch.from_numpy(found.offset_ppm), torch.from_numpy(exact.offset_ppm), equal_nan=True)
    assert found.mxy.dtype == torch.complex128


def test_what_is_not_predicted_is_zero_and_said(teacher: Path) -> None:
    found = simulate(sequence=SEQUENCE, tissue=INSIDE, simulator="surrogate", model=teacher)
    prediction = load_surrogate(teacher).predict(read_sequence(SEQUENCE), INSIDE)
    torch.testing.assert_close(found.mxy.abs(), prediction.signals.detach().double())
    assert bool((found.mz == 0).all())
    assert "Mz was not predicted and is 0" in found.notes[0]
    assert load_surrogate(teacher).record["sha256_weights"][:12] in found.notes[0]


def test_a_single_tissue_and_any_batch_shape_are_played(teacher: Path) -> None:
    both = INSIDE.map(lambda values: values.reshape(2, 2))
    found = simulate(sequence=SEQUENCE, tissue=both, simulator="surrogate", model=teacher)
    flat = simulate(sequence=SEQUENCE, tissue=INSIDE, simulator="surrogate", model=teacher)
    assert found.mxy.shape == (2, 2, 30)
    assert torch.equal(found.mxy.reshape(4, 30), flat.mxy)
    one = simulate(sequence=SEQUENCE, tissue="larginine_phantom_9p4t", simulator="surrogate", model=teacher)
    assert one.mxy.shape == (30,)


def test_single_precision_is_handed_on_where_it_is_asked_for(teacher: Path) -> None:
    found = simulate(sequence=SEQUENCE, tissue=INSIDE, simulator="surrogate", model=teacher, dtype="float32")
    assert found.mz.dtype == torch.float32
    assert found.mxy.dtype == torch.complex64


def test_gradients_reach_the_tissue(teacher: Path) -> None:
    t1 = INSIDE.water.t1.clone().requires_grad_()
    tissue = INSIDE.map(lambda values: t1 if values is INSIDE.water.t1 else values)
    simulate(sequence=SEQUENCE, tissue=tissue, simulator="surrogate", model=teacher).mxy.real.sum().backward()
    assert t1.grad is not None
    assert bool((t1.grad != 0).all())


def test_inputs_outside_the_valid_range_are_flagged_with_how_many_and_which(
    teacher: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tissue = tissues([3.0, 3.6, 4.5], None)
    found = simulate(sequence=SEQUENCE, tissue=tissue, simulator="surrogate", model=teacher)
    said = "water T1 is outside the network's valid range in 2 of 3 tissues: 4.5, valid 1.3 to 3.4 s."
    assert said in found.notes
    assert said in caplog.messages
    mask = load_surrogate(teacher).predict(read_sequence(SEQUENCE), tissue).outside
    assert mask.sum(1).tolist() == [0, 1, 1]


def test_strict_refuses_what_is_outside_and_plays_what_is_inside(teacher: Path) -> None:
    with pytest.raises(RequirementError, match=r"water T1 .* 4.5, valid 1.3 to 3.4 s"):
        outside = tissues([3.0, 4.5], None)
        simulate(sequence=SEQUENCE, tissue=outside, simulator="surrogate", model=teacher, strict=True)
    inside = simulate(sequence=SEQUENCE, tissue=INSIDE, simulator="surrogate", model=teacher, strict=True)
    assert len(inside.notes) == 1


def test_what_the_network_cannot_stand_in_for_is_refused_before_any_work(teacher: Path) -> None:
    with pytest.raises(RequirementError, match="takes a tissue, but 'shapes' is a phantom"):
        simulate(sequence=SEQUENCE, phantom=build_phantom({"name": "shapes"}), simulator="surrogate", model=teacher)


def test_the_model_and_strict_are_checked(teacher: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"simulator\.model is not given"):
        simulate(sequence=SEQUENCE, tissue=INSIDE, simulator="surrogate")
    with pytest.raises(ConfigurationError, match=r"simulator\.strict is 'yes'"):
        simulate(sequence=SEQUENCE, tissue=INSIDE, simulator="surrogate", model=teacher, strict="yes")


def predict(*arguments: str) -> Result:
    fixed = [f"sequence={SEQUENCE}", "tissue=larginine_phantom_9p4t", "tracking=off", "output=out"]
    return CliRunner().invoke(root, ["predict", *fixed, *arguments])


def test_the_command_leaves_the_folder_of_a_simulation(teacher: Path, here: Path) -> None:
    result = predict(f"model={teacher}", "tissue.t1=[2.5, 3.3]")
    assert result.exit_code == 0, result.output
    expected = simulate(sequence=SEQUENCE, tissue=tissues([2.5, 3.3], None), simulator="surrogate", model=teacher)
    assert torch.equal(read_signal(here / "out").mxy, expected.mxy.detach())
    assert (here / "out" / "report.html").is_file()


def test_the_command_refuses_in_a_sentence_and_writes_nothing(teacher: Path, here: Path) -> None:
    for arguments, words in (
        (["model=no/model"], "There is no trained surrogate at no/model"),
        ([f"model={teacher}", "strict=true", "tissue.t1=9"], "water T1 is outside"),
    ):
        result = predict(*arguments)
        assert result.exit_code == 1
        assert words in result.stderr
    assert list(here.iterdir()) == []
