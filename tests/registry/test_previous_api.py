"""A plugin written for the previous minor version of the plugin API runs as it did: every hook of a frozen one."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import spinloom
from spinloom import registry
from spinloom.cli import root
from spinloom.learning.scaling import scaled

FROZEN = Path(__file__).parents[1] / "plugins_frozen" / "api_1_0" / "spinloom_frozen"
SHA256 = "3aaf78e8421d9b6ad79bde65bfed93f3eaab803198a85a274a1f3adfa5160632"
"""Of the frozen plugin's files: whoever changes them proves nothing any more."""


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings_folder: Path) -> Iterator[None]:
    """The frozen plugin, installed for the length of a test."""
    site = tmp_path / "site"
    shutil.copytree(FROZEN, site / "spinloom_frozen", ignore=shutil.ignore_patterns("__pycache__"))
    metadata = site / "spinloom_frozen-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: spinloom-frozen\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[spinloom]\nfrozen = spinloom_frozen\n")
    monkeypatch.syspath_prepend(str(site))
    registry.plugins.cache_clear()
    yield
    registry.plugins.cache_clear()
    for module in [name for name in sys.modules if name.partition(".")[0] == "spinloom_frozen"]:
        del sys.modules[module]


def test_the_frozen_plugin_is_as_it_was_written() -> None:
    digest = hashlib.sha256()
    for path in sorted(path for path in FROZEN.rglob("*") if path.suffix in (".py", ".yaml")):
        digest.update(path.relative_to(FROZEN).as_posix().encode() + path.read_bytes())
    assert digest.hexdigest() == SHA256


@pytest.mark.usefixtures("frozen")
def test_a_plugin_of_the_previous_minor_version_is_sound() -> None:
    record = registry.plugins().record("frozen")
    assert (record.status, record.api_version) == ("ok", "1.0")
    assert record.kinds == ("simulator", "surrogate", "sequence", "configuration", "observer")


@pytest.mark.usefixtures("frozen")
def test_its_simulator_plays_its_family_as_the_built_in_one_does() -> None:
    sequence, tissue = "frozen(points=3)", "water_3t"
    own, exact = (spinloom.simulate(sequence=sequence, tissue=tissue, simulator=name) for name in ("frozen", "cest"))
    assert float((own.mz - exact.mz).abs().max()) < 1e-6  # the error by sampling that is asked for


@pytest.mark.usefixtures("frozen")
def test_its_network_reads_and_predicts() -> None:
    surrogate = registry.plugins().surrogate("frozen")({"measurements": 3})
    tissue = spinloom.read_tissue("water_3t").flatten()
    given = scaled(surrogate.features(spinloom.read_sequence("frozen(points=3)"), tissue), surrogate.inputs)
    assert surrogate.predict(surrogate.network(), given.to(torch.float32)).shape == (1, 3)


@pytest.mark.usefixtures("frozen")
def test_it_composes_and_observes_a_run(tmp_path: Path) -> None:
    by = ["simulator=frozen", "sequence=frozen(points=3)", "tissue=water_3t", "tracking=off"]
    result = CliRunner().invoke(root, ["simulate", *by, f"output={tmp_path / 'run'}"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run" / "frozen.txt").read_text() == "simulate FINISHED\n"
