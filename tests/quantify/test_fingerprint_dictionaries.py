"""The dictionaries of the published study have as many entries as published, and their phantoms lie inside of them."""

from __future__ import annotations

from importlib import resources

import pytest
import yaml

from spinloom.quantify.fingerprint_phantoms import fingerprint_phantom
from spinloom.tissue.batches import TissuePlan, plan_batch
from spinloom.tissue.files import load_mapping


def plan(experiment: str, tissue: str) -> TissuePlan:
    text = (resources.files("spinloom.conf") / "experiment" / f"{experiment}.yaml").read_text()
    varied = yaml.safe_load(text)["tissue"]
    return plan_batch(merged(load_mapping(tissue), varied), tissue)


def merged(mapping: dict, changes: dict) -> dict:
    nested = {key: merged(mapping[key], value) for key, value in changes.items() if isinstance(value, dict)}
    return {**mapping, **changes, **nested}


CASES = [
    pytest.param("larginine_dictionary", "larginine_phantom_9p4t", "larginine_vials", 665_873, id="L-arginine"),
    pytest.param("mt_dictionary", "mouse_brain_7t_mt", "brain_mt", 26_400, id="semisolid MT"),
]


@pytest.mark.parametrize(("experiment", "tissue", "phantom", "entries"), CASES)
def test_a_dictionary_has_the_published_number_of_entries(
    experiment: str, tissue: str, phantom: str, entries: int
) -> None:
    assert plan(experiment, tissue).tissues == entries


@pytest.mark.parametrize(("experiment", "tissue", "phantom", "entries"), CASES)
def test_a_phantom_lies_inside_its_dictionary(experiment: str, tissue: str, phantom: str, entries: int) -> None:
    found = fingerprint_phantom(phantom, 32)
    assert found.tissue == tissue
    grids = plan(experiment, tissue).grids
    assert set(found.numbers) == set(grids)
    for name, values in found.numbers.items():
        axis = grids[name].values()
        assert axis.min() <= float(values.min())
        assert float(values.max()) <= axis.max()


def test_the_vials_lie_on_the_grid_of_their_dictionary() -> None:
    found, grids = (
        fingerprint_phantom("larginine_vials", 16),
        plan("larginine_dictionary", "larginine_phantom_9p4t").grids,
    )
    for name, values in found.numbers.items():
        axis = grids[name].values()
        for value in values.unique().tolist():
            assert abs(axis / value - 1).min() < 1e-12, name
