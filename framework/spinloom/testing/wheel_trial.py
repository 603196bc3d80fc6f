"""Run as a module on the path of an unpacked wheel: looks for what each of its plugins provides, prints JSON."""

from __future__ import annotations

import json
import sys
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

from spinloom import registry
from spinloom.hookspecs import ENTRY_POINT_GROUP
from spinloom.registry import PluginRecord
from spinloom.registry.configuration_files import choices


def trial(wheel: Path) -> dict[str, dict[str, str]]:
    """Faults as sentences, by what was tried, of every plugin whose modules lie in `wheel`."""
    entries = (entry for found in distributions(path=[str(wheel)]) for entry in found.entry_points)
    stated = {entry.name for entry in entries if entry.group == ENTRY_POINT_GROUP}
    return {record.name: _faults(record) for record in registry.plugins().records if record.name in stated}


def _faults(record: PluginRecord) -> dict[str, str]:
    if not record.ok:
        return {"registration": record.reason}
    provided = {**record.simulators, **record.surrogates, **record.sequence_families}
    faults = {name: _missing(path.partition(":")[0]) for name, path in provided.items()}
    for group, names in (("simulator", record.simulators), ("surrogate", record.surrogates)):
        faults |= {f"{group}={name}": _unconfigured(record, group, name) for name in names}
    return {what: sentence for what, sentence in faults.items() if sentence}


def _missing(module: str) -> str:
    """A sentence where there is no module of that name; it is not imported, for that is the other checks' work."""
    try:
        return "" if find_spec(module) else f"its module '{module}' is not in the wheel."
    except ModuleNotFoundError as error:
        return f"{error}."


def _unconfigured(record: PluginRecord, group: str, name: str) -> str:
    """A sentence unless the wheel holds the choice `name` of a configuration group."""
    choice = f"{group}/{name}.yaml"
    return "" if choice in choices(record.search_path) else f"'{choice}' is not in '{record.search_path}'."


if __name__ == "__main__":
    print(json.dumps(trial(Path(sys.argv[1]))))
