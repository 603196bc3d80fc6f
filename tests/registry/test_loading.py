"""A plugin that is wrong in any way is described by one sentence and breaks nothing else."""

from __future__ import annotations

import re
import sys

import pytest

from spinloom import API_VERSION, registry
from spinloom.registry import PluginRecord, state

SOUND = """
from spinloom.hookspecs import hookimpl
SPINLOOM_API = "1.0"
@hookimpl
def spinloom_simulators():
    return {"sound": "json:JSONDecoder"}
"""


def _plugin(body: str, api: str = 'SPINLOOM_API = "1.0"') -> str:
    return f"from spinloom.hookspecs import hookimpl\n{api}\n{body}\n"


def _hook(signature: str, answer: str) -> str:
    return _plugin(f"@hookimpl\ndef {signature}:\n    {answer}")


FAULTS = {
    "raises": ('raise OSError("no scanner.")', "Importing '.*' raised OSError: no scanner\\."),
    "raises without a message": ("raise ValueError", "Importing '.*' raised ValueError\\."),
    "raises what cannot be shown": (
        "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
        "Importing '.*' raised E\\.",
    ),
    "raises outside Exception": ("class E(BaseException): pass\nraise E('out')", "raised E: out\\."),
    "exits": ("raise SystemExit(3)", "Importing '.*' raised SystemExit: 3\\."),
    "does not parse": ("def f(:", "Importing '.*' raised SyntaxError: invalid syntax"),
    "lacks a dependency": ("import no_such_module", "raised ModuleNotFoundError: No module named"),
    "states no API": (_plugin("", api=""), 'does not state SPINLOOM_API.* such as SPINLOOM_API = "1.1"'),
    "states its API as a number": (_plugin("", api="SPINLOOM_API = 1.0"), "SPINLOOM_API is 1.0, which is not"),
    "states its API as one part": (_plugin("", api='SPINLOOM_API = "1"'), "SPINLOOM_API is '1', which is not"),
    "misspells a hook": (
        _hook("spinloom_serch_path()", "return 'pkg://a'"),
        "'spinloom_serch_path', which is no hook; did you mean 'spinloom_search_path'\\?",
    ),
    "misspells a parameter": (
        _hook("spinloom_run_finished(run, state)", "pass"),
        "unknown parameter 'state'; did you mean 'status'\\?",
    ),
    "wants a parameter of a hook that has none": (
        _hook("spinloom_simulators(config)", "return {}"),
        "unknown parameter 'config'; known: none\\.",
    ),
    "forgets the decorator": (
        _plugin("def spinloom_simulators(): return {}"),
        "'spinloom_simulators' lacks the decorator @hookimpl\\.",
    ),
    "wraps a hook": (
        _plugin("@hookimpl(wrapper=True)\ndef spinloom_simulators():\n    return (yield)"),
        "wraps the hook 'spinloom_simulators'",
    ),
    "implements a hook twice": (
        _hook("spinloom_search_path()", "return 'pkg://a'")
        + "@hookimpl(specname='spinloom_search_path')\ndef other(): return 'pkg://b'",
        "implements the hook 'spinloom_search_path' twice",
    ),
    "raises in a hook": (_hook("spinloom_simulators()", "1 / 0"), "hook '.*' raised ZeroDivisionError: division"),
    "exits in a hook": (_hook("spinloom_simulators()", "raise SystemExit"), "hook '.*' raised SystemExit\\."),
    "returns nothing": (_hook("spinloom_simulators()", "pass"), "returned NoneType, not a mapping"),
    "returns a list": (_hook("spinloom_surrogates()", "return ['net']"), "returned list, not a mapping"),
    "returns a class instead of its path": (
        _hook("spinloom_simulators()", "return {'s': dict}"),
        "gives 's' as <class 'dict'>, not as text 'module:Class'",
    ),
    "returns a path without a class": (
        _hook("spinloom_simulators()", "return {'s': 'package.module'}"),
        "gives 's' as 'package.module', not as text 'module:Class'",
    ),
    "returns a name with a slash": (
        _hook("spinloom_simulators()", "return {'a/b': 'm:C'}"),
        "gives the name 'a/b'; use letters",
    ),
    "returns a folder as search path": (
        _hook("spinloom_search_path()", "return '/conf'"),
        "returned '/conf', not text such as 'pkg://package.conf'",
    ),
    "answers with a mapping that raises": (
        _hook(
            "spinloom_simulators()",
            "return type('M', (dict,), {'items': lambda self: 1 / 0})()",
        ),
        "raised ZeroDivisionError",
    ),
}


