"""The registry answers by name, with the reason where it cannot, and tells observers of runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spinloom import RunInfo, registry
from spinloom.errors import PluginError
from spinloom.registry import state

HEAD = 'from spinloom.hookspecs import hookimpl\nSPINLOOM_API = "1.0"\n'


def _simulators(table: dict[str, str]) -> str:
    return f"{HEAD}@hookimpl\ndef spinloom_simulators(): return {table}\n"


def _observer(body: str) -> str:
    return (
        f"{HEAD}@hookimpl\ndef spinloom_run_started(run):\n    {body}\n"
        f"@hookimpl\ndef spinloom_run_finished(status, run):\n    {body}\n"
    )


@pytest.fixture
def run(tmp_path: Path) -> RunInfo:
    return RunInfo(task="simulate", run_id=None, output=tmp_path, config={})


def test_a_simulator_is_the_class_that_its_plugin_names(install_plugin) -> None:
    install_plugin("physics", _simulators({"exact": "json.decoder:JSONDecoder"}))
    loaded = registry.load()
    assert loaded.simulators()["exact"] == "physics"
    assert loaded.simulator("exact") is json.JSONDecoder


def test_the_built_in_plugin_is_behind_the_same_door(settings_folder: Path) -> None:
    record = registry.load().record("cest")
    assert record.ok
    assert record.distribution == "spinloom"
    assert record.simulators == {"cest": "spinloom_cest.simulator:CestSimulator"}
    assert record.search_path in registry.load().search_path()


def test_an_unknown_simulator_is_an_error_with_the_nearest(settings_folder: Path) -> None:
    with pytest.raises(PluginError, match=r"Simulator 'cset' is unknown\. Did you mean 'cest'\?"):
        registry.load().simulator("cset")


def test_an_unknown_simulator_may_be_of_a_plugin_that_does_not_run(install_plugin) -> None:
    install_plugin("boom", "raise ValueError")
    with pytest.raises(PluginError, match=r"Plugins that do not run: boom \(broken\)"):
        registry.load().simulator("exact")


def test_a_broken_plugin_asked_for_by_name_fails_with_its_stored_reason(install_plugin) -> None:
    install_plugin("boom", "raise ValueError('no coils')")
    with pytest.raises(PluginError, match=r"Plugin 'boom' is broken\. Importing '.*' raised ValueError: no coils\."):
        registry.load().simulator("boom")


def test_a_disabled_plugin_asked_for_by_name_says_how_to_enable_it(settings_folder: Path) -> None:
    state.disable("cest", ["cest"])
    with pytest.raises(PluginError, match=r"Plugin 'cest' is disabled.*'spinloom plugins enable cest'"):
        registry.load().simulator("cest")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("no_such_module:Simulator", "ModuleNotFoundError", id="its module is missing"),
        pytest.param("json:Simulator", "AttributeError: module 'json'", id="its class is missing"),
        pytest.param("json:loads", "'json:loads', which is not a class", id="it is a function"),
    ],
)
def test_a_simulator_that_cannot_be_imported_names_plugin_class_and_reason(
    path: str, reason: str, install_plugin
) -> None:
    install_plugin("physics", _simulators({"exact": path}))
    with pytest.raises(PluginError) as caught:
        registry.load().simulator("exact")
    for part in ("Simulator 'exact'", "plugin 'physics'", path, reason):
        assert part in str(caught.value)


def test_search_paths_are_given_in_the_order_of_plugins_and_once(install_plugin) -> None:
    body = "@hookimpl\ndef spinloom_search_path(): return 'pkg://{}'\n"
    install_plugin("beta", HEAD + body.format("shared.conf"))
    install_plugin("alpha", HEAD + body.format("shared.conf"))
    install_plugin("gamma", HEAD + body.format("gamma.conf"))
    assert registry.load().search_path()[-2:] == ("pkg://shared.conf", "pkg://gamma.conf")


def test_observers_are_told_of_begin_and_end(install_plugin, run: RunInfo) -> None:
    install_plugin("watcher", _observer("(run.output / 'seen').open('a').write(run.task + ' ')"))
    loaded = registry.load()
    assert loaded.record("watcher").observes == ("started", "finished")
    loaded.run_started(run)
    loaded.run_finished(run, "FINISHED")
    assert (run.output / "seen").read_text() == "simulate simulate "


@pytest.mark.parametrize("body", ["1 / 0", "raise SystemExit"])
def test_a_failing_observer_is_warned_about_and_stops_neither_the_run_nor_others(
    body: str, install_plugin, run: RunInfo, caplog: pytest.LogCaptureFixture
) -> None:
    install_plugin("afirst", _observer("(run.output / 'afirst').touch()"))
    install_plugin("faulty", _observer(body))
    install_plugin("watcher", _observer("(run.output / 'watcher').touch()"))
    registry.load().run_finished(run, "FAILED")
    (message,) = caplog.messages
    assert message.startswith("Plugin 'faulty' could not observe the run. Its hook 'spinloom_run_finished' raised")
    assert {path.name for path in run.output.glob("[aw]*")} == {"afirst", "watcher"}


def test_broken_and_incompatible_plugins_are_reported_once_a_process(
    install_plugin, caplog: pytest.LogCaptureFixture
) -> None:
    install_plugin("boom", "raise ValueError('no coils')")
    install_plugin("future", 'SPINLOOM_API = "9.0"')
    install_plugin("sleeper", "")
    state.disable("sleeper", ["sleeper"])
    registry.plugins.cache_clear()
    try:
        assert registry.plugins() is registry.plugins()
    finally:
        registry.plugins.cache_clear()
    assert [message.split(".")[0] for message in caplog.messages] == [
        "Plugin 'boom' is broken",
        "Plugin 'future' is incompatible",
    ]
