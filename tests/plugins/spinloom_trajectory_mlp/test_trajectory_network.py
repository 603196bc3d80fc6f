"""The trajectory network: as many parameters as published, a spectrum a tissue, refused for other pools."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from spinloom import RequirementError, read_sequence, read_tissue
from spinloom.learning.scaling import scaled
from spinloom.registry import plugins

Network = plugins().surrogate("trajectory_mlp")


@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_the_network_has_the_published_number_of_parameters(spread: float) -> None:
    network = Network({"spread": spread}).network()
    assert sum(weights.numel() for weights in network.state_dict().values()) == 82_722


def test_a_tissue_of_other_pools_is_refused_with_what_is_needed() -> None:
    timeline = read_sequence("cest_train(pulses=10)")
    with pytest.raises(RequirementError, match="amide, guanidine"):
        Network({}).features(timeline, read_tissue("water_3t"))


@pytest.mark.parametrize("name", ["b0_shift_ppm", "rel_b1"])
def test_a_field_that_is_no_input_is_refused_even_of_one_tissue_among_many(name: str) -> None:
    batch = read_tissue("wm_3t_7pool").flatten().map(lambda values: values.expand(3))
    values = getattr(batch, name).clone()
    values[2] += 0.1
    with pytest.raises(RequirementError, match=r"alone, but 'wm_3t_7pool' has (0\.1|1\.1);"):
        Network({}).check(read_sequence("cest_train(pulses=10)"), replace(batch, **{name: values}))


def test_a_shift_that_is_no_input_is_refused() -> None:
    tissue = read_tissue("wm_3t_7pool")
    first, *others = tissue.exchanging
    moved = replace(tissue, exchanging=(replace(first, shift_ppm=first.shift_ppm + 0.2), *others))
    with pytest.raises(RequirementError, match=f"dw of {first.name}"):
        Network({}).features(read_sequence("cest_train(pulses=10)"), moved)


def test_settings_of_the_scanner_are_read_from_the_sequence() -> None:
    surrogate = Network({})
    timeline = read_sequence("cest_train(field_t=4.7, pulses=18, pulse_ms=80, recovery_ms=3100)")
    found = surrogate.features(timeline, read_tissue("wm_3t_7pool"))
    named = {each.name: float(value) for each, value in zip(surrogate.inputs, found.flatten(), strict=True)}
    assert named["pulses"] == 18
    assert named["pulse duration"] == pytest.approx(0.08, rel=1e-6)
    # from the sample before to the first pulse; the marker and dead times add some milliseconds
    assert named["recovery"] == pytest.approx(3.1, abs=0.01)


def test_ends_of_the_ranges_reach_the_layers_as_the_spread() -> None:
    surrogate = Network({"spread": 2.0})
    ends = [[each.low for each in surrogate.inputs], [each.high for each in surrogate.inputs]]
    reached = surrogate.network()[0](scaled(torch.tensor(ends, dtype=torch.float64), surrogate.inputs))
    torch.testing.assert_close(reached[0], torch.full_like(reached[0], -2.0), atol=1e-12, rtol=0)
    torch.testing.assert_close(reached[1], torch.full_like(reached[1], 2.0), atol=1e-12, rtol=0)
