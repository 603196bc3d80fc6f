"""The contracts catch slips of the pen: the scaffold's plugins, broken in one place each, fail the check named here."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from spinloom.errors import SpinloomError
from spinloom.registry import plugins
from spinloom.scaffold import package_files
from spinloom.testing import Deviation, SequenceFamilyContract, SimulatorContract, SurrogateContract
from spinloom.testing.experiments import two_markers


@dataclass(frozen=True)
class Mutant:
    """A slip: in which file `old` became `new`, which check finds it, and words of the sentence that says so."""

    file: str
    old: str
    new: str
    check: str
    words: str


CODE, HOOKS, CONF = "simulator.py", "__init__.py", "conf/simulator/{name}.yaml"

SIMULATORS = {
    "takes T2 for milliseconds": Mutant(
        CODE, "1 / tissue.water.t2,", "1e-3 / tissue.water.t2,", "free_induction", r"a unit \(seconds, hertz, ppm"
    ),
    "turns the other way": Mutant(
        CODE,
        "1e-6 - frequency)",
        "-1e-6 - frequency)",
        "free_induction",
        "a sign, a unit .* comparing .* would mislead",
    ),
    "gives times in milliseconds": Mutant(
        CODE, "np.concatenate(times)", "1000 * np.concatenate(times)", "shapes_and_units", "times are seconds"
    ),
    "gives percent": Mutant(
        CODE, "mz=found[..., 2, :]", "mz=100 * found[..., 2, :]", "shapes_and_units", "1 is the most that spins have"
    ),
    "ignores B1": Mutant(
        CODE,
        "* tissue.rel_b1",
        "* torch.ones_like(tissue.rel_b1)",
        "numbers_of_the_subject",
        "another b1: maps of the transmit field would be without",
    ),
    "ignores T1": Mutant(
        CODE, "= 1 / tissue.water.t1,", "= torch.ones_like(tissue.b0),", "numbers", "contrast of T1 would be missing"
    ),
    "never starts anew": Mutant(CODE, "block.adc and tissue.reset", "False", "numbers", "another reset: a tissue that"),
    "passes over pools": Mutant(CODE, "if subject.pools or", "if", "numbers", "another pools: .* taken for water"),
    "depends on the batch": Mutant(
        CODE,
        "1 / tissue.water.t1,",
        "1 / tissue.water.t1.mean().expand(tissue.b0.shape),",
        "batch",
        "simulated together",
    ),
    "draws from the system": Mutant(
        CODE, "found[..., 2, :],", "found[..., 2, :] * (1 - 1e-9 * __import__('random').random()),", "seed", "same seed"
    ),
    "drops an axis": Mutant(
        CODE, "mz=found[..., 2, :]", "mz=found[0, 2, :]", "shapes", "of shape .*, not .*, for a batch"
    ),
    "transposes": Mutant(
        CODE, "found[..., 2, :],", "found[..., 2, :].T,", "shapes", "voxels would be taken for samples"
    ),
    "computes in double": Mutant(
        CODE,
        "subject.to(self._numerics.dtype,",
        "subject.to(torch.float64,",
        "precision",
        "asked for float32 and computed",
    ),
    "forgets where it rests": Mutant(
        CODE, "-r1, r1), (zero", "-r1, 0.9 * r1), (zero", "equilibrium", "signal without RF"
    ),
    "is not linear": Mutant(
        CODE, "mz=found[..., 2, :]", "mz=found[..., 2, :] ** 3", "linear", "voxels could not be added"
    ),
    "loses the gradient": Mutant(
        CODE, "w.real * tissue.rel_b1", "w.real * tissue.rel_b1.detach()", "gradients", "a fit would walk the wrong way"
    ),
    "carries no gradient": Mutant(
        CODE,
        "        tissue = subject.to(",
        "        tissue = subject.map(Tensor.detach).to(",
        "gradients",
        "claims gradients",
    ),
    "declares nothing": Mutant(
        CODE, 'timeline=frozenset({"rf", "adc"}), ', "", "declares", "a traceback instead of a sentence"
    ),
    "declares what nobody knows": Mutant(CODE, '"rf", "adc"', '"rf", "ADC"', "declares", r"\['ADC'\], which the host"),
    "lives in one process": Mutant(
        CODE,
        "        tissue = subject.to(",
        "        if __import__('multiprocessing').parent_process():\n            raise OSError('no scanner')\n"
        "        tissue = subject.to(",
        "spawned",
        "fails in a spawned process with .*no scanner.* Sweeps",
    ),
    "imports torch to be listed": Mutant(
        HOOKS,
        "from spinloom.hookspecs",
        "import torch  # noqa\nfrom spinloom.hookspecs",
        "imports",
        "imports torch: every",
    ),
    "names another class": Mutant(HOOKS, "Simulator", "Simulater", "registers", "fails when it is chosen"),
    "has no configuration": Mutant(HOOKS, ".conf", "", "registers", "does not compose: 'simulator=.*' on the command"),
    "is configured as another": Mutant(CONF, "name: ", "name: x", "registers", "would run something else"),
}

SURROGATES = {
    "reads milliseconds": Mutant(
        "surrogate.py", "[tissue.water.t1,", "[1e3 * tissue.water.t1,", "features", "unit is another"
    ),
    "stays in range silently": Mutant(
        "surrogate.py", "[tissue.water.t1,", "[tissue.water.t1.clamp(0.3, 4.0),", "flagged", "a guess without the flag"
    ),
    "reads the batch's mean": Mutant(
        "surrogate.py",
        "[tissue.water.t1,",
        "[tissue.water.t1.mean().expand(tissue.b0.shape),",
        "features",
        "than alone",
    ),
    "sums its loss": Mutant(
        "surrogate.py",
        "mse_loss(network(scaled), targets)",
        "mse_loss(network(scaled), targets, reduction='sum')",
        "loss",
        "the learning rate would depend on the size",
    ),
    "normalises by the batch": Mutant(
        "surrogate.py", "= network(scaled)\n", "= network(scaled - scaled.mean(0))\n", "alone", "predicted together"
    ),
    "forgets to sample": Mutant(
        "surrogate.py", "signal.mz[...,", "signal.mz[..., :1]  # [...,", "targets", "another signal"
    ),
    "draws weights itself": Mutant(
        "surrogate.py",
        "        return nn.Sequential(first,",
        "        nn.init.constant_(first.bias, __import__('random').random())\n        return nn.Sequential(first,",
        "seed",
        "nobody could repeat its training",
    ),
    "keeps weights to itself": Mutant(
        "surrogate.py",
        "        found: Tensor = network(scaled)\n",
        "        self.kept = getattr(self, 'kept', torch.rand(()))\n"
        "        found: Tensor = network(scaled) + self.kept\n",
        "saved",
        "is not in its `state_dict`",
    ),
    "has no unit": Mutant("surrogate.py", '"water T1", "s"', '"water T1", ""', "stands_for", "without a name, a unit"),
}

FAMILIES = {
    "ignores a parameter": Mutant(
        "family.py", "np.deg2rad(inversion_deg)", "np.pi", "every_parameter", "find no effect"
    ),
    "draws from the system": Mutant(
        "family.py",
        "    for ti_ms",
        "    recovery_ms += __import__('random').random()\n    for ti_ms",
        "bytes",
        "repeat it",
    ),
    "does not say what it means": Mutant(
        "family.py", '"inversion times"', '""', "signature", "what its parameter 'points'"
    ),
    "plays anything": Mutant("family.py", ", 1, 180)", ")", "signature", "neither a least nor a largest"),
    "refuses itself": Mutant("family.py", "2, 1000)] = 8", "2, 1000)] = 1", "signature", "refuses its own default"),
    "keeps its uses to itself": Mutant("family.py", ', use="inversion"', "", "file_plays", "what .* pulses are for"),
    "measures nothing": Mutant(
        "family.py", "        sequence.add_block(marker)\n", "", "file_plays", "nothing would be"
    ),
    "cannot be drawn": Mutant(
        "family.py", "(2000, 6000)", "(2000, 6e6)", "published", "drawn from its published ranges"
    ),
}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings_folder: Path) -> Iterator[Callable[..., None]]:
    """Installs the scaffold's package of a name and a kind, one text in one file replaced, for the length of a test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    torch.set_num_threads(1)

    def installed(name: str, kind: str, mutant: Mutant) -> None:
        module = f"spinloom_{name}"
        for path, text in package_files(name, kind).items():
            if path == f"{module}/{mutant.file.format(name=name)}":
                assert mutant.old in text
                text = text.replace(mutant.old, mutant.new)
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
        metadata = tmp_path / f"{module}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[spinloom]\n{name} = {module}\n")
        plugins.cache_clear()

    yield installed
    plugins.cache_clear()
    for module in [name for name in sys.modules if name.startswith("spinloom_mutant_")]:
        del sys.modules[module]


