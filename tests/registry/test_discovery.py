"""Plugins are found from the metadata of distributions alone, whatever else is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from spinloom.registry import discover


def _names() -> list[str]:
    return [record.name for record in discover()]


def test_built_in_plugins_come_first_then_the_others_by_name(install_plugin) -> None:
    install_plugin("zebra", "")
    install_plugin("aardvark", "")
    assert _names().index("cest") < _names().index("aardvark") < _names().index("zebra")


def test_finding_a_plugin_does_not_import_it(install_plugin) -> None:
    install_plugin("unseen", "raise AssertionError")
    (record,) = (record for record in discover() if record.name == "unseen")
    assert record.ok
    assert record.module not in sys.modules


def test_a_second_plugin_of_the_same_name_is_broken_and_both_distributions_are_named(install_plugin) -> None:
    install_plugin("double", "", distribution="alpha")
    install_plugin("double", "", distribution="beta")
    first, second = (record for record in discover() if record.name == "double")
    assert (first.status, first.distribution) == ("ok", "alpha")
    assert second.status == "broken"
    assert "distribution 'alpha'" in second.reason
    assert "'beta'" in second.reason


@pytest.mark.parametrize(
    ("entry_points", "found"),
    [
        pytest.param(b"[spinloom]\nno equals sign\n", ["damaged"], id="our group malformed: told as broken"),
        pytest.param(b"[console_scripts]\nno equals sign\n", [], id="another group malformed: none of ours"),
        pytest.param(b"[console_scripts]\n\xff\xfe = x\n", [], id="not text: none of ours"),
        pytest.param(b"", [], id="empty: none of ours"),
    ],
)
def test_a_damaged_distribution_hides_no_other(
    entry_points: bytes, found: list[str], install_plugin, tmp_path: Path
) -> None:
    install_plugin("sound", "")
    metadata = tmp_path / "site" / "damaged-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: damaged\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_bytes(entry_points)
    broken = [record.name for record in discover() if record.status == "broken"]
    assert broken == found
    assert "sound" in _names()


def test_a_half_removed_distribution_does_not_stop_the_others(install_plugin, tmp_path: Path) -> None:
    install_plugin("sound", "")
    metadata = tmp_path / "site" / "halved-1.0.dist-info"
    metadata.mkdir()
    (metadata / "entry_points.txt").write_text("[spinloom]\nhalved = halved\n")
    assert {"sound", "halved"} <= set(_names())
