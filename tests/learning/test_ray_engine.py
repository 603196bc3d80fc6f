"""`engine=ray`: the set of a cluster is that of one process, bit for bit, whatever becomes of the workers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from click.testing import CliRunner

from spinloom.cli import root
from spinloom.configuration import run_task
from spinloom.tasks.generate import Generated, run_generate
from spinloom.tasks.sweeps import sweep_opener

ray = pytest.importorskip("ray")

MARK = "SPINLOOM_TEST_CLUSTER"
ASKED = ["simulator=cest", "sequence=mrf_larginine_9p4t", "tissue=larginine_phantom_9p4t", "tracking=off"]
DRAWN = ["tissue.t1=uniform(2.5, 3.3)", "tissue.t2=loguniform(0.6, 1.2)", "samples=24000", "chunk=2000"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cluster of two processors on this machine, whose processes carry a mark of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MARK, str(os.getpid()))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("local") / "set"
    generate(folder, "engine=local")
    return folder


def generate(folder: Path, *arguments: str, progress: Callable[[int, int], None] | None = None) -> Generated:
    made: list[Generated] = []
    asked = [*ASKED, *DRAWN, f"output={folder}", *arguments]
    run_task("generate", lambda config: made.append(run_generate(config, progress)), asked, sweep_opener("generate"))
    return made[0]


def same(one: Path, other: Path) -> bool:
    first, second = (zarr.open_group(str(path), mode="r") for path in (one, other))
    names = ["mz", "mxy", "numbers/water_pool.t1", "numbers/water_pool.t2"]
    alike = [np.asarray(first[name]).tobytes() == np.asarray(second[name]).tobytes() for name in names]
    return all(alike) and first.attrs["digest"] == second.attrs["digest"]


def working() -> list[int]:
    """Ids of the cluster's own processes that are making a chunk."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            ours = f"{MARK}={os.getpid()}\0".encode() in (process / "environ").read_bytes()
            if ours and (process / "cmdline").read_bytes().startswith(b"ray::_make"):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def test_a_set_made_by_a_cluster_is_that_of_one_process(cluster: None, local: Path, tmp_path: Path) -> None:
    done = generate(tmp_path / "set", "engine=ray")
    assert done.samples == 24000
    assert same(tmp_path / "set", local)


def test_a_worker_that_is_killed_in_mid_work_changes_nothing(cluster: None, local: Path, tmp_path: Path) -> None:
    killed: list[int] = []

    def kill(samples: int, total: int) -> None:
        """Kill a worker that is at work; where none is found in time, the next chunk gives another occasion."""
        give_up = time.monotonic() + 0.5
        while not killed and time.monotonic() < give_up:
            killed.extend(working()[:1])
            if killed:
                os.kill(killed[0], signal.SIGKILL)

    generate(tmp_path / "set", "engine=ray", progress=kill)
    assert len(killed) == 1
    assert not Path(f"/proc/{killed[0]}").exists()
    assert same(tmp_path / "set", local)


def test_a_set_begun_by_one_engine_is_finished_by_the_other(cluster: None, local: Path, tmp_path: Path) -> None:
    class StopError(Exception):
        """Somebody pulls the plug."""

    def stop(samples: int, total: int) -> None:
        if samples >= 12000:
            raise StopError

    with pytest.raises(StopError):
        generate(tmp_path / "set", "engine=ray", progress=stop)
    assert generate(tmp_path / "set", "engine=local").samples == 12000
    assert same(tmp_path / "set", local)


def test_what_a_worker_refuses_is_told_in_its_own_sentence(cluster: None, tmp_path: Path) -> None:
    """Tissues that are possible one by one and not in the last chunk are met by a worker alone."""
    table = tmp_path / "tissues.csv"
    table.write_text("t1,t2\n" + "3,1\n" * 4 + "3,-1\n")
    asked = ["generate", *ASKED, f"tissue.table={table}", "chunk=2", f"output={tmp_path / 'set'}", "engine=ray"]
    result = CliRunner().invoke(root, asked)
    assert result.exit_code == 1
    assert "t2" in result.stderr
    assert "Traceback" not in result.stderr
    assert (tmp_path / "set").is_dir()  # the work had begun


WRONG = {
    "an engine that is none": (["engine=dask"], "engine is 'dask'; it is one of local, ray"),
    "a cluster that does not answer": (["engine=ray", "cluster=127.0.0.1:1"], "127.0.0.1:1 cannot be used"),
}


@pytest.mark.parametrize(("wrong", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_used_gets_a_sentence_and_leaves_no_set(wrong: list[str], words: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(root, ["generate", *ASKED, *DRAWN, f"output={tmp_path / 'set'}", *wrong])
    assert result.exit_code == 1
    assert words in result.stderr
    assert not (tmp_path / "set").exists()
