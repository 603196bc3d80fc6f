"""Run as a module on the path of an unpacked wheel: tries what each of its plugins provides, prints JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from spinloom import registry
from spinloom.registry import PluginRecord


def trial(wheel: Path) -> dict[str, dict[str, str]]:
    """Faults as sentences, by what was tried, of every plugin whose modules lie in `wheel`."""
    found = {}
    for record in registry.plugins().records:
        if record.module and (wheel / record.module.partition(".")[0]).exists():
            found[record.name] = _faults(record)
    return found


def _faults(record: PluginRecord) -> dict[str, str]:
    if not record.ok:
        return {"registration": record.reason}
    loaded, tries = registry.plugins(), dict[str, Callable[[], Any]]()
    for name in record.simulators:
        tries[f"simulator '{name}'"] = partial(loaded.simulator, name)
        tries[f"the configuration of simulator '{name}'"] = partial(_configured, record, "simulator", name)
    for name in record.surrogates:
        tries[f"surrogate '{name}'"] = partial(loaded.surrogate, name)
        tries[f"the configuration of surrogate '{name}'"] = partial(_configured, record, "surrogate", name)
    for name in record.sequence_families:
        tries[f"the family '{name}'"] = partial(loaded.sequence_family, name)
    faults = {}
    for what, attempt in tries.items():
        try:
            attempt()
        except Exception as error:
            faults[what] = f"{type(error).__name__}: {error}"
    return faults


def _configured(record: PluginRecord, group: str, name: str) -> None:
    """Raise `FileNotFoundError` unless the wheel holds the choice `name` of a configuration group."""
    package = (record.search_path or "pkg://").removeprefix("pkg://")
    if not package or not (resources.files(package) / group / f"{name}.yaml").is_file():
        raise FileNotFoundError(f"{group}/{name}.yaml is not in the wheel's package '{package}'")


if __name__ == "__main__":
    print(json.dumps(trial(Path(sys.argv[1]))))
