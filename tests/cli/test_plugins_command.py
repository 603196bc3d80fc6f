"""`spinloom plugins` with plugins that pip installed as distributions of their own, good ones and misfits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

MISFITS = {
    "exits": ("broken", "Importing 'spinloom_misfits.exits' raised SystemExit: 7."),
    "future": ("incompatible", "It was written for plugin API 2.0, and this Spinloom has 1.1; "),
    "misspelt": ("broken", "It implements 'spinloom_simulator', which is no hook; did you mean 'spinloom_simulators'?"),
    "raises": ("broken", "Importing 'spinloom_misfits.raises' raised RuntimeError: no coils in this scanner."),
    "twin": ("broken", "Its simulator 'toy' has the name of one of plugin 'toy', so plugin 'twin' is left out; "),
}

pytestmark = pytest.mark.usefixtures("settings_folder")


def _listed(environment, **variables: str) -> dict[str, dict]:
    done = environment.python("-m", "spinloom", "plugins", "--json", **variables)
    assert done.returncode == 0, done.stderr
    return {plugin["name"]: plugin for plugin in json.loads(done.stdout)}


def test_the_list_tells_all_of_a_good_plugin(plugin_environment) -> None:
    assert _listed(plugin_environment)["toy"] == {
        "name": "toy",
        "kinds": ["simulator", "configuration", "observer"],
        "simulators": {"toy": "spinloom_toy.simulator:ToySimulator"},
        "surrogates": {},
        "sequence_families": {},
        "search_path": "pkg://spinloom_toy.conf",
        "observes": ["finished"],
        "module": "spinloom_toy",
        "api_version": "1.0",
        "distribution": "spinloom-toy",
        "version": "0.3",
        "status": "ok",
        "reason": "",
    }


@pytest.mark.parametrize(("name", "expected"), MISFITS.items(), ids=MISFITS)
def test_the_list_gives_the_reason_of(name: str, expected: tuple[str, str], plugin_environment) -> None:
    status, reason = expected
    listed = _listed(plugin_environment)
    assert listed[name]["status"] == status
    assert listed[name]["reason"].startswith(reason)
    assert listed["cest"]["status"] == "ok"


def test_the_table_is_aligned_and_fits_100_columns(plugin_environment) -> None:
    lines = plugin_environment.python("-m", "spinloom", "plugins").stdout.splitlines()
    assert max(map(len, lines)) <= 100
    header = lines[0]
    assert header.split() == ["name", "status", "provides", "distribution", "version"]
    (toy,) = (line for line in lines if line.startswith("toy "))
    for column, value in (("status", "ok"), ("provides", "simulator toy;"), ("distribution", "spinloom-toy")):
        assert toy[header.index(column) :].startswith(value)
    raises = lines.index(next(line for line in lines if line.startswith("raises ")))
    assert lines[raises + 1].strip() == MISFITS["raises"][1]


def test_show_gives_all_details(plugin_environment) -> None:
    shown = plugin_environment.python("-m", "spinloom", "plugins", "show", "toy").stdout.splitlines()
    assert [line.split(maxsplit=1) for line in shown if not line.startswith(("plugin API", "search path"))] == [
        ["name", "toy"],
        ["status", "ok"],
        ["distribution", "spinloom-toy 0.3"],
        ["module", "spinloom_toy"],
        ["simulator", "toy = spinloom_toy.simulator:ToySimulator"],
        ["observes", "run finished"],
    ]
    assert "plugin API    1.0" in shown
    assert "search path   pkg://spinloom_toy.conf" in shown


def test_show_gives_the_traceback_that_broke_a_plugin(plugin_environment) -> None:
    done = plugin_environment.python("-m", "spinloom", "plugins", "show", "raises")
    assert done.returncode == 0
    assert "RuntimeError: no coils in this scanner" in done.stdout.splitlines()[-1]
    assert "raises.py" in done.stdout


def test_disable_and_enable_last_from_one_process_to_the_next(plugin_environment) -> None:
    done = plugin_environment.python("-m", "spinloom", "plugins", "disable", "toy")
    assert (done.returncode, done.stdout) == (0, "Plugin 'toy' is disabled.\n")
    listed = _listed(plugin_environment)
    assert (listed["toy"]["status"], listed["toy"]["simulators"]) == ("disabled", {})
    assert "'spinloom plugins enable toy'" in listed["toy"]["reason"]
    assert listed["twin"]["status"] == "ok"
    plugin_environment.python("-m", "spinloom", "plugins", "enable", "toy")
    assert _listed(plugin_environment)["toy"]["status"] == "ok"


@pytest.mark.parametrize("verb", ["disable", "enable", "show"])
def test_an_unknown_name_is_an_error_with_the_nearest(verb: str, plugin_environment) -> None:
    done = plugin_environment.python("-m", "spinloom", "plugins", verb, "tyo")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: Plugin 'tyo' is not installed. Did you mean 'toy'?")


def test_a_corrupt_state_file_is_an_error_that_names_it(plugin_environment, settings_folder: Path) -> None:
    settings_folder.mkdir()
    (settings_folder / "plugins.json").write_text("{")
    done = plugin_environment.python("-m", "spinloom", "plugins")
    assert done.returncode == 1
    assert str(settings_folder / "plugins.json") in done.stderr
    assert "delete the file" in done.stderr


def test_the_variable_allows_only_the_plugins_it_names(plugin_environment) -> None:
    listed = _listed(plugin_environment, SPINLOOM_PLUGINS="cest,toy")
    assert {name for name, plugin in listed.items() if plugin["status"] == "ok"} == {"cest", "toy"}
    assert {listed[name]["status"] for name in MISFITS} == {"disabled"}
    assert listed["raises"]["reason"] == "The variable SPINLOOM_PLUGINS allows only cest, toy."


def test_plugins_are_found_after_mlflow_has_replaced_the_finder_of_distributions(plugin_environment) -> None:
    script = (
        "import importlib.metadata, mlflow\n"
        "entry, *_ = importlib.metadata.distribution('spinloom').entry_points\n"
        "assert not isinstance(entry, importlib.metadata.EntryPoint), 'no longer another class'\n"
        "from spinloom import registry\n"
        "print({'cest', 'toy'} <= registry.load().simulators().keys())"
    )
    done = plugin_environment.python("-c", script)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "True\n"


def test_each_misfit_is_warned_about_in_one_line(plugin_environment) -> None:
    script = "from spinloom import registry; registry.plugins(); registry.plugins()"
    lines = plugin_environment.python("-c", script).stderr.splitlines()
    warned = sorted(line for line in lines if line.startswith("Plugin "))
    assert [line.split("'")[1] for line in warned] == sorted(MISFITS)


def test_the_toy_plugin_simulates_and_observes_the_run(plugin_environment, tmp_path: Path) -> None:
    done = plugin_environment.python("-c", _TOY_RUN, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "toy.txt").read_text() == "simulate FINISHED\n"
    assert "could not observe" not in done.stderr


_TOY_RUN = """
import math, sys, pathlib, torch, pypulseq, spinloom
from spinloom import registry
from spinloom.tissue.pools import Water

folder = pathlib.Path(sys.argv[1])
sequence = pypulseq.Sequence()
sequence.add_block(pypulseq.make_delay(1.5))
sequence.add_block(pypulseq.make_adc(num_samples=2, dwell=0.25))
sequence.write(str(folder / "wait.seq"))

one, t1 = torch.tensor(1.0), torch.tensor([0.5, 2.0])
tissue = spinloom.Tissue(
    name="two waters", water=Water(f=torch.ones(2), t1=t1, t2=t1), exchanging=(), semisolid=(), b0=one, gamma=one,
    b0_shift_ppm=one, rel_b1=one, initial_scale=one, reset=False, max_pulse_samples=1,
)
solver = registry.plugins().simulator("toy")(spinloom.Numerics())
assert isinstance(solver, spinloom.Simulator)
signal = solver.simulate(spinloom.read_sequence(folder / "wait.seq"), tissue)
expected = [[1 - math.exp(-t / T) for t in (1.625, 1.875)] for T in (0.5, 2.0)]
torch.testing.assert_close(signal.mz, torch.tensor(expected, dtype=torch.float64))

run = spinloom.RunInfo(task="simulate", run_id=None, output=folder, config={})
registry.plugins().run_finished(run, "FINISHED")
"""
