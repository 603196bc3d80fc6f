"""`spinloom sequence`: the page of facts, the picture, and what either says of bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spinloom.commands.sequence import command
from spinloom.errors import OutputError, SequenceError
from spinloom.sequence.read import sequence_names, sequence_path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


@pytest.mark.parametrize("name", sequence_names())
def test_the_page_of_a_shipped_sequence_fits_100_columns(name: str) -> None:
    lines = run("info", str(name)).output.splitlines()
    path = str(sequence_path(name))
    assert max(len(line) for line in lines if path not in line) <= 100
    assert lines[0].startswith("file ")


def test_the_page_tells_the_protocol() -> None:
    page = run("info", "aptw_3t_36pulses").output
    for line in (
        "duration     186.3727 s (3 min 6.4 s)",
        "RF           1,224 pulses, 61.2 s together",
        "B1 rms       2.0936 uT while RF is on, 1.1997 uT over the whole sequence",
        "ADC          34 events, 34 samples",
        "saturation  1,224   50 ms     1.78 uT  2.0936 uT  3.3275 uT  1,364.1 deg",
    ):
        assert line in page
    assert "RF offsets   -300, -4, -3.75," in page
    assert "ppm of 127.7292 MHz" in page


def test_json_holds_every_pulse_and_the_page_says_where_it_stops() -> None:
    facts = json.loads(run("info", "mrf_larginine_9p4t", "--json").output)
    assert len(facts["rf"]["pulses"]) == 16
    assert "and 4 more; --json has all" in run("info", "mrf_larginine_9p4t").output


def test_many_offsets_are_told_as_a_range(tmp_path: Path) -> None:
    import numpy as np
    import pypulseq as pp

    sequence = pp.Sequence()
    for offset in np.arange(150):
        sequence.add_block(pp.make_block_pulse(1.0, duration=1e-3, freq_offset=float(offset), use="saturation"))
    sequence.write(str(tmp_path / "many.seq"))
    assert "150 from 0 to 149 Hz" in run("info", str(tmp_path / "many.seq")).output


def test_a_file_without_rf_has_a_page(tmp_path: Path) -> None:
    import pypulseq as pp

    sequence = pp.Sequence()
    sequence.add_block(pp.make_adc(8, duration=1e-3))
    sequence.write(str(tmp_path / "quiet.seq"))
    page = run("info", str(tmp_path / "quiet.seq")).output
    assert "RF         none" in page
    assert "ADC        1 event, 8 samples" in page
    assert "B1" not in page


def test_a_picture_goes_to_the_working_folder_under_the_sequence_s_name(folder: Path) -> None:
    result = run("plot", "wasabi_3t")
    assert (result.exit_code, result.output) == (0, "Wrote wasabi_3t.png.\n")
    assert (folder / "wasabi_3t.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_a_measurement_goes_where_it_is_asked(folder: Path) -> None:
    result = run("plot", str(sequence_path("aptw_3t_36pulses")), "--measurement", "2", "-o", "two.svg")
    assert result.output == "Wrote two.svg.\n"
    assert "5.48155 s to 10.9631 s of 186.373 s" in (folder / "two.svg").read_text()


def test_a_picture_replaces_the_one_before(folder: Path) -> None:
    run("plot", "wasabi_3t")
    before = (folder / "wasabi_3t.png").read_bytes()
    assert run("plot", "wasabi_3t", "--stop", "20").exit_code == 0
    assert (folder / "wasabi_3t.png").read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (("info", "aptw_3t_36pulse"), SequenceError, "Did you mean 'aptw_3t_36pulses'"),
        (("plot", "missing.seq"), SequenceError, "no sequence file missing.seq"),
        (("plot", "wasabi_3t", "-o", "wasabi.seq"), OutputError, "must be one of .pdf, .png, .svg"),
        (("plot", "wasabi_3t", "--start", "900"), SequenceError, "lasts from 0 to 255.947 s"),
        (("plot", "wasabi_3t", "--measurement", "83"), SequenceError, "it has 1 to 82"),
    ],
    ids=["unknown name", "missing file", "unknown suffix", "range outside", "measurement outside"],
)
def test_bad_input_is_named_and_nothing_is_written(
    arguments: tuple[str, ...], error: type[Exception], sentence: str, folder: Path
) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, error)
    assert sentence in str(result.exception)
    assert list(folder.iterdir()) == []


def test_a_measurement_and_a_range_exclude_each_other(folder: Path) -> None:
    result = run("plot", "wasabi_3t", "--measurement", "1", "--start", "2")
    assert (result.exit_code, "leave out --start and --stop" in result.output) == (2, True)


def test_asking_for_help_reads_no_sequence_and_draws_nothing() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from spinloom.commands.sequence import command; "
        "assert 'plot' in CliRunner().invoke(command, ['--help']).output; "
        "print(sorted({'numpy', 'pypulseq', 'matplotlib', 'torch'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_command_line_prints_a_page_and_a_sentence() -> None:
    spinloom = [sys.executable, "-m", "spinloom", "sequence", "info"]
    page = subprocess.run([*spinloom, "wasabi_3t"], capture_output=True, text=True, timeout=60)
    failure = subprocess.run([*spinloom, "wasabi"], capture_output=True, text=True, timeout=60)
    assert (page.returncode, page.stdout.splitlines()[2]) == (0, "format       Pulseq 1.5.0")
    assert failure.returncode == 1
    assert failure.stderr.startswith("error: There is no sequence 'wasabi'. Did you mean 'wasabi_3t'?")
