"""From an empty folder to a plugin of one's own that runs, is tracked and tested, with the wheel alone installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OFFLINE = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation"]


class Environment:
    """A virtual environment with Spinloom from its wheel and the dependencies of this one, and an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._scripts = folder / "empty", folder / "venv" / "bin"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
        self._borrow(Path(self.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()))
        pip = [sys.executable, "-m", "pip", "wheel", *OFFLINE, "--wheel-dir", str(folder), str(ROOT)]
        subprocess.run(pip, check=True)
        self.install(*folder.glob("spinloom-*.whl"))

    def _borrow(self, site: Path) -> None:
        """Link what is installed here, but nothing of Spinloom."""
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if "spinloom" not in entry.name and not (site / entry.name).exists():
                (site / entry.name).symlink_to(entry)

    def install(self, *what: Path) -> None:
        """Install by pip, offline."""
        python = str(self._scripts / "python")
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", python, "install", *OFFLINE, *map(str, what)], check=True
        )

    def run(self, program: str, *arguments: str) -> str:
        """What a program of the environment prints, run in the empty folder; its errors fail the test."""
        self.folder.mkdir(exist_ok=True)
        own = {"SPINLOOM_CONFIG_DIR": str(self.folder / "settings"), "PYTEST_ADDOPTS": ""}
        variables = {**own, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
        done = subprocess.run(
            [str(self._scripts / program), *arguments],
            cwd=self.folder,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{program} {arguments}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A fresh environment."""
    return Environment(tmp_path_factory.mktemp("fresh"))


def test_a_plugin_of_each_kind_is_written_installed_run_and_green(environment: Environment) -> None:
    kinds = {"my_bloch": "simulator", "my_net": "surrogate", "my_recovery": "sequence-family"}
    for name, kind in kinds.items():
        environment.run("spinloom", "plugins", "new", name, "--kind", kind)
    packages = [environment.folder / f"spinloom-{name.replace('_', '-')}" for name in kinds]
    environment.install(*packages)
    records = json.loads(environment.run("spinloom", "plugins", "--json"))
    listed = {record["name"]: record["status"] for record in records}
    assert {listed[name] for name in kinds} == {"ok"}

    by = ["simulator=my_bloch", "sequence=my_recovery(points=4)", "tissue=water_3t"]
    environment.run("spinloom", "simulate", *by, "output=signal")
    assert (environment.folder / "signal" / "report.html").stat().st_size > 0
    assert json.loads((environment.folder / "signal" / "run.json").read_text())["run_id"] is not None

    drawn = ["tissue.t1=uniform(0.5, 3.5)", "tissue.rel_b1=uniform(0.7, 1.3)", "samples=40", "training.batch=10"]
    learning = ["surrogate=my_net", "surrogate.measurements=4", "training.epochs=2", "training.accelerator=cpu"]
    environment.run("spinloom", "train", *by[:3], "tracking=off", *drawn, *learning, "output=network")
    assert (environment.folder / "network" / "model" / "weights.safetensors").exists()

    tests = [str(package / "tests") for package in packages]
    told = environment.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", *tests)
    assert "failed" not in told
    assert "passed" in told