def _record(name: str) -> PluginRecord:
    return registry.load().record(name)


@pytest.mark.parametrize(("source", "reason"), FAULTS.values(), ids=FAULTS.keys())
def test_a_plugin_is_broken_that(source: str, reason: str, install_plugin) -> None:
    install_plugin("faulty", source)
    install_plugin("sound", SOUND)
    loaded = registry.load()
    faulty = loaded.record("faulty")
    assert faulty.status == "broken"
    assert re.search(reason, faulty.reason)
    assert "\n" not in faulty.reason
    assert (faulty.simulators, faulty.search_path, faulty.observes) == ({}, None, ())
    assert loaded.record("sound").ok
    assert "sound" in loaded.simulators()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("json:loads", "names 'json:loads', which is not a module"),
        ("", "names '', which is not a module"),
        ("spinloom_cest", "module 'spinloom_cest' is that of plugin 'cest' already"),
    ],
)
def test_an_entry_point_must_name_a_module_of_its_own(value: str, reason: str, install_plugin) -> None:
    install_plugin("faulty", "", value=value)
    assert reason in _record("faulty").reason


@pytest.mark.parametrize("version", ["1.2", "2.0", "0.9"])
def test_a_plugin_for_another_api_is_incompatible_and_both_versions_are_named(version: str, install_plugin) -> None:
    install_plugin("other", _plugin("", api=f'SPINLOOM_API = "{version}"'))
    record = _record("other")
    assert record.status == "incompatible"
    assert f"plugin API {version}, and this Spinloom has {API_VERSION}" in record.reason


def test_a_plugin_for_an_earlier_minor_version_runs(install_plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spinloom.registry.checks.API_VERSION", "1.4")
    install_plugin("earlier", _plugin("", api='SPINLOOM_API = "1.3"'))
    assert _record("earlier").ok


def test_the_second_plugin_with_a_simulators_name_is_broken_and_both_are_named(install_plugin) -> None:
    install_plugin("beta", SOUND)
    install_plugin("alpha", SOUND)
    loaded = registry.load()
    assert loaded.simulators()["sound"] == "alpha"
    assert loaded.record("beta").reason == (
        "Its simulator 'sound' has the name of one of plugin 'alpha', so plugin 'beta' is left out; "
        "disable or rename either."
    )


def test_disabling_the_first_lets_the_second_in(install_plugin) -> None:
    install_plugin("alpha", SOUND)
    install_plugin("beta", SOUND)
    state.disable("alpha", ["alpha", "beta"])
    assert registry.load().simulators()["sound"] == "beta"


def test_a_disabled_plugin_is_not_imported(install_plugin) -> None:
    install_plugin("sleeper", "raise AssertionError")
    state.disable("sleeper", ["sleeper"])
    record = _record("sleeper")
    assert record.status == "disabled"
    assert "'spinloom plugins enable sleeper'" in record.reason
    assert record.module not in sys.modules


def test_a_plugin_that_the_variable_leaves_out_is_not_imported(install_plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    install_plugin("sleeper", "raise AssertionError")
    monkeypatch.setenv("SPINLOOM_PLUGINS", "cest")
    record = _record("sleeper")
    assert (record.status, record.reason) == ("disabled", "The variable SPINLOOM_PLUGINS allows only cest.")
    assert record.module not in sys.modules


def test_an_interrupt_by_the_user_passes(install_plugin) -> None:
    install_plugin("slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        registry.load()


def test_what_a_plugin_prints_stays_off_standard_output(install_plugin, capsys: pytest.CaptureFixture[str]) -> None:
    install_plugin("chatty", _plugin("print('hello')"))
    assert _record("chatty").ok
    assert capsys.readouterr() == ("", "hello\n")


def test_the_traceback_of_a_broken_plugin_is_kept_for_its_author(install_plugin) -> None:
    install_plugin("faulty", "def scan():\n    1 / 0\nscan()")
    assert "in scan" in _record("faulty").traceback
