"""The plugin host: which plugins are installed, what they provide, and the simulator behind a name.

Plugins are found by their entry points, loaded one by one behind a guard, and described by immutable records.
"""

from __future__ import annotations

from functools import cache

from spinloom.registry.discovery import discover
from spinloom.registry.host import Registry
from spinloom.registry.records import PluginRecord
from spinloom.registry.state import disable, enable

__all__ = ["PluginRecord", "Registry", "disable", "discover", "enable", "load", "plugins"]


def load() -> Registry:
    """Load the plugins anew, and leave what is wrong with them to the caller."""
    return Registry()


@cache
def plugins() -> Registry:
    """The registry of this process, loaded at the first call, which warns of broken plugins."""
    registry = load()
    registry.report()
    return registry
