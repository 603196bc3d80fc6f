"""Sets of signals: whole after any crash, the same however they were made, refused where they are not what is asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from spinloom import read_sequence, read_tissue, simulate
from spinloom.cli import root
from spinloom.configuration import run_task
from spinloom.errors import OutputError
from spinloom.learning.signal_set import open_set
from spinloom.tasks.generate import run_generate

QUICK = [
    "simulator=cest",
    "sequence=mrf_larginine_9p4t",
    "tissue=larginine_phantom_9p4t",
    "tissue.t1=uniform(2.5, 3.3)",
    "tissue.t2=loguniform(0.6, 1.2)",
    "tracking=off",
    "samples=60",
    "chunk=16",
]


def nothing_opened(config: Mapping[str, Any]) -> AbstractContextManager[None]:
    """What a sweep would open."""
    return nullcontext()


def generate(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["generate", *QUICK, *arguments])


def failure(result: Result) -> str:
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    return result.output


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "whole"
    result = generate(f"output={folder}")
    assert result.exit_code == 0, result.output
    return folder


def test_a_set_holds_what_the_simulator_gives_for_the_numbers_that_it_drew(undisturbed: Path) -> None:
    found = open_set(undisturbed)
    assert len(found) == 60
    assert found.units == {"water_pool.t1": "s", "water_pool.t2": "s"}
    part = found.part(0, slice(17, 20))  # across no border of chunks, but not the first
    tissue = read_tissue("larginine_phantom_9p4t")
    for row in range(3):
        water = {"t1": part.numbers["water_pool.t1"][row], "t2": part.numbers["water_pool.t2"][row]}
        changed = type(tissue)(
            **{name: getattr(tissue, name) for name in tissue.__dataclass_fields__ if name != "water"},
            water=type(tissue.water)(f=tissue.water.f, **water),
        )
        exact = simulate(sequence="mrf_larginine_9p4t", tissue=changed)
        # single precision is stored: half a unit of its last place at 1
        torch.testing.assert_close(part.mz[row].double(), exact.mz[exact.first_samples()], atol=6e-8, rtol=0)


def test_draws_lie_in_their_ranges_and_do_not_repeat(undisturbed: Path) -> None:
    found = open_set(undisturbed)
    t1 = torch.cat([part.numbers["water_pool.t1"] for part in found.parts(25)])
    assert t1.numel() == 60 == torch.unique(t1).numel()
    assert float(t1.min()) >= 2.5
    assert float(t1.max()) <= 3.3


def test_a_set_in_parts_of_any_size_is_the_same(undisturbed: Path) -> None:
    found = open_set(undisturbed)
    whole = torch.cat([part.mz for part in found.parts(60)])
    for size in (1, 16, 23):
        assert torch.equal(torch.cat([part.mz for part in found.parts(size)]), whole)


def test_a_set_killed_in_mid_work_goes_on_and_equals_an_undisturbed_one(undisturbed: Path, here: Path) -> None:
    """The process is killed by SIGKILL as soon as a first chunk is marked, wherever it is then."""
    arguments = [sys.executable, "-m", "spinloom", "generate", *QUICK, "output=killed"]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    marker = here / "killed" / "chunks_done" / "c" / "0"
    deadline = time.monotonic() + 120
    while not marker.is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert marker.is_file()
    if process.returncode == -signal.SIGKILL:
        with pytest.raises(OutputError, match="is not whole"):
            open_set(here / "killed")
    result = generate("output=killed")
    assert result.exit_code == 0, result.output
    again, before = open_set(here / "killed"), open_set(undisturbed)
    assert again.digest == before.digest
    for mine, theirs in zip(again.parts(60), before.parts(60), strict=True):
        assert torch.equal(mine.mz, theirs.mz)
        assert torch.equal(mine.mxy, theirs.mxy)
        assert all(torch.equal(mine.numbers[name], theirs.numbers[name]) for name in before.units)


def test_what_was_simulated_before_an_interruption_is_kept(undisturbed: Path, here: Path) -> None:
    def interrupt(samples: int, total: int) -> None:
        if samples >= 32:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_task("generate", lambda config: run_generate(config, interrupt), [*QUICK, "output=stopped"], nothing_opened)
    assert "60 samples, 28 of them now" in generate("output=stopped").output
    assert open_set(here / "stopped").digest == open_set(undisturbed).digest


def test_a_whole_set_is_left_as_it_is(undisturbed: Path) -> None:
    result = generate(f"output={undisturbed}")
    assert "60 samples, 0 of them now" in result.output


def test_a_grid_makes_one_sample_a_point_in_its_order(here: Path) -> None:
    arguments = ["tissue.t1=linspace(2.5, 3.3, 3)", "tissue.t2=choice(0.6, 1.2)", "samples=null", "chunk=4"]
    assert generate(*arguments, "output=grid").exit_code == 0
    part = open_set(here / "grid").part(0, slice(0, 6))
    np.testing.assert_allclose(part.numbers["water_pool.t1"], np.repeat(np.linspace(2.5, 3.3, 3), 2), rtol=1e-15)
    np.testing.assert_allclose(part.numbers["water_pool.t2"], np.tile([0.6, 1.2], 3), rtol=1e-15)


def test_protocols_are_drawn_from_a_family_and_kept_as_files(here: Path) -> None:
    arguments = [
        "sequence=cest_epi(matrix=4, largest_ppm=1, step_ppm=1, esp_ms=0.3)",
        "+protocols.draw.pulses=[1,3]",
        "+protocols.count=2",
        "samples=3",
        "output=drawn",
    ]
    assert generate(*arguments).exit_code == 0
    found = open_set(here / "drawn")
    assert len(found) == 6
    for name, text in found.protocols.items():
        (here / "one.seq").write_bytes(text)
        assert read_sequence(here / "one.seq").sha256 == read_sequence(name).sha256


def test_equal_draws_are_one_protocol_with_its_own_signals(here: Path) -> None:
    """Of nine draws two differ; the signals of each protocol are those of its own file."""
    arguments = [
        "sequence=cest_epi(matrix=4, largest_ppm=1, step_ppm=1, esp_ms=0.3)",
        "+protocols.draw.pulses=[1,3,1]",  # three choices, of which two are equal
        "+protocols.count=9",
        "samples=3",
        "store=float64",
        "output=drawn",
    ]
    assert generate(*arguments).exit_code == 0
    found = open_set(here / "drawn")
    assert len(found.protocols) == 2
    for number, name in enumerate(found.protocols):
        part = found.part(number, slice(0, 3))
        tissue = read_tissue("larginine_phantom_9p4t").flatten()
        t1, t2 = part.numbers["water_pool.t1"], part.numbers["water_pool.t2"]
        one = replace(tissue, water=replace(tissue.water, t1=t1[:1], t2=t2[:1]))
        exact = simulate(sequence=name, tissue=one, simulator="cest")
        np.testing.assert_allclose(part.mz[:1], exact.mz[..., exact.first_samples()], atol=1e-12)


FILLING = """
import resource, sys
from spinloom.configuration import run_task
from spinloom.errors import OutputError
from spinloom.tasks.generate import run_generate
from spinloom.tasks.sweeps import sweep_opener

