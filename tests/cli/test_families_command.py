"""`spinloom sequence write` and `families`, and families as `sequence=` of a simulation and its sweeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import spinloom
from spinloom.cli import root


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, arguments)


def test_a_file_is_written_and_says_what_plays_otherwise_than_asked(folder: Path) -> None:
    result = run("sequence", "write", "epi", "esp_ms=0.375", "te_ms=45", "rf=sinc", "-o", "mine.seq")
    assert result.output.splitlines() == [
        "Wrote mine.seq: 0.07051 s, 128 readouts, 16,384 samples.",
        "esp_ms=0.38 is played in place of 0.375.",
    ]
    written = spinloom.build_sequence("epi", esp_ms=0.375, te_ms=45, rf="sinc")
    assert (folder / "mine.seq").read_bytes() == written.content


def test_without_a_name_the_file_has_that_of_the_family_and_replaces_none_unless_forced(folder: Path) -> None:
    assert run("sequence", "write", "moled", "shift_x=(24,-12,24,-18)").exit_code == 0
    before = (folder / "moled.seq").read_bytes()
    refused = run("sequence", "write", "moled", "esp_ms=0.5")
    assert (refused.exit_code, (folder / "moled.seq").read_bytes()) == (1, before)
    assert refused.stderr == "error: moled.seq exists; name another file with -o, or replace it with --force.\n"
    assert run("sequence", "write", "moled", "esp_ms=0.5", "--force").exit_code == 0
    assert (folder / "moled.seq").read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("fs",), 1, "Family 'fs' is unknown. Did you mean 'fse'?"),
        (("fse", "esp"), 2, "'esp' is no parameter; write it as NAME=VALUE."),
        (("fse", "espms=3"), 1, "Family 'fse' has no parameter 'espms'. Did you mean 'esp_ms'?"),
        (("fse", "esp_ms=fast"), 1, "esp_ms is fast; it is a number"),
        (("fse", "esp_ms=3"), 1, "esp_ms=3 cannot be played"),
        (("fse", "esp_ms=3)"), 1, "is no family with parameters"),
        (("a/b",), 2, "'a/b' is no name of a family."),
        (("fse", "-o", "missing/fse.seq"), 1, "fse.seq cannot be written to missing"),
    ],
    ids=["family", "no value", "parameter", "type", "limit", "parenthesis", "name", "folder"],
)
def test_bad_input_is_named_and_nothing_is_written(
    arguments: tuple[str, ...], code: int, sentence: str, folder: Path
) -> None:
    result = run("sequence", "write", *arguments)
    assert result.exit_code == code
    assert sentence in result.stderr
    assert list(folder.iterdir()) == []


def test_the_list_tells_every_family_with_its_defaults() -> None:
    page = run("sequence", "families").output
    assert max(map(len, page.splitlines())) <= 100
    for name in ("epi", "fse", "moled"):
        assert f"\n{name} " in page
    assert "shots=8, etl=16, esp_ms=10, flip_deg=90" in page


@pytest.mark.parametrize("name", ["epi", "fse", "moled"])
def test_the_page_of_a_family_tells_every_parameter_within_100_columns(name: str) -> None:
    page = run("sequence", "families", name).output
    assert max(map(len, page.splitlines())) <= 100
    for parameter in spinloom.sequence_families()[name].parameters:
        assert f"\n{parameter.name} " in page
        assert parameter.meaning.text


def test_json_holds_the_same() -> None:
    (fse,) = (each for each in json.loads(run("sequence", "families", "--json").output) if each["name"] == "fse")
    assert fse == json.loads(run("sequence", "families", "fse", "--json").output)
    (spacing,) = (each for each in fse["parameters"] if each["name"] == "esp_ms")
    assert (spacing["kind"], spacing["default"], spacing["published"]) == ("float", 10, [8, 15])


@pytest.mark.parametrize("name", ["epi", "fse", "moled"])
def test_the_shipped_file_is_what_the_family_writes(name: str) -> None:
    timeline = spinloom.read_sequence(f"{name}_128")
    assert timeline.sha256 == spinloom.read_sequence(f"{name}()").sha256
    assert Path(timeline.source).stat().st_size < 100_000


def test_facts_and_picture_are_given_of_an_expression(folder: Path) -> None:
    assert "128 events, 16,384 samples" in run("sequence", "info", "epi(te_ms=50.5)").output
    result = run("sequence", "plot", "epi(te_ms=50.5)", "--stop", "0.02")
    assert result.output == "Wrote epi(te_ms=50.5).png.\n"


def test_a_sweep_over_families_is_a_run_each_that_keeps_its_file(folder: Path) -> None:
    sequences = "sequence=epi(matrix=16,te_ms=8.5),epi(matrix=16,te_ms=9)"
    result = run("simulate", "-m", "simulator=cest", "tissue=water_3t", "tracking=off", "output=swept", sequences)
    assert result.exit_code == 0, result.output
    for number, echo_time in enumerate((8.5, 9)):
        kept = spinloom.read_sequence(folder / "swept" / str(number) / "sequence.seq")
        assert kept.definitions["TE"] == pytest.approx(echo_time * 1e-3)
        record = json.loads((folder / "swept" / str(number) / "run.json").read_text())
        assert record["name"] == f"epi(matrix=16,te_ms={echo_time:g}) on water_3t"
        assert record["sequence"]["sha256"] == kept.sha256
    assert not result.stderr.count("MissingMandatoryValue")
