"""Run as a module on the path of an unpacked wheel: tries what each of its plugins provides, prints JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from spinloom import registry
from spinloom.registry import PluginRecord
from spinloom.testing.composing import compose


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
        tries[f"the configuration of simulator '{name}'"] = partial(compose, "simulator", name)
    for name in record.surrogates:
        tries[f"surrogate '{name}'"] = partial(loaded.surrogate, name)
        tries[f"the configuration of surrogate '{name}'"] = partial(compose, "surrogate", name)
    for name in record.sequence_families:
        tries[f"the family '{name}'"] = partial(loaded.sequence_family, name)
    faults = {}
    for what, attempt in tries.items():
        try:
            attempt()
        except Exception as error:
            if "is not given; add" in str(error):  # an option without a default, for the user to state
                continue
            faults[what] = f"{type(error).__name__}: {error}"
    return faults


if __name__ == "__main__":
    print(json.dumps(trial(Path(sys.argv[1]))))
