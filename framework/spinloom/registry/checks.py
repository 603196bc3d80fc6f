"""What a plugin module must state before the host believes it; each fault is one sentence for its author."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

from pluggy import PluginManager

from spinloom import hookspecs
from spinloom.errors import PluginError
from spinloom.hookspecs import API_VERSION

_SPECIFICATIONS: Mapping[str, Callable[..., Any]] = {
    name: value for name, value in vars(hookspecs).items() if hasattr(value, "spinloom_spec")
}
_VERSION = re.compile(r"(\d+)\.(\d+)")
_DOTTED = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_MEMBER = re.compile(f"{_DOTTED}:{_DOTTED}")
_MODULE = re.compile(_DOTTED)
_PACKAGE = re.compile(f"pkg://{_DOTTED}")


class IncompatibleError(PluginError):
    """A sound plugin for another version of the plugin API."""


def check_module_name(value: str) -> None:
    """Raise `PluginError` unless the entry point's value is the name of a module."""
    if not _MODULE.fullmatch(value):
        raise PluginError(f"Its entry point names '{value}', which is not a module such as 'package.module'.")


def check_api(module: ModuleType) -> str:
    """The plugin API that a module was written for; `IncompatibleError` where this host has another."""
    stated = getattr(module, "SPINLOOM_API", None)
    if stated is None:
        raise PluginError(
            f"Its module '{module.__name__}' does not state SPINLOOM_API, the plugin API that it was "
            f'written for, such as SPINLOOM_API = "{API_VERSION}".'
        )
    match = _VERSION.fullmatch(stated) if isinstance(stated, str) else None
    if match is None:
        raise PluginError(f'Its SPINLOOM_API is {stated!r}, which is not text such as "{API_VERSION}".')
    major, minor = (int(part) for part in API_VERSION.split("."))
    if int(match[1]) != major or int(match[2]) > minor:
        raise IncompatibleError(
            f"It was written for plugin API {stated}, and this Spinloom has {API_VERSION}; "
            f"install versions of the two that agree."
        )
    return stated


def hook_implementations(manager: PluginManager, module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The module's functions by the hook that each implements, checked against the hook's specification."""
    found: dict[str, Callable[..., Any]] = {}
    for attribute, value in vars(module).items():
        options = manager.parse_hookimpl_opts(module, attribute)
        if options is None:
            _check_marked(attribute, value)
            continue
        hook = options.get("specname") or attribute
        if hook not in _SPECIFICATIONS:
            raise PluginError(f"It implements '{hook}', which is no hook; {_nearest(hook, _SPECIFICATIONS)}")
        if hook in found:
            raise PluginError(f"It implements the hook '{hook}' twice; one function is enough.")
        if options.get("wrapper") or options.get("hookwrapper"):
            raise PluginError(f"It wraps the hook '{hook}', which Spinloom does not offer; use plain @hookimpl.")
        _check_parameters(hook, value)
        found[hook] = value
    return found


def _check_marked(attribute: str, value: Any) -> None:
    if attribute in _SPECIFICATIONS and value is not _SPECIFICATIONS[attribute]:
        raise PluginError(f"Its function '{attribute}' lacks the decorator @hookimpl.")


def _check_parameters(hook: str, function: Callable[..., Any]) -> None:
    """Raise `PluginError` where the function wants what the hook does not give."""
    given = inspect.signature(_SPECIFICATIONS[hook]).parameters
    for name, parameter in inspect.signature(function).parameters.items():
        optional = parameter.default is not parameter.empty
        if name not in given and not optional and parameter.kind not in _VARIADIC:
            raise PluginError(f"Its hook '{hook}' takes the unknown parameter '{name}'; {_nearest(name, given)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    """End of a sentence about an unknown name: the nearest known one, or all of them."""
    options = sorted(known)
    nearest = difflib.get_close_matches(name, options, n=1)
    return f"did you mean '{nearest[0]}'?" if nearest else f"known: {', '.join(options) or 'none'}."


_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def class_table(hook: str, answer: Any) -> Mapping[str, str]:
    """A hook's answer as an immutable table of names with their class; `PluginError` unless it is one."""
    return _table(hook, answer, "module:Class")


def function_table(hook: str, answer: Any) -> Mapping[str, str]:
    """A hook's answer as an immutable table of names with their function; `PluginError` unless it is one."""
    return _table(hook, answer, "module:function")


def _table(hook: str, answer: Any, form: str) -> Mapping[str, str]:
    if not isinstance(answer, Mapping):
        raise PluginError(f"Its hook '{hook}' returned {type(answer).__name__}, not a mapping of names to '{form}'.")
    for name, path in answer.items():
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            raise PluginError(f"Its hook '{hook}' gives the name {name!r}; use letters, digits and '_.-'.")
        if not (isinstance(path, str) and _MEMBER.fullmatch(path)):
            raise PluginError(f"Its hook '{hook}' gives '{name}' as {path!r}, not as text '{form}'.")
    return MappingProxyType(dict(answer))


def package_path(hook: str, answer: Any) -> str:
    """A hook's answer as the package of a Hydra search path; `PluginError` unless it is one."""
    if not (isinstance(answer, str) and _PACKAGE.fullmatch(answer)):
        raise PluginError(f"Its hook '{hook}' returned {answer!r}, not text such as 'pkg://package.conf'.")
    return answer
