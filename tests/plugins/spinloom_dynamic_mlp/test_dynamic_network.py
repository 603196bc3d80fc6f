"""The dynamic network: as many parameters as published, steps that follow from the one before, inputs as asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from spinloom import ConfigurationError, RequirementError, read_sequence, read_tissue, simulate
from spinloom.learning.scaling import scaled
from spinloom.registry import plugins

Network = plugins().surrogate("dynamic_mlp")

PUBLISHED = {"activation": "sigmoid"}
OURS = {"activation": "silu", "spread": 2.0, "logarithmic": ["exchange rate"], "ranges": {"field": [7.0, 9.4]}}


@pytest.mark.parametrize("architecture", [PUBLISHED, OURS], ids=["published", "ours"])
def test_the_network_has_the_published_number_of_parameters(architecture: dict) -> None:
    network = Network(architecture).network()
    assert sum(weights.numel() for weights in network.parameters()) == 69_889
    assert sum(weights.numel() for weights in network.state_dict().values()) == 69_889


@pytest.mark.parametrize("unrolled", [0, 4])
def test_the_loss_is_zero_where_targets_are_what_the_network_gives_running_free(unrolled: int) -> None:
    surrogate = Network({**OURS, "unrolled": unrolled})
    network = surrogate.network()
    steps = torch.rand(5, 9, len(surrogate.inputs))
    # forced and free multiply in batches of other sizes, so that single precision rounds otherwise
    with torch.no_grad():
        found = surrogate.loss(network, steps, surrogate.predict(network, steps))
    assert float(found) < 1e-12


def test_a_prediction_does_not_depend_on_steps_to_come() -> None:
    surrogate = Network(OURS)
    network, steps = surrogate.network(), torch.rand(3, 8, len(surrogate.inputs))
    shorter = surrogate.predict(network, steps[:, :5])
    torch.testing.assert_close(surrogate.predict(network, steps)[:, :5], shorter, atol=0, rtol=0)


def test_ends_of_the_ranges_reach_the_layers_as_the_spread() -> None:
    surrogate = Network(OURS)
    ends = [[each.low for each in surrogate.inputs], [each.high for each in surrogate.inputs]]
    reached = surrogate.network()[0](scaled(torch.tensor(ends, dtype=torch.float64), surrogate.inputs))
    torch.testing.assert_close(reached[0], torch.full_like(reached[0], -2.0), atol=1e-12, rtol=0)
    torch.testing.assert_close(reached[1], torch.full_like(reached[1], 2.0), atol=1e-12, rtol=0)


def test_a_range_of_its_own_replaces_the_published_one_and_no_other() -> None:
    before, after = Network({}).inputs, Network(OURS).inputs
    pairs = zip(after, before, strict=True)
    changed = [each.name for each, was in pairs if (each.low, each.high) != (was.low, was.high)]
    assert changed == ["field"]
    assert [each.name for each in after if each.logarithmic] == ["exchange rate"]


WRONG = {
    "an unknown input": ({"ranges": {"B0": [3, 7]}}, "no input 'B0'"),
    "an unknown logarithm": ({"logarithmic": ["k"]}, "no input 'k'"),
    "a falling range": ({"ranges": {"field": [7, 3]}}, "a range rises"),
    "the logarithm of zero": ({"logarithmic": ["B1"]}, "begins above 0"),
    "a negative spread": ({"spread": -1}, "spread"),
}


@pytest.mark.parametrize(("architecture", "words"), WRONG.values(), ids=WRONG.keys())
def test_an_architecture_that_cannot_be_gets_a_sentence(architecture: dict, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Network(architecture)


def test_targets_are_what_the_inputs_of_the_next_step_are() -> None:
    """The signal before is the target before: together they are the exact trajectory, which starts at 1."""
    surrogate = Network(PUBLISHED)
    timeline = read_sequence("cest_fingerprint(points=4)")
    signal = simulate(sequence="cest_fingerprint(points=4)", tissue="larginine_phantom_9p4t", simulator="cest")
    assert timeline.block_adc.max() >= 0
    seen: list[torch.Tensor] = []

    class Spy(torch.nn.Module):
        def forward(self, given: torch.Tensor) -> torch.Tensor:
            seen.append(given)
            return given[..., :1] * 0

    targets = surrogate.targets(signal).reshape(1, -1)
    surrogate.loss(Spy(), torch.zeros(1, 4, 13, dtype=targets.dtype), targets)
    torch.testing.assert_close(seen[0][0, :, 13], torch.cat([torch.ones(1, dtype=targets.dtype), targets[0, :-1]]))


STRANGERS = {
    "no solute": ({"name": "water_3t"}, "0 pools beside water"),
    "many solutes": ({"name": "wm_3t_7pool"}, "6 pools beside water"),
    "a start elsewhere": ({"initial_scale": torch.tensor(0.5)}, "tissue.scale=1"),
    "a start after each readout": ({"reset": True}, "tissue.reset_init_mag=false"),
}


@pytest.mark.parametrize(("change", "words"), STRANGERS.values(), ids=STRANGERS.keys())
def test_a_tissue_that_no_step_was_trained_on_is_refused(change: dict, words: str) -> None:
    changes = dict(change)
    tissue = read_tissue(changes.pop("name", "larginine_phantom_9p4t"))
    with pytest.raises(RequirementError, match=words):
        Network({}).check(read_sequence("cest_fingerprint(points=2)"), replace(tissue, **changes))


def test_a_tissues_relative_b1_reaches_the_network_as_b1_and_flip_angle() -> None:
    surrogate, timeline = Network(PUBLISHED), read_sequence("mrf_larginine_9p4t")
    tissue = read_tissue("larginine_phantom_9p4t").flatten()
    before = surrogate.features(timeline, tissue)
    after = surrogate.features(timeline, replace(tissue, rel_b1=tissue.rel_b1 * 0.8))
    names = [each.name for each in surrogate.inputs]
    expected = before.clone()
    expected[..., names.index("B1")] *= 0.8
    expected[..., names.index("flip angle")] *= 0.8
    torch.testing.assert_close(after, expected)


def test_a_field_shift_is_refused_even_of_one_tissue_among_many() -> None:
    batch = read_tissue("larginine_phantom_9p4t").flatten().map(lambda values: values.expand(3))
    shifted = replace(batch, b0_shift_ppm=torch.tensor([0.0, 0.0, 0.2], dtype=torch.float64))
    timeline = read_sequence("mrf_larginine_9p4t")
    for refused in (Network(PUBLISHED).check, Network(PUBLISHED).features):
        with pytest.raises(RequirementError, match=r"b0_inhom=0\.2 ppm"):
            refused(timeline, shifted)
