"""Which plugins are installed, read from the metadata of distributions alone: nothing is imported.

Entry points are told by what they hold, never by their class, which is another one once `importlib_metadata`
(that mlflow imports) has taken over the finding of distributions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import Distribution, distributions

from spinloom.hookspecs import ENTRY_POINT_GROUP
from spinloom.registry.records import PluginRecord

BUILT_IN = "spinloom"
"""Distribution of the built-in plugins, which come first."""


def discover() -> tuple[PluginRecord, ...]:
    """Every installed plugin once, built-in ones first, then sorted by name; none is imported.

    A second plugin of the same name, and a distribution whose entry points cannot be read, are broken already.
    """
    found = [record for stated in _distributions() for record in _entries(*stated)]
    found.sort(key=lambda record: (record.distribution != BUILT_IN, record.name, record.distribution))
    first: dict[str, PluginRecord] = {}
    return tuple(_unique(record, first.setdefault(record.name, record)) for record in found)


def _distributions() -> Iterator[tuple[Distribution, str, str]]:
    """Distributions with plugins, name and version: the first of each name on the search path of modules."""
    seen = set()
    for distribution in distributions():
        if not _states_plugins(distribution):
            continue
        name, version = _name_and_version(distribution)
        if name not in seen:
            seen.add(name)
            yield distribution, name, version


def _states_plugins(distribution: Distribution) -> bool:
    """Whether the distribution's entry points name our group at all; others are not even parsed."""
    try:
        text = distribution.read_text("entry_points.txt")
    except (OSError, UnicodeDecodeError):
        return False
    return f"[{ENTRY_POINT_GROUP}]" in (text or "")


def _name_and_version(distribution: Distribution) -> tuple[str, str]:
    """As the metadata state them; a half-removed distribution has none."""
    try:
        return str(distribution.name), str(distribution.version)
    except Exception:  # each version of the metadata library raises another one
        return "unknown", "unknown"


def _entries(distribution: Distribution, name: str, version: str) -> list[PluginRecord]:
    """The plugins that a distribution states, sound or not."""
    try:
        entries = [entry for entry in distribution.entry_points if entry.group == ENTRY_POINT_GROUP]
    except (TypeError, ValueError):
        reason = f"The entry points of distribution '{name}' cannot be read; install it again."
        return [PluginRecord(name, "", name, version, "broken", reason)]
    return [PluginRecord(entry.name, entry.value, name, version) for entry in entries]


def _unique(record: PluginRecord, first: PluginRecord) -> PluginRecord:
    """The record, broken where `first` has its name already."""
    if record is first:
        return record
    reason = (
        f"Its name '{record.name}' belongs to the plugin of distribution '{first.distribution}', "
        f"so the one of '{record.distribution}' is left out; uninstall either."
    )
    return replace(record, status="broken", reason=reason)
