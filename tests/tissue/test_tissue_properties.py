"""Laws of reading: what is written reads back, and a damaged file is a tissue or our refusal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spinloom.errors import TissueError
from spinloom.tissue.files import read_tissue, tissue_from_mapping, tissue_names, tissue_path
from spinloom.tissue.pools import LINESHAPES, Tissue

Tensors = Callable[[Tissue], list[torch.Tensor]]
Facts = Callable[[Tissue], tuple[object, ...]]

POSITIVE = st.floats(1e-6, 1e6)
SHIFT = st.floats(-300, 300)
TIMES = st.fixed_dictionaries({"t1": POSITIVE, "t2": POSITIVE}) | st.fixed_dictionaries(
    {"r1": POSITIVE, "r2": POSITIVE}
)
POOL: st.SearchStrategy[dict[str, Any]] = st.builds(dict, TIMES, f=POSITIVE, k=POSITIVE, dw=SHIFT)
SEMISOLID = st.builds(dict, POOL, lineshape=st.sampled_from(LINESHAPES)) | st.builds(dict, POOL, components=st.just(3))
MODEL = st.fixed_dictionaries(
    {"water_pool": st.builds(dict, TIMES, f=POSITIVE), "b0": POSITIVE},
    optional={
        "mt_pool": SEMISOLID | st.dictionaries(st.text("klmnop28", min_size=1, max_size=5), SEMISOLID, max_size=3),
        "cest_pool": st.dictionaries(st.text("abcdefg_19", min_size=1, max_size=5), POOL, max_size=3),
        "gamma": POSITIVE,
        "b0_inhom": SHIFT,
        "relb1": POSITIVE,
        "scale": SHIFT,
        "reset_init_mag": st.booleans(),
        "max_pulse_samples": st.integers(1, 1000),
    },
)
FRAGMENT = st.sampled_from(
    ["{", "}", "[", "]", "&a ", "*a", "!!int ", "\t", "-", ": ", "? ", "e9999", ".nan", "\n", '"\\U', "'", "#", "<<: "]
)
DAMAGE = st.tuples(
    st.integers(0, 10_000), st.integers(0, 40), FRAGMENT.map(str.encode) | st.binary(max_size=5) | st.just(b"\xff")
)
EACH_EXAMPLE_WRITES_ITS_OWN_FILE = [HealthCheck.function_scoped_fixture]


@settings(max_examples=50, suppress_health_check=EACH_EXAMPLE_WRITES_ITS_OWN_FILE, deadline=None)
@given(mapping=MODEL)
def test_a_model_written_as_yaml_reads_back_the_same(facts: Facts, tmp_path: Path, mapping: dict[str, Any]) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(yaml.safe_dump(mapping, sort_keys=False))
    assert facts(read_tissue(path)) == facts(tissue_from_mapping(mapping, "model"))


@settings(max_examples=300, suppress_health_check=EACH_EXAMPLE_WRITES_ITS_OWN_FILE, deadline=None)
@given(name=st.sampled_from(tissue_names()), damages=st.lists(DAMAGE, min_size=1, max_size=4))
def test_a_shipped_file_with_damaged_bytes_reads_or_is_refused_by_us(
    tensors: Tensors, tmp_path: Path, name: str, damages: list[tuple[int, int, bytes]]
) -> None:
    content = tissue_path(name).read_bytes()
    for place, length, replacement in damages:
        start = place % len(content) if content else 0
        content = content[:start] + replacement + content[start + length :]
    path = tmp_path / "damaged.yaml"
    path.write_bytes(content)
    outcome = read_or_refusal(path)
    if isinstance(outcome, str):
        assert str(path) in outcome
    else:
        assert all(torch.isfinite(tensor).all() for tensor in tensors(outcome))


def read_or_refusal(path: Path) -> Tissue | str:
    """The tissue, or what our error says; any other exception fails the test."""
    try:
        return read_tissue(path)
    except TissueError as error:
        return str(error)
