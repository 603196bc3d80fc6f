"""The command line is light, says errors in one line, and dies decently."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

import spinloom
from spinloom.cli import COMMANDS

HEAVY = ("torch", "mlflow", "numpy", "hydra", "omegaconf", "matplotlib", "scipy", "pypulseq", "zarr")


def _spinloom(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spinloom", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("line", ["--help", "--version", "plugins", "plugins show cest"])
def test_nothing_heavy_is_imported_by(line: str, settings_folder: Path) -> None:
    check = (
        "import sys\nfrom spinloom.cli import root\n"
        f"root.main({line.split()!r}, standalone_mode=False)\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy: []"
    assert len(done.stdout.splitlines()) > 1


def test_help_lists_every_command_with_its_line() -> None:
    done = _spinloom("--help")
    assert done.returncode == 0
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert line in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_leads_to(name: str) -> None:
    assert isinstance(import_module(COMMANDS[name][0]).command, click.Command)


def test_version() -> None:
    assert _spinloom("--version").stdout == f"spinloom {spinloom.__version__}\n"


def test_an_unknown_command_is_a_usage_error_with_the_nearest() -> None:
    done = _spinloom("plugin")
    assert done.returncode == 2
    assert "No such command 'plugin'. Did you mean 'plugins'?" in done.stderr


def test_an_error_is_one_line_without_a_traceback(settings_folder: Path) -> None:
    done = _spinloom("plugins", "show", "cset")
    assert done.returncode == 1
    assert done.stdout == ""
    (message,) = done.stderr.splitlines()
    assert message.startswith("error: Plugin 'cset' is not installed. Did you mean 'cest'? Known: ")


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        pytest.param(["--debug"], {}, id="flag"),
        pytest.param([], {"SPINLOOM_DEBUG": "1"}, id="variable"),
    ],
)
def test_the_traceback_of_an_error_is_shown_on_demand(
    arguments: list[str], variables: dict[str, str], settings_folder: Path
) -> None:
    done = _spinloom(*arguments, "plugins", "show", "cset", **variables)
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert "PluginError: Plugin 'cset' is not installed." in done.stderr


def test_an_interrupt_ends_with_130_and_without_a_traceback(install_plugin, tmp_path: Path) -> None:
    install_plugin("slow", "import os, signal\nos.kill(os.getpid(), signal.SIGINT)")
    done = _spinloom("plugins", PYTHONPATH=str(tmp_path / "site"))
    assert done.returncode == 130
    assert done.stderr.split() == ["interrupted"]


def test_a_closed_pipe_ends_without_a_traceback(settings_folder: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "spinloom", "plugins", "--json"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, timeout=120)
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == ""
