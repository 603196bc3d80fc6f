"""What the user switched off: lastingly in a small JSON file, or for one process by an environment variable."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spinloom.errors import ConfigurationError, OutputError, PluginError, known_names
from spinloom.whole_file import write_whole

log = logging.getLogger(__name__)

ALLOW_VARIABLE = "SPINLOOM_PLUGINS"
"""Environment variable that, where it names plugins, allows those alone (separated by commas)."""

FOLDER_VARIABLE = "SPINLOOM_CONFIG_DIR"
"""Environment variable that names the user's configuration folder."""


def config_folder() -> Path:
    """The user's configuration folder; it need not exist."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        return Path(folder)
    if folder := os.environ.get("XDG_CONFIG_HOME"):
        return Path(folder) / "spinloom"
    if sys.platform == "win32" and (folder := os.environ.get("APPDATA")):
        return Path(folder) / "spinloom"
    try:
        return Path.home() / ".config" / "spinloom"
    except RuntimeError as error:
        raise ConfigurationError(
            f"This user has no home folder; set {FOLDER_VARIABLE} to a folder for Spinloom's settings."
        ) from error


def state_file() -> Path:
    """The file that holds which plugins are disabled, as `{"disabled": [names]}`; it need not exist."""
    return config_folder() / "plugins.json"


def disabled() -> frozenset[str]:
    """Names of the disabled plugins, installed or not; `ConfigurationError` where the file is corrupt."""
    path = state_file()
    try:
        return _names(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The list of disabled plugins in {path} cannot be read ({_what(error)}); "
            'delete the file, or let it hold {"disabled": []}, to enable all plugins.'
        ) from error


def _names(state: Any) -> frozenset[str]:
    """The names in a state file's content; `ValueError` where it has another form."""
    names = state.get("disabled") if isinstance(state, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("it holds no list of names under 'disabled'")
    return frozenset(names)


def disable(name: str, installed: Iterable[str]) -> None:
    """Disable the plugin `name` from the next process on; `PluginError` where it is not among `installed`."""
    off = disabled()
    _check_known(name, {*installed} | off)
    _write(off | {name})


def enable(name: str, installed: Iterable[str]) -> None:
    """Undo `disable`, also for a plugin that is no longer installed."""
    off = disabled()
    _check_known(name, {*installed} | off)
    _write(off - {name})


def _check_known(name: str, known: set[str]) -> None:
    if name not in known:
        raise PluginError(f"Plugin '{name}' is not installed. {known_names(name, known)}")


def allowed() -> frozenset[str] | None:
    """The only plugins that the environment variable allows, or None where it is unset or empty."""
    listed = os.environ.get(ALLOW_VARIABLE, "").split(",")
    return frozenset(name.strip() for name in listed if name.strip()) or None


def reasons_off(names: Iterable[str]) -> dict[str, str]:
    """Of these plugins, those that are switched off, each with the reason in a sentence."""
    names = tuple(names)
    only, off = allowed(), disabled()
    for name in sorted((only or frozenset()).difference(names)):
        log.warning("%s allows '%s', which is not installed. %s", ALLOW_VARIABLE, name, known_names(name, names))
    reasons = {}
    for name in names:
        if name in off:
            reasons[name] = f"It was switched off; 'spinloom plugins enable {name}' switches it on."
        elif only is not None and name not in only:
            reasons[name] = f"The variable {ALLOW_VARIABLE} allows only {', '.join(sorted(only))}."
    return reasons


def _write(names: frozenset[str]) -> None:
    """Replace the state file whole."""
    path = state_file()
    text = json.dumps({"disabled": sorted(names)}, indent=2) + "\n"
    way_out = f"Set {FOLDER_VARIABLE} to a folder that can be written."
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {path.parent} cannot be made: {_what(error)}. {way_out}") from error
    write_whole(path, text.encode(), way_out)


def _what(error: Exception) -> str:
    """What went wrong, without the path that the message names anyway."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
