"""The loading loop: import, check and question each plugin that is switched on, and let none take the host down."""

from __future__ import annotations

import sys
import textwrap
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from importlib import import_module
from typing import Any

from pluggy import PluginManager

from spinloom.errors import PluginError
from spinloom.registry import checks
from spinloom.registry.configuration_files import choices
from spinloom.registry.missing_modules import how_to_install
from spinloom.registry.records import PluginRecord
from spinloom.registry.state import reasons_off


def load_plugins(manager: PluginManager, found: Iterable[PluginRecord]) -> tuple[PluginRecord, ...]:
    """Load the plugins that are switched on, in order, and register the sound ones with `manager`.

    Returns the records of all, in the same order.  The first plugin to take a name keeps it.
    """
    found = tuple(found)
    off = reasons_off(record.name for record in found)
    loaded: list[PluginRecord] = []
    for record in found:
        if record.name in off:
            record = replace(record, status="disabled", reason=off[record.name])
        elif record.ok:
            record = _load(manager, record, loaded)
        loaded.append(record)
    return tuple(loaded)


def _load(manager: PluginManager, record: PluginRecord, earlier: Iterable[PluginRecord]) -> PluginRecord:
    """The record of a plugin, filled by what the plugin says or by why it does not run."""
    try:
        with foreign_code("Loading it"):
            return _question(manager, record, earlier)
    except checks.IncompatibleError as error:
        return replace(record, status="incompatible", reason=str(error))
    except PluginError as error:
        reason = f"{error}{how_to_install(error.__cause__, record.distribution)}"
        return replace(record, status="broken", reason=reason, traceback=_traceback(error))


def _question(manager: PluginManager, record: PluginRecord, earlier: Iterable[PluginRecord]) -> PluginRecord:
    """Import the plugin, ask what it provides and register it."""
    checks.check_module_name(record.module)
    with foreign_code(f"Importing '{record.module}'"):
        module = import_module(record.module)
    if twin := manager.get_name(module):
        raise PluginError(f"Its module '{record.module}' is that of plugin '{twin}' already.")
    record = replace(record, api_version=checks.check_api(module))
    record = _ask(record, checks.hook_implementations(manager, module))
    _check_names_free(record, earlier)
    _check_choices_free(record, earlier)
    manager.register(module, record.name)
    return record


def _ask(record: PluginRecord, hooks: Mapping[str, Callable[..., Any]]) -> PluginRecord:
    """The record with the answers of the plugin's hooks."""
    answers: dict[str, Any] = {}
    for field, convert in _QUESTIONS.items():
        hook = f"spinloom_{field}"
        if hook in hooks:
            with foreign_code(f"Its hook '{hook}'"):
                answer = hooks[hook]()
            answers[field] = convert(hook, answer)
    observes = (moment for moment in ("started", "finished") if f"spinloom_run_{moment}" in hooks)
    return replace(record, observes=tuple(observes), **answers)


_QUESTIONS: dict[str, Callable[[str, Any], Any]] = {
    "simulators": checks.class_table,
    "surrogates": checks.class_table,
    "sequence_families": checks.function_table,
    "search_path": checks.package_path,
}


_NAMED = {"simulator": "simulators", "surrogate": "surrogates", "sequence family": "sequence_families"}
"""What plugins provide under names of its own, with the field of the record."""


def _check_names_free(record: PluginRecord, earlier: Iterable[PluginRecord]) -> None:
    """Raise `PluginError` where an earlier sound plugin provides the same under the same name."""
    for other in earlier:
        for kind, names in _NAMED.items():
            for name in sorted(getattr(record, names).keys() & getattr(other, names).keys()):
                raise PluginError(
                    f"Its {kind} '{name}' has the name of one of plugin '{other.name}', "
                    f"so plugin '{record.name}' is left out; disable or rename either."
                )


def _check_choices_free(record: PluginRecord, earlier: Iterable[PluginRecord]) -> None:
    """Raise `PluginError` where the host or an earlier sound plugin has a choice of configuration already."""
    own = choices(record.search_path)
    others = {other.search_path: f"one of plugin '{other.name}'" for other in earlier if other.search_path}
    for path, whose in {"pkg://spinloom.conf": "one of Spinloom's own", **others}.items():
        if path == record.search_path:
            continue
        for taken in sorted(own & choices(path)):
            raise PluginError(
                f"Its configuration '{taken}' has the name of {whose}, which Hydra would take for it, so plugin "
                f"'{record.name}' is left out; rename either."
            )


@contextmanager
def foreign_code(action: str) -> Iterator[None]:
    """Run a plugin's own code: what it raises becomes a `PluginError` that begins with `action`.

    Even `SystemExit`; only an interrupt by the user passes, and a `PluginError`, which is a sentence already.
    What the plugin prints goes to standard error, because standard output is the command's answer.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (KeyboardInterrupt, PluginError):
        raise
    except BaseException as error:
        raise PluginError(f"{action} raised {_brief(error)}.") from error


def _brief(error: BaseException) -> str:
    """Type and message of an exception on one line."""
    try:
        message = textwrap.shorten(str(error), 200, placeholder=" ...").rstrip(".")
    except Exception:
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _traceback(error: PluginError) -> str:
    """Traceback of the plugin's own exception behind `error`, or nothing."""
    return "".join(traceback.format_exception(error.__cause__)) if error.__cause__ else ""
