"""The look of the text does not matter: line ends, blanks, comments, order of sections, names of definitions."""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spinloom.errors import SequenceError
from spinloom.sequence.read import read_sequence, sequence_names
from spinloom.sequence.timeline import Timeline

Write = Callable[[str | bytes], Path]


def sections_of(text: str) -> list[str]:
    return re.split(r"\n(?=\[|extension )", text)


VARIANTS: dict[str, Callable[[str], str | bytes]] = {
    "Windows line ends": lambda text: text.replace("\n", "\r\n"),
    "old Mac line ends": lambda text: text.replace("\n", "\r"),
    "a byte order mark": lambda text: "\ufeff" + text,
    "no newline at the end": lambda text: text.rstrip(),
    "tabs between columns": lambda text: re.sub(r"(?m)^ *(\d\S*) +", "\\1\t", text),
    "blanks around every line": lambda text: re.sub(r"(?m)^(.*)$", r"  \1   ", text),
    "comments between all rows": lambda text: text.replace("\n", "\n# remark [RF] 1 2 3\n"),
    "blank lines between all rows": lambda text: text.replace("\n", "\n\n"),
    "no blank lines": lambda text: re.sub(r"\n+", "\n", text),
    "no comments": lambda text: re.sub(r"(?m)^#.*\n", "", text),
    "no signature": lambda text: text.split("[SIGNATURE]")[0],
    "sections in reverse": lambda text: "\n".join(sections_of(text)[::-1][:-1]),
    "upper case keywords of shapes": lambda text: text.replace("shape_id", "Shape_ID").replace("num_s", "Num_S"),
    "a revision with a suffix": lambda text: text.replace("revision 0", "revision 0post1"),
}


def same(one: Timeline, other: Timeline) -> bool:
    """Whether two timelines play the same; where they came from does not matter."""
    arrays = (one.block_duration, one.block_rf, one.block_gradient, one.block_adc, one.block_extension)
    others = (other.block_duration, other.block_rf, other.block_gradient, other.block_adc, other.block_extension)
    waveforms = zip(one.waveforms, other.waveforms, strict=True)
    return (
        all(np.array_equal(*pair) for pair in zip(arrays, others, strict=True))
        and (one.rf, one.extensions, one.rasters) == (other.rf, other.extensions, other.rasters)
        and all(np.array_equal(a.values, b.values) and np.array_equal(a.durations, b.durations) for a, b in waveforms)
        and [gradient.moment for gradient in one.gradients] == [gradient.moment for gradient in other.gradients]
        and [vars(adc) | {"phase_shape": 0} for adc in one.adcs]
        == [vars(adc) | {"phase_shape": 0} for adc in other.adcs]
        and dict(one.definitions) == dict(other.definitions)
    )


@pytest.mark.parametrize("change", VARIANTS.values(), ids=VARIANTS.keys())
def test_a_file_means_the_same_with(change: Callable[[str], str | bytes], seq_file: Write, whole_text: str) -> None:
    original = read_sequence(seq_file(whole_text))
    changed = change(whole_text)
    assert same(read_sequence(seq_file(changed)), original)


def test_a_timeline_names_its_file_and_the_hash_of_its_bytes(seq_file: Write, whole_text: str) -> None:
    path = seq_file(whole_text)
    timeline = read_sequence(str(path))
    assert timeline.source == str(path)
    assert timeline.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_definitions_are_numbers_where_they_look_like_numbers_and_text_otherwise(
    seq_file: Write, whole_text: str
) -> None:
    odd = "[DEFINITIONS]\nAuthor Zoë  Müller\nOffset nan\nFlag\nCount 1_000\nList 1 2 x\nVector 1 -2.5 3e2\nName inf\n"
    definitions = read_sequence(seq_file(whole_text.replace("[DEFINITIONS]\n", odd))).definitions
    assert definitions["Author"] == "Zoë  Müller"
    assert [definitions[name] for name in ("Offset", "Flag", "Count", "List")] == ["nan", "", "1_000", "1 2 x"]
    assert definitions["Vector"] == (1.0, -2.5, 300.0)
    assert definitions["TotalDuration"] == pytest.approx(read_sequence(seq_file(whole_text)).duration)


def test_blocks_play_in_the_order_of_the_file_whatever_their_numbers(seq_file: Write, whole_text: str) -> None:
    """The format asks for unique ids and for nothing else; pypulseq and its kin play the rows as they come."""
    before, blocks, after = re.split(r"(?<=\[BLOCKS\]\n)((?: *\d.*\n)+)", whole_text)
    rows = blocks.splitlines()
    renumbered = [re.sub(r"^ *\d+", str(900 - 7 * index), row) for index, row in enumerate(rows)]
    original = read_sequence(seq_file(whole_text))
    assert same(read_sequence(seq_file(before + "\n".join(renumbered) + "\n" + after)), original)
    backwards = read_sequence(seq_file(before + "\n".join(rows[::-1]) + "\n" + after))
    np.testing.assert_array_equal(backwards.block_duration, original.block_duration[::-1])


def test_event_ids_need_not_be_sorted_or_begin_at_one(seq_file: Write, whole_text: str) -> None:
    text = re.sub(r"(?m)(\[ADC\]\n)1 ", r"\g<1>40 ", whole_text)
    text = re.sub(r"(?m)^( *\d+ +\d+ +\d+ +\d+ +\d+ +\d+ +)1( +\d+)$", r"\g<1>40\2", text)
    assert text != whole_text
    assert same(read_sequence(seq_file(text)), read_sequence(seq_file(whole_text)))


def test_block_durations_of_many_rasters_are_exact_to_the_picosecond(seq_file: Write) -> None:
    text = "[VERSION]\nmajor 1\nminor 4\nrevision 0\n\n[DEFINITIONS]\nBlockDurationRaster 1e-05\n\n[BLOCKS]\n"
    text += "1 350000 0 0 0 0 0 0\n2 5013 0 0 0 0 0 0\n3 123456789012 0 0 0 0 0 0\n"
    durations = read_sequence(seq_file(text)).block_duration
    assert durations.tolist() == [3.5, 0.05013, 1234567.89012]


def test_a_file_of_delays_alone_is_a_sequence(seq_file: Write) -> None:
    timeline = read_sequence(seq_file("[VERSION]\nmajor 1\nminor 4\nrevision 0\n[BLOCKS]\n1 100 0 0 0 0 0 0\n"))
    assert (timeline.duration, timeline.adc_samples, len(timeline)) == (pytest.approx(1e-3), 0, 1)


def test_reading_leaves_no_temporary_file_behind(
    seq_file: Write, whole_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    read_sequence(seq_file(whole_text))
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a folder in which nothing can be written")
def test_reading_without_room_for_a_temporary_file_says_so(
    seq_file: Write, whole_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc/self/fdinfo")
    with pytest.raises(SequenceError, match=r"needs a temporary file to be read: .*; make room for it"):
        read_sequence(seq_file(whole_text))


def test_a_file_in_the_working_folder_wins_over_a_shipped_name(
    seq_file: Write, whole_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = next(iter(sequence_names()), "test")
    path = seq_file(whole_text).rename(seq_file(whole_text).parent / name)
    monkeypatch.chdir(path.parent)
    assert read_sequence(name).source == name
    assert path.samefile(name)


def test_a_timeline_travels_to_other_processes(seq_file: Write, whole_text: str) -> None:
    timeline = read_sequence(seq_file(whole_text))
    assert same(pickle.loads(pickle.dumps(timeline)), timeline)
