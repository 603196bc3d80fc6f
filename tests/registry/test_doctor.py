"""`spinloom plugins doctor` names what is wrong with each plugin and what to do, whatever the plugin does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spinloom.cli import root

HEAD = 'from spinloom.hookspecs import hookimpl\nSPINLOOM_API = "1.0"\n'


@pytest.fixture(autouse=True)
def seen_by_processes(install_plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the fixture installs is on the path of new processes too."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")]))


def doctor(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["plugins", "doctor", *arguments])


def _simulator(name: str) -> str:
    return f"{HEAD}@hookimpl\ndef spinloom_simulators(): return {{'{name}': 'no_such_module:Class'}}\n"


def test_built_in_plugins_are_sound() -> None:
    result = doctor()
    assert result.exit_code == 0, result.output
    assert "cest (spinloom 0.1.0): sound; imports in" in result.stdout


def _starts(text: str) -> Iterator[tuple[int, str]]:
    """Lines of a text, each with where it begins."""
    begin = 0
    for line in text.splitlines(keepends=True):
        yield begin, line
        begin += len(line)


def test_each_illness_is_named_with_what_to_do(install_plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once: one that takes its process down does not hide the others."""
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    install_plugin("crashes", crash)
    install_plugin("exits", "import os; os._exit(3)")
    install_plugin("future", 'SPINLOOM_API = "9.0"')
    install_plugin("heavy", f"import torch\n{HEAD}")
    install_plugin("hooks", f"{HEAD}@hookimpl\ndef spinloom_run_finished(run, state): pass\n")
    install_plugin("needy", "import no_such_maps")
    install_plugin("newer", HEAD)
    for name, line in (("needy", 'no-such-maps; extra == "brain"'), ("newer", "spinloom>=7,<8")):
        metadata = tmp_path / "site" / f"{name}-1.0.dist-info" / "METADATA"
        metadata.write_text(f"{metadata.read_text()}Requires-Dist: {line}\n")
    expected = {
        "crashes": "1. The process that imports it was ended by SIGSEGV, as native code",
        "exits": "1. The process that imports it ended with status 3 and said: nothing. Until it is mended, 'spinloom "
        "plugins disable exits'",
        "future": "1. It was written for plugin API 9.0, and this Spinloom has",
        "heavy": "1. Importing 'plugin_module_heavy_own' imports torch, for which every command waits",
        "hooks": "1. Its hook 'spinloom_run_finished' takes the unknown parameter 'state'; did you mean 'status'?",
        "needy": "It needs an extra that is not installed: pip install 'needy[brain]'.",
        "newer": "1. Its distribution 'newer' asks for spinloom>=7,<8, and 0.1.0 is installed: pip install --upgrade",
    }
    monkeypatch.setenv("SPINLOOM_PLUGINS", ",".join(expected))
    result = doctor()
    assert result.exit_code == 1
    for name, sentence in expected.items():
        (head,) = (line for line in result.stdout.splitlines() if line.startswith(f"{name} ("))
        own = result.stdout.split(f"{head}\n")[1]
        until_next = own[: next((n for n, line in _starts(own) if not line.startswith("  ")), len(own))]
        assert sentence in until_next, (name, until_next)


def test_names_that_another_plugin_has_are_told(
    install_plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPINLOOM_PLUGINS", "north,south")
    for name in ("north", "south"):
        package = tmp_path / "site" / f"choices_{name}"
        (package / "simulator").mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "simulator" / "shared.yaml").write_text("name: shared\n")
        path = f"@hookimpl\ndef spinloom_search_path(): return 'pkg://choices_{name}'\n"
        install_plugin(name, f"{_simulator('twin')}{path}")
    result = doctor("south")
    assert result.exit_code == 1
    for sentence in (
        "Its configuration 'simulator/shared.yaml' has the name of one of plugin 'north': rename it.",
        "Its simulator 'twin' has the name of one of plugin 'north', which comes first: rename it, or",
        "'no_such_module' is not installed",
    ):
        assert sentence in result.stdout


def test_a_plugin_that_is_switched_off_is_not_imported(install_plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    install_plugin("sleeper", "import os; os._exit(1)")
    monkeypatch.setenv("SPINLOOM_PLUGINS", "sleeper")
    CliRunner().invoke(root, ["plugins", "disable", "sleeper"])
    result = doctor("sleeper")
    assert result.exit_code == 0
    assert (
        "sleeper (sleeper 1.0): not examined. It was switched off; 'spinloom plugins enable sleeper'" in result.stdout
    )


def test_an_unknown_plugin_is_refused_with_the_nearest() -> None:
    result = doctor("cset")
    assert result.exit_code == 1
    assert "Plugin 'cset' is not installed. Did you mean 'cest'?" in result.stderr
