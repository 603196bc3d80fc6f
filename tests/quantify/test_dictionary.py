"""Dictionaries from arrays and from sets: the same entries in the same order, and refused where nothing can match."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from spinloom.cli import root
from spinloom.errors import OutputError
from spinloom.learning.signal_set import open_set
from spinloom.quantify.dictionary import DictionaryError, dictionary_of, read_dictionary

SET = [
    "simulator=cest",
    "sequence=mrf_larginine_9p4t",
    "tissue=larginine_phantom_9p4t",
    "tissue.cest_pool.arginine.k=range(200, 601, 100)",
    "tissue.cest_pool.arginine.f=choice(6e-4, 12e-4, 18e-4)",
    "chunk=4",
    "tracking=off",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of 15 tissues under one sequence."""
    path = tmp_path_factory.mktemp("sets") / "small"
    done = CliRunner().invoke(root, ["generate", *SET, f"output={path}"])
    assert done.exit_code == 0, done.output
    return path


@pytest.mark.parametrize("quantity", ["mxy", "mz"])
def test_a_set_is_read_in_order_whatever_the_parts(folder: Path, quantity: str) -> None:
    dictionary, whole = read_dictionary(folder, quantity), open_set(folder).part(0, slice(0, 15))
    assert dictionary.entries == 15
    assert dictionary.measurements == 30
    assert dictionary.units["cest_pool.arginine.k"] == "1/s"
    wanted = whole.mz if quantity == "mz" else whole.mxy.abs()
    for size in (1, 4, 7, 15, 1000):
        parts = list(dictionary.parts(size))
        assert max(part.signals.shape[0] for part in parts) <= size
        assert torch.equal(torch.cat([part.signals for part in parts]), wanted)
        numbers = torch.cat([part.numbers for part in parts])
        for column, name in enumerate(dictionary.units):
            assert torch.equal(numbers[:, column], whole.numbers[name])


def test_arrays_and_a_set_of_the_same_entries_are_the_same_dictionary(folder: Path) -> None:
    whole = open_set(folder).part(0, slice(0, 15))
    arrays, kept = dictionary_of(whole.numbers, whole.mxy.abs()), read_dictionary(folder)
    for mine, other in zip(arrays.parts(6), kept.parts(6), strict=True):
        assert torch.equal(mine.numbers, other.numbers)
        assert torch.equal(mine.signals, other.signals)


def test_a_quantity_that_is_none_is_refused_with_the_nearest(folder: Path) -> None:
    with pytest.raises(DictionaryError, match=r"no 'mxx'.*Did you mean 'mxy'"):
        read_dictionary(folder, "mxx")


def test_what_is_no_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="holds no set of signals"):
        read_dictionary(tmp_path)


def test_a_set_of_several_sequences_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    family = ["sequence=cest_fingerprint(points=3)", "+protocols.draw.schedule=[0,9]", "+protocols.count=2"]
    done = CliRunner().invoke(root, ["generate", *SET, *family, "output=two"])
    assert done.exit_code == 0, done.output
    with pytest.raises(DictionaryError, match="of 2 sequences, but a dictionary is of one"):
        read_dictionary("two")


@pytest.mark.parametrize(
    ("numbers", "signals", "reason"),
    [
        ({"k": torch.zeros(0)}, torch.zeros(0, 5), "0 entries of 5 measurements; nothing can be matched"),
        ({"k": torch.zeros(2)}, torch.zeros(2, 0), "2 entries of 0 measurements"),
        ({"k": torch.zeros(3)}, torch.ones(2, 5), "'k' of the dictionary has shape .3,. for 2 signals"),
        ({}, torch.ones(5), "give real ones of shape"),
        ({}, torch.ones(5, 2, dtype=torch.complex64), "such as magnitudes"),
    ],
)
def test_arrays_that_are_no_dictionary_are_refused(numbers: dict, signals: torch.Tensor, reason: str) -> None:
    with pytest.raises(DictionaryError, match=reason):
        dictionary_of(numbers, signals)


@pytest.mark.parametrize(("value", "what"), [(float("nan"), "not finite"), (0.0, "nothing but zeros")])
def test_an_entry_that_cannot_be_matched_is_named(value: float, what: str) -> None:
    signals = torch.ones(10, 3)
    signals[7] = value
    with pytest.raises(DictionaryError, match=f"Entry 7 of the dictionary .* holds .*{what}"):
        list(dictionary_of({"k": torch.arange(10)}, signals).parts(4))
