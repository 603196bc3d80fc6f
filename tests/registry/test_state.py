"""What the user switched off stays off, is written whole, and never hides behind a cryptic error."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from spinloom.errors import ConfigurationError, OutputError, PluginError
from spinloom.registry import state

INSTALLED = ("cest", "toy")


def test_nothing_is_disabled_before_anything_was(settings_folder: Path) -> None:
    assert state.disabled() == frozenset()
    assert not settings_folder.exists()


def test_a_disabled_plugin_stays_disabled_until_it_is_enabled(settings_folder: Path) -> None:
    state.disable("toy", INSTALLED)
    state.disable("cest", INSTALLED)
    assert json.loads((settings_folder / "plugins.json").read_text()) == {"disabled": ["cest", "toy"]}
    state.enable("toy", INSTALLED)
    assert state.disabled() == {"cest"}


def test_the_state_file_is_replaced_whole_and_leaves_no_draft(settings_folder: Path) -> None:
    state.disable("toy", INSTALLED)
    before = state.state_file().stat().st_ino
    state.disable("cest", INSTALLED)
    assert state.state_file().stat().st_ino != before
    assert [path.name for path in settings_folder.iterdir()] == ["plugins.json"]


@pytest.mark.parametrize("change", [state.disable, state.enable])
def test_an_unknown_name_is_an_error_with_the_nearest(change, settings_folder: Path) -> None:
    with pytest.raises(PluginError, match=r"'cset' is not installed\. Did you mean 'cest'\?"):
        change("cset", INSTALLED)
    assert not settings_folder.exists()


def test_a_plugin_that_was_uninstalled_meanwhile_can_be_enabled(settings_folder: Path) -> None:
    state.disable("toy", INSTALLED)
    state.enable("toy", ["cest"])
    assert state.disabled() == frozenset()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"disabled": ["toy"', id="truncated"),
        pytest.param(b'["toy"]', id="a list"),
        pytest.param(b'{"disabled": "toy"}', id="a name instead of a list"),
        pytest.param(b'{"disabled": [1]}', id="a number instead of a name"),
        pytest.param(b"\xff\xfe\x00", id="binary"),
    ],
)
def test_a_corrupt_state_file_is_an_error_that_names_it_and_the_way_out(content: bytes, settings_folder: Path) -> None:
    settings_folder.mkdir()
    state.state_file().write_bytes(content)
    with pytest.raises(ConfigurationError, match="delete the file") as caught:
        state.disabled()
    assert str(state.state_file()) in str(caught.value)
    with pytest.raises(ConfigurationError):
        state.disable("toy", INSTALLED)
    assert state.state_file().read_bytes() == content


def test_a_folder_that_cannot_be_written_is_an_error_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file, not a folder")
    monkeypatch.setenv("SPINLOOM_CONFIG_DIR", str(occupied))
    with pytest.raises(OutputError, match="Set SPINLOOM_CONFIG_DIR to a folder that can be written") as caught:
        state.disable("toy", INSTALLED)
    assert str(occupied) in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        pytest.param({"SPINLOOM_CONFIG_DIR": "/a", "XDG_CONFIG_HOME": "/b"}, "/a", id="its own variable"),
        pytest.param({"XDG_CONFIG_HOME": "/b"}, "/b/spinloom", id="the desktop's variable"),
        pytest.param({"HOME": "/home/ada"}, "/home/ada/.config/spinloom", id="the home folder"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX")
def test_the_configuration_folder_follows(
    variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SPINLOOM_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert state.config_folder() == Path(folder)


def test_the_variable_allows_only_the_plugins_it_names(settings_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPINLOOM_PLUGINS", " cest, ")
    assert state.reasons_off(INSTALLED) == {"toy": "The variable SPINLOOM_PLUGINS allows only cest."}


def test_the_variable_allows_all_when_empty(settings_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPINLOOM_PLUGINS", "")
    assert state.reasons_off(INSTALLED) == {}


def test_a_plugin_that_the_variable_misspells_is_warned_about(
    settings_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SPINLOOM_PLUGINS", "cset")
    assert set(state.reasons_off(INSTALLED)) == {"cest", "toy"}
    assert caplog.messages == [
        "SPINLOOM_PLUGINS allows 'cset', which is not installed. Did you mean 'cest'? Known: cest, toy."
    ]