SLOW = ("imports", "registers", "saved", "spawned")
"""Checks that start processes or compose configurations, run for those slips that they are to find."""


def _found(contract: type, named: str) -> dict[str, Exception]:
    """Every check of a contract that fails, with what it raises; the wheel is built in another test."""
    left_out = [word for word in (*SLOW, "wheel") if word != named]
    failures = {}
    for check in sorted(name for name in dir(contract) if name.startswith("test_")):
        if any(word in check for word in left_out):
            continue
        try:
            getattr(contract(), check)()
        except pytest.skip.Exception:
            continue
        except Exception as error:
            failures[check] = error
    return failures


def _title(slip: str, kind: str) -> str:
    return f"mutant_{kind}_{re.sub(r'[^a-z0-9]+', '_', slip.lower())}"


def _is_caught(mutant: Mutant, base: type, told: dict[str, Any]) -> None:
    if mutant.check != "registers":
        told["composed"] = lambda self: {}
    failures = _found(type("Contract", (base,), told), mutant.check)
    caught = {check: str(error) for check, error in failures.items() if mutant.check in check}
    assert caught, f"only {failures} failed"
    assert any(re.search(mutant.words, sentence) for sentence in caught.values()), caught
    assert all(isinstance(error, Deviation | SpinloomError) for error in failures.values()), failures


