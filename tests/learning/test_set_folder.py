"""Several sets as one: each sample comes once, digests tell folders apart, and what is no set is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from spinloom.cli import root
from spinloom.errors import OutputError
from spinloom.learning.batches import Samples
from spinloom.learning.set_folder import JoinedParts, open_sets
from spinloom.learning.sources import Source


@dataclass(frozen=True)
class Numbered:
    """Samples that say whose they are: two a chunk, of which the second validates."""

    first: int
    chunks: int
    lasting = True

    @property
    def samples(self) -> int:
        return 2 * self.chunks

    def training(self, epoch: int, chunk: int) -> Samples:
        return samples(self.first + 2 * chunk)

    def validating(self, chunk: int) -> Samples:
        return samples(self.first + 2 * chunk + 1)


def samples(number: int) -> Samples:
    return Samples(torch.tensor([[float(number)]]), torch.tensor([[float(number)]]))


@pytest.mark.parametrize("buffer", [3, 100])
def test_each_sample_of_each_part_comes_once_an_epoch(buffer: int) -> None:
    joined = JoinedParts((Numbered(0, 3), Numbered(100, 1), Numbered(200, 4)))
    assert (joined.chunks, joined.samples) == (8, 16)
    source = Source(joined, seed=0, buffer=buffer, validation=100)
    for epoch in range(2):
        seen = Counter(int(value) for batch in source.batches(epoch, 3) for value in batch.targets.flatten())
        assert seen == Counter([0, 2, 4, 100, 200, 202, 204, 206])
    kept = sorted(int(value) for group in source.validating() for value in group.targets.flatten())
    assert kept == [1, 3, 5, 101, 201, 203, 205, 207]


@pytest.fixture(scope="module")
def two_sets(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two sets, of other tissues."""
    folder = tmp_path_factory.mktemp("sets")
    by = ["simulator=surrogate", f"simulator.model={teacher}", "sequence=mrf_larginine_9p4t", "tracking=off"]
    for name, ends in (("cold", "1.5, 2.0"), ("warm", "2.5, 3.3")):
        tissue = ["tissue=larginine_phantom_9p4t", f"tissue.t1=uniform({ends})", "samples=6", "chunk=4"]
        done = CliRunner().invoke(root, ["generate", *by, *tissue, f"output={folder / name}"])
        assert done.exit_code == 0, done.output
    return folder


def test_a_folder_of_sets_has_the_samples_of_all_and_a_digest_of_its_own(two_sets: Path) -> None:
    both, one = open_sets(two_sets), open_sets(two_sets / "cold")
    assert (len(both), len(one)) == (12, 6)
    assert [found.path.name for found in both.sets] == ["cold", "warm"]
    assert one.digest == one.sets[0].digest
    assert both.digest not in {found.digest for found in both.sets}


def test_what_sets_share_is_told_once_and_what_differs_by_set(two_sets: Path) -> None:
    made = open_sets(two_sets).made_by(("sequence", "tissue"))
    assert made["sequence"] == "mrf_larginine_9p4t"
    assert {name: each["water_pool"]["t1"] for name, each in made["tissue"].items()} == {
        "cold": "uniform(1.5, 2.0)",
        "warm": "uniform(2.5, 3.3)",
    }


def test_a_folder_without_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="holds no set of signals"):
        open_sets(tmp_path)