def fill(done, total):
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))

try:
    run_task("generate", lambda config: run_generate(config, fill), sys.argv[1:], sweep_opener("generate"))
except OutputError as error:
    print(error)
"""
"""From the first chunk on no file may grow beyond 100 bytes, which fails a write as a full disk does."""


def test_a_disk_that_fills_leaves_whole_chunks_to_go_on_from(undisturbed: Path, here: Path) -> None:
    command = [sys.executable, "-c", FILLING, *QUICK, "output=filled"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "of the set filled cannot be written" in said
    assert "give the same command again" in said
    assert generate("output=filled").exit_code == 0
    assert open_set(here / "filled").digest == open_set(undisturbed).digest


BAD_INPUT = {
    "another seed": (["seed=1"], ["was begun with other values", "configuration"]),
    "another number of samples": (["samples=61"], ["number of samples differs"]),
    "another sequence": (["sequence=mrf_mt_7t"], ["sequences differs"]),
    "a chunk of nothing": (["chunk=0", "output=new"], ["chunk is 0", "from 1"]),
    "a number type that is none": (["store=float16", "output=new"], ["store is 'float16'", "float32, float64"]),
    "protocols of no family": (
        ["+protocols.count=2", "+protocols.draw.pulses=[1,2]", "output=new"],
        ["is no family"],
    ),
    "draws without a number": (["samples=null", "output=new"], ["say how many tissues"]),
}


@pytest.mark.parametrize(("wrong", "expected"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_gets_one_sentence_and_leaves_the_set_alone(
    wrong: list[str], expected: list[str], undisturbed: Path, here: Path
) -> None:
    message = failure(generate(f"output={undisturbed}", *wrong))
    assert all(words in message for words in expected), message
    assert os.listdir(here) == []
    assert len(open_set(undisturbed)) == 60


def test_a_folder_without_a_set_is_refused(here: Path) -> None:
    (here / "empty").mkdir()
    with pytest.raises(OutputError, match="holds no set of signals"):
        open_set(here / "empty")