@pytest.mark.parametrize("slip", SIMULATORS)
def test_a_simulator_is_caught_that(slip: str, install: Callable[..., None]) -> None:
    mutant, name = SIMULATORS[slip], _title(slip, "simulator")
    install(name, "simulator", mutant)
    claim = mutant.check == "gradients"
    _is_caught(mutant, SimulatorContract, {"simulator": name, "sequence": two_markers(), "differentiable": claim})


@pytest.mark.parametrize("slip", SURROGATES)
def test_a_surrogate_is_caught_that(slip: str, install: Callable[..., None]) -> None:
    mutant, name = SURROGATES[slip], _title(slip, "surrogate")
    install(name, "surrogate", mutant)
    small = {"sequence": two_markers(), "tissue": "water_3t", "architecture": {"hidden": 8, "measurements": 2}}
    _is_caught(mutant, SurrogateContract, {"surrogate": name, **small})


@pytest.mark.parametrize("slip", FAMILIES)
def test_a_family_is_caught_that(slip: str, install: Callable[..., None]) -> None:
    mutant, name = FAMILIES[slip], _title(slip, "family")
    install(name, "sequence-family", mutant)
    _is_caught(mutant, SequenceFamilyContract, {"sequence_family": name})


@pytest.mark.parametrize(
    ("kind", "base", "told"),
    [
        ("simulator", SimulatorContract, {"sequence": two_markers(), "differentiable": True}),
        ("surrogate", SurrogateContract, {"sequence": "wasabi_3t", "tissue": "water_3t"}),
        ("sequence-family", SequenceFamilyContract, {}),
    ],
)
def test_what_the_scaffold_writes_has_no_fault(kind: str, base: Any, told: dict[str, Any], install) -> None:
    name = f"mutant_none_{kind[:3]}"
    install(name, kind, Mutant("__init__.py", "", "", "", ""))
    assert _found(type("Contract", (base,), {base.kind: name, **told}), "imports") == {}


WHEELS = {
    "leaves out its configuration": (
        'packages = ["{module}"]',
        'exclude = ["*.yaml"]',
        "fails for everyone but its author",
    ),
    "leaves out its data": ('packages = ["{module}"]', 'exclude = ["*.csv"]', "leaves out table.csv of"),
    "states no entry point": ("entry-points.spinloom]", "entry-points.others]", "who installs it finds nothing"),
}


@pytest.mark.parametrize("slip", WHEELS)
def test_a_wheel_is_caught_that(slip: str, install: Callable[..., None], tmp_path: Path) -> None:
    (old, new, words), name = WHEELS[slip], _title(slip, "wheel")
    install(name, "simulator", Mutant("__init__.py", "", "", "", ""))
    module, project = f"spinloom_{name}", tmp_path / "project"
    for path, text in {**package_files(name, "simulator"), f"{module}/table.csv": "1,2\n"}.items():
        old_text = old.format(module=module)
        text = text.replace(old_text, new if "entry" in old else f"{old_text}\n{new}")
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text, encoding="utf-8")
    contract = type("Contract", (SimulatorContract,), {"simulator": name, "project": project})
    with pytest.raises(Deviation, match=words):
        contract().test_its_wheel_works()
