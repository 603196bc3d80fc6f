"""The registry: finds simulators, surrogates and families of sequences by name among the plugins, and tells plugins of
runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pluggy

from spinloom import hookspecs
from spinloom.errors import PluginError, known_names
from spinloom.registry.discovery import discover
from spinloom.registry.loading import foreign_code, load_plugins
from spinloom.registry.missing_modules import how_to_install
from spinloom.registry.records import PluginRecord

if TYPE_CHECKING:
    from spinloom.interfaces import RunInfo, Simulator, Surrogate

log = logging.getLogger(__name__)


class Registry:
    """All installed plugins, sound or not; `records` has one for each, built-in ones first, then by name."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("spinloom")
        self._manager.add_hookspecs(hookspecs)
        self.records: tuple[PluginRecord, ...] = load_plugins(self._manager, discover())

    def record(self, name: str) -> PluginRecord:
        """The plugin `name`; `PluginError` where none of that name is installed."""
        for record in self.records:
            if record.name == name:
                return record
        known = known_names(name, {record.name for record in self.records})
        raise PluginError(f"Plugin '{name}' is not installed. {known}")

    def simulators(self) -> Mapping[str, str]:
        """Name of each simulator, with the name of its plugin."""
        return {name: record.name for record in self._sound() for name in record.simulators}

    def surrogates(self) -> Mapping[str, str]:
        """Name of each surrogate, with the name of its plugin."""
        return {name: record.name for record in self._sound() for name in record.surrogates}

    def sequence_families(self) -> Mapping[str, str]:
        """Name of each family of sequences, with the name of its plugin."""
        return {name: record.name for record in self._sound() for name in record.sequence_families}

    def search_path(self) -> tuple[str, ...]:
        """Where Hydra finds the plugins' configuration, as `pkg://package`."""
        return tuple(dict.fromkeys(record.search_path for record in self._sound() if record.search_path))

    def simulator(self, name: str) -> type[Simulator]:
        """The class of the simulator `name`, imported now.

        `PluginError` where no plugin has it, where the plugin of that name does not run, or where its class
        cannot be imported.
        """
        plugin = self._provider("Simulator", name, self.simulators())
        path = plugin.simulators[name]
        found: type[Simulator] = _imported(f"Simulator '{name}'", plugin, path, type)
        return found

    def surrogate(self, name: str) -> type[Surrogate]:
        """The class of the surrogate `name`, imported now.

        `PluginError` where no plugin has it, where the plugin of that name does not run, or where its class
        cannot be imported.
        """
        plugin = self._provider("Surrogate", name, self.surrogates())
        path = plugin.surrogates[name]
        found: type[Surrogate] = _imported(f"Surrogate '{name}'", plugin, path, type)
        return found

    def sequence_family(self, name: str) -> Callable[..., Any]:
        """The function that builds the family `name`, imported now.

        `PluginError` where no plugin has it, where the plugin of that name does not run, or where its function
        cannot be imported.
        """
        plugin = self._provider("Family", name, self.sequence_families())
        path = plugin.sequence_families[name]
        found: Callable[..., Any] = _imported(f"Family '{name}'", plugin, path, Callable)
        return found

    def run_started(self, run: RunInfo) -> None:
        """Tell the observing plugins that a run has begun; one that fails is warned about and breaks nothing."""
        self._tell("spinloom_run_started", {"run": run})

    def run_finished(self, run: RunInfo, status: str) -> None:
        """Tell the observing plugins that a run has ended with `status`, `FINISHED` or `FAILED`."""
        self._tell("spinloom_run_finished", {"run": run, "status": status})

    def report(self) -> None:
        """Log one warning for each plugin that is broken or incompatible."""
        for record in self.records:
            if record.status in ("broken", "incompatible"):
                log.warning("%s", record.complaint)

    def _provider(self, kind: str, name: str, plugins: Mapping[str, str]) -> PluginRecord:
        """The plugin that provides `name`; `PluginError` where none of `plugins` does."""
        if name in plugins:
            return self.record(plugins[name])
        for record in self.records:
            if record.name == name and not record.ok:
                raise PluginError(record.complaint)
        raise PluginError(f"{kind} '{name}' is unknown. {known_names(name, plugins)}{self._absent()}")

    def _sound(self) -> list[PluginRecord]:
        return [record for record in self.records if record.ok]

    def _absent(self) -> str:
        """End of a message: plugins that do not run and might have had what was asked for."""
        absent = [f"{record.name} ({record.status})" for record in self.records if not record.ok]
        return f" Plugins that do not run: {', '.join(absent)}; see 'spinloom plugins'." if absent else ""

    def _tell(self, hook: str, given: Mapping[str, Any]) -> None:
        """Call every implementation of a hook in pluggy's order, each on its own."""
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            arguments = (given[name] for name in implementation.argnames)
            try:
                with foreign_code(f"Its hook '{hook}'"):
                    implementation.function(*arguments)
            except PluginError as error:
                log.warning("Plugin '%s' could not observe the run. %s", implementation.plugin_name, error)


def _imported(what: str, plugin: PluginRecord, path: str, kind: Any) -> Any:
    """The class or function at `module:name` that a sound plugin names for `what`."""
    what = f"{what} of plugin '{plugin.name}'"
    module, _, attribute = path.partition(":")
    try:
        with foreign_code(f"Importing '{path}'"):
            found = attrgetter(attribute)(import_module(module))
    except PluginError as error:
        hint = how_to_install(error.__cause__, plugin.distribution)
        raise PluginError(f"{what} cannot be used. {error}{hint}") from error
    if not isinstance(found, kind):
        raise PluginError(f"{what} is '{path}', which is not a {'class' if kind is type else 'function'}.")
    return found
