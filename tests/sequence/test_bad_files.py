"""What is no sequence is refused with a sentence that names the thing, its value and the way out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from spinloom.errors import SequenceError
from spinloom.sequence.read import read_sequence

Write = Callable[[str | bytes], Path]


def refusal(path: Path | str) -> str:
    """The sentence with which a file is refused; it always names the file."""
    with pytest.raises(SequenceError) as error:
        read_sequence(path)
    sentence = str(error.value)
    assert str(path) in sentence
    return sentence


def replaced(text: str, pattern: str, replacement: str) -> str:
    """The text with the first match of a pattern replaced; a pattern that does not match is a mistake of the test."""
    changed, count = re.subn(pattern, replacement, text, count=1, flags=re.MULTILINE)
    assert count == 1, f"{pattern} is not in the file"
    return changed


def in_table(text: str, header: str, replacement: Callable[[list[str]], list[str]]) -> str:
    """The text with the words of the first row of a table replaced."""
    lines = text.splitlines()
    row = next(i for i in range(lines.index(header) + 1, len(lines)) if not lines[i].startswith("#"))
    lines[row] = " ".join(replacement(lines[row].split()))
    return "\n".join(lines) + "\n"


def with_word(text: str, header: str, column: int, word: str) -> str:
    """The text with one word of the first row of a table replaced, counted from 0."""
    return in_table(text, header, lambda words: [*words[:column], word, *words[column + 1 :]])


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    assert "There is no sequence file" in refusal(tmp_path / "missing.seq")


def test_an_unknown_name_is_answered_with_what_exists() -> None:
    with pytest.raises(SequenceError, match=r"There is no sequence 'no_such_sequence'.* A path to a \.seq file does"):
        read_sequence("no_such_sequence")


def test_a_folder_is_said_to_be_a_folder(tmp_path: Path) -> None:
    assert "is a folder; name the .seq file in it" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes on this system")
def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.seq")
    assert "is a device or a pipe; save the sequence to a file first" in refusal(tmp_path / "pipe.seq")


@pytest.mark.parametrize("name", ["a\0b.seq", "x" * 5000 + ".seq"], ids=["with a zero byte", "of 5000 letters"])
def test_an_impossible_path_is_refused(name: str) -> None:
    with pytest.raises(SequenceError, match=r"There is no sequence file|cannot be read"):
        read_sequence(name)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_the_right_to_read_it_is_refused(seq_file: Write, whole_text: str) -> None:
    path = seq_file(whole_text)
    path.chmod(0)
    assert "cannot be read" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"\n\n  \n\t\n"], ids=["no bytes", "blanks alone"])
def test_an_empty_file_is_said_to_be_empty(content: bytes, seq_file: Write) -> None:
    assert "is empty; write the sequence again" in refusal(seq_file(content))


def test_a_file_of_comments_has_no_version(seq_file: Write) -> None:
    assert "has no [VERSION] section" in refusal(seq_file("# Pulseq sequence file\n"))


def test_a_binary_file_is_said_to_be_binary(seq_file: Write) -> None:
    assert "is a binary file" in refusal(seq_file(b"\x01pulseq\x02" + bytes(100)))


def test_text_that_is_not_utf_8_is_refused_with_its_line_and_byte(seq_file: Write, whole_text: str) -> None:
    latin = replaced(whole_text, "^Name .*$", "Name Ünîcode").encode("latin-1")
    line = latin[: latin.index(b"\xdc")].count(b"\n") + 1
    assert f"line {line}: byte 0xdc is not UTF-8; save the file as UTF-8" in refusal(seq_file(latin))


def test_a_file_without_version_is_refused(seq_file: Write, whole_text: str) -> None:
    text = replaced(whole_text, r"\[VERSION\]\nmajor .*\nminor .*\nrevision .*\n", "")
    assert "has no [VERSION] section, so its numbers have no meaning" in refusal(seq_file(text))


@pytest.mark.parametrize("version", ["1.1.0", "1.6.0", "2.0.0", "0.4.0", "1.9999.0"])
def test_another_version_is_refused_with_those_that_are_read(version: str, seq_file: Write, whole_text: str) -> None:
    major, minor, revision = version.split(".")
    text = replaced(
        whole_text, r"major .*\nminor .*\nrevision .*$", f"major {major}\nminor {minor}\nrevision {revision}"
    )
    sentence = refusal(seq_file(text))
    assert f"is of Pulseq version {version}; versions 1.2 to 1.5 are read" in sentence


@pytest.mark.parametrize("line", ["minor five", "minor", "minor -5", ""], ids=["word", "nothing", "negative", "gone"])
def test_a_version_that_is_no_number_is_refused(line: str, seq_file: Write, whole_text: str) -> None:
    text = replaced(whole_text, r"^minor .*$", line)
    assert "[VERSION] must give major, minor and revision as numbers" in refusal(seq_file(text))


def test_a_file_without_blocks_is_refused(seq_file: Write, whole_text: str) -> None:
    text = replaced(whole_text, r"\[BLOCKS\]\n(.*\n)*?\n", "\n")
    assert "has no [BLOCKS], so it plays nothing" in refusal(seq_file(text))


def test_text_before_the_first_section_is_refused(seq_file: Write, whole_text: str) -> None:
    assert "line 1: 'hello' stands before any section" in refusal(seq_file("hello\n" + whole_text))


def test_an_unknown_section_is_refused_with_the_known_ones(seq_file: Write, whole_text: str) -> None:
    sentence = refusal(seq_file(whole_text + "\n[ROTATION]\n1 2 3\n"))
    assert "there is no section [ROTATION] in Pulseq 1.5; known: [VERSION]" in sentence
    assert "[GRADIENTS]" in sentence


def test_delay_events_are_refused_where_blocks_state_their_duration(seq_file: Write, whole_text: str) -> None:
    assert "there is no section [DELAYS] in Pulseq 1.5" in refusal(seq_file(whole_text + "\n[DELAYS]\n1 2\n"))


@pytest.mark.parametrize("header", ["[RF]", "[BLOCKS]", "[SHAPES]", "extension LABELSET 1"])
def test_a_section_that_comes_twice_is_refused(header: str, seq_file: Write, whole_text: str) -> None:
    label = next(line for line in whole_text.splitlines() if line.startswith("extension LABELSET"))
    header = label if header.startswith("extension") else header
    sentence = refusal(seq_file(whole_text + f"\n{header}\n"))
    assert f"{header} begins a second time, after line " in sentence


@pytest.mark.parametrize("name", ["SHIMS", "labelset"])
def test_an_extension_that_is_not_played_is_refused_by_name(name: str, seq_file: Write, whole_text: str) -> None:
    sentence = refusal(seq_file(whole_text + f"\nextension {name} 9\n1 0 0 0 1\n"))
    assert (
        f"the file uses 'extension {name} 9'; of Pulseq's extensions TRIGGERS, LABELSET, LABELINC, DELAYS" in sentence
    )


@pytest.mark.parametrize(
    ("header", "column", "what"),
    [
        pytest.param("[BLOCKS]", 2, "block 1 plays RF event 77, which the file does not define", id="RF event"),
        pytest.param("[BLOCKS]", 3, "block 1 plays gradient 77, which the file does not define", id="gradient"),
        pytest.param("[BLOCKS]", 6, "block 1 plays ADC event 77, which the file does not define", id="ADC event"),
        pytest.param("[BLOCKS]", 7, "refers to entry 77, which [EXTENSIONS] does not hold", id="extension list"),
        pytest.param("[RF]", 2, "RF event 1 refers to shape 77, which [SHAPES] does not hold", id="magnitude"),
        pytest.param("[RF]", 3, "RF event 1 refers to shape 77, which [SHAPES] does not hold", id="phase"),
        pytest.param("[RF]", 4, "RF event 1 refers to shape 77, which [SHAPES] does not hold", id="time shape"),
        pytest.param("[GRADIENTS]", 4, "refers to shape 77, which [SHAPES] does not hold", id="gradient shape"),
        pytest.param("[GRADIENTS]", 5, "refers to shape 77, which [SHAPES] does not hold", id="gradient time shape"),
        pytest.param("[ADC]", 8, "ADC event 1 refers to shape 77, which [SHAPES] does not hold", id="receiver phase"),
        pytest.param("[EXTENSIONS]", 1, "[EXTENSIONS] uses type 77, which no 'extension' line names", id="type"),
        pytest.param("[EXTENSIONS]", 2, "which the file does not define", id="entry of an extension"),
        pytest.param("[EXTENSIONS]", 3, "refers to entry 77, which [EXTENSIONS] does not hold", id="next entry"),
    ],
)
def test_an_id_that_leads_nowhere_is_refused(
    header: str, column: int, what: str, seq_file: Write, whole_text: str
) -> None:
    assert what in refusal(seq_file(with_word(whole_text, header, column, "77")))


def test_a_delay_that_leads_nowhere_is_refused(seq_file: Write) -> None:
    text = "[VERSION]\nmajor 1\nminor 3\nrevision 0\n\n[BLOCKS]\n1 3 0 0 0 0 0 0\n\n[DELAYS]\n1 100\n"
    assert "block 1 plays delay 3, which the file does not define" in refusal(seq_file(text))


def test_an_extension_list_that_refers_to_itself_is_refused(seq_file: Write, whole_text: str) -> None:
    text = in_table(whole_text, "[EXTENSIONS]", lambda words: [*words[:3], words[0]])
    assert "refers to itself or is endless; it must end with 0" in refusal(seq_file(text))


@pytest.mark.parametrize(
    ("header", "column"),
    [("[RF]", 1), ("[RF]", 9), ("[GRADIENTS]", 2), ("[TRAP]", 1), ("[ADC]", 2), ("[ADC]", 6)],
    ids=["RF amplitude", "RF frequency", "gradient begin", "trapezoid amplitude", "dwell", "receiver frequency"],
)
@pytest.mark.parametrize("word", ["nan", "inf", "-inf", "1e999"])
def test_a_number_that_is_not_finite_is_refused_with_its_line(
    header: str, column: int, word: str, seq_file: Write, whole_text: str
) -> None:
    text = with_word(whole_text, header, column, word)
    line = next(i for i, row in enumerate(text.splitlines(), 1) if word in row.split())
    assert f"line {line}, in {header}: '{word}' is not finite" in refusal(seq_file(text))


@pytest.mark.parametrize("word", ["fast", "1_000", "0x10", "\u0661", "1,5", "--1"])
def test_a_word_where_a_number_belongs_is_refused(word: str, seq_file: Write, whole_text: str) -> None:
    assert f"in [RF]: '{word}' is no number" in refusal(seq_file(with_word(whole_text, "[RF]", 1, word)))


def test_a_number_beyond_all_physics_is_refused(seq_file: Write, whole_text: str) -> None:
    sentence = refusal(seq_file(with_word(whole_text, "[RF]", 1, "1e300")))
    assert "'1e300' is larger than any quantity of a sequence (1e+15)" in sentence


@pytest.mark.parametrize(
    ("header", "column"),
    [("[RF]", 6), ("[GRADIENTS]", 6), ("[TRAP]", 2), ("[TRAP]", 3), ("[TRAP]", 5), ("[ADC]", 2), ("[ADC]", 3)],
    ids=["RF delay", "gradient delay", "ramp", "flat", "trapezoid delay", "dwell", "ADC delay"],
)
def test_a_negative_time_is_refused(header: str, column: int, seq_file: Write, whole_text: str) -> None:
    assert f"in {header}: '-10' is a negative time" in refusal(seq_file(with_word(whole_text, header, column, "-10")))


@pytest.mark.parametrize(
    ("header", "column", "word"),
    [("[BLOCKS]", 1, "1.5"), ("[BLOCKS]", 2, "-1"), ("[RF]", 2, "1.5"), ("[ADC]", 1, "16.5"), ("[EXTENSIONS]", 3, "x"),
     ("[BLOCKS]", 1, "9" * 16)],
)  # fmt: skip
def test_a_count_or_id_that_is_no_whole_number_is_refused(
    header: str, column: int, word: str, seq_file: Write, whole_text: str
) -> None:
    sentence = refusal(seq_file(with_word(whole_text, header, column, word)))
    assert f"in {header}: '{word}' is no whole number from 0" in sentence


@pytest.mark.parametrize("header", ["[BLOCKS]", "[RF]", "[GRADIENTS]", "[TRAP]", "[ADC]", "[EXTENSIONS]"])
def test_a_row_with_too_few_or_too_many_columns_is_refused(header: str, seq_file: Write, whole_text: str) -> None:
    for change in (lambda words: words[:-1], lambda words: [*words, "0"]):
        sentence = refusal(seq_file(in_table(whole_text, header, change)))
        assert re.search(rf"line \d+, in {re.escape(header)}: \d+ columns expected, \d+ found", sentence)


def test_version_1_5_without_the_use_of_an_rf_pulse_is_refused(seq_file: Write, whole_text: str) -> None:
    text = in_table(whole_text, "[RF]", lambda words: words[:-1])
    assert "in [RF]: 12 columns expected, 11 found" in refusal(seq_file(text))


def test_an_unknown_use_of_an_rf_pulse_is_refused_with_the_known_ones(seq_file: Write, whole_text: str) -> None:
    sentence = refusal(seq_file(with_word(whole_text, "[RF]", 11, "x")))
    assert "'x' is no use of an RF pulse; known: e, r, i, s, p, o and u" in sentence


@pytest.mark.parametrize("header", ["[BLOCKS]", "[RF]", "[TRAP]", "[ADC]", "[EXTENSIONS]"])
def test_an_id_that_comes_twice_is_refused(header: str, seq_file: Write, whole_text: str) -> None:
    """pypulseq would let the second event win, and drop a block without a word."""
    lines = whole_text.splitlines()
    row = lines.index(header) + 1
    text = "\n".join([*lines[: row + 1], lines[row], *lines[row + 1 :]])
    sentence = refusal(seq_file(text))
    assert re.search(rf"line {row + 2}, in {re.escape(header)}: the id \d+ is already that of line {row + 1}", sentence)


def test_trapezoids_and_other_gradients_share_their_ids(seq_file: Write, whole_text: str) -> None:
    lines = whole_text.splitlines()
    arbitrary = lines[lines.index("[GRADIENTS]") + 1].split()[0]
    text = with_word(whole_text, "[TRAP]", 0, arbitrary)
    assert f"in [GRADIENTS] and [TRAP]: the id {arbitrary} is already that of line" in refusal(seq_file(text))


def test_an_id_of_zero_is_refused_because_blocks_use_it_for_nothing(seq_file: Write, whole_text: str) -> None:
    assert "in [RF]: '0' is no id; ids begin at 1" in refusal(seq_file(with_word(whole_text, "[RF]", 0, "0")))


@pytest.mark.parametrize(
    ("pattern", "replacement", "complaint"),
    [
        pytest.param(r"^shape_id 1$", "shape_id one", "'shape_id NUMBER' expected, 'shape_id one' found", id="its id"),
        pytest.param(r"^num_samples .*$", "num_samples -4", "'num_samples NUMBER' expected", id="its size"),
        pytest.param(r"^num_samples .*\n", "", "'num_samples NUMBER' expected", id="no size"),
        pytest.param(r"^(num_samples .*)$", r"\1\nfast", "in [SHAPES]: 'fast' is no number", id="a word"),
        pytest.param(r"^(num_samples .*)$", r"\1\n1 2", "in [SHAPES]: '1 2' is no number", id="two numbers a line"),
        pytest.param(r"^(num_samples .*)$", r"\1\nnan", "in [SHAPES]: 'nan' is not finite", id="not a number"),
        pytest.param(r"^num_samples .*$", "num_samples 999999", "the file is truncated", id="another size"),
        pytest.param(r"^shape_id 2$", "shape_id 1", "shape 1 is defined a second time", id="an id that comes twice"),
        pytest.param(r"^shape_id 1\n", "", "'shape_id NUMBER' expected", id="no id"),
    ],
)
def test_a_shape_that_does_not_decode_is_refused(
    pattern: str, replacement: str, complaint: str, seq_file: Write, whole_text: str
) -> None:
    sentence = refusal(seq_file(replaced(whole_text, pattern, replacement)))
    assert complaint in sentence
    assert re.search(r"line \d+", sentence)


def test_an_event_that_outlasts_its_block_is_refused_with_both_times(seq_file: Write, whole_text: str) -> None:
    text = replaced(whole_text, r"^( *2) 213 ", r"\1 100 ")
    assert "block 2 lasts 0.001 s, but its events end after 0.0021 s" in refusal(seq_file(text))


@pytest.mark.parametrize(
    "name", ["GradientRasterTime", "RadiofrequencyRasterTime", "AdcRasterTime", "BlockDurationRaster"]
)
@pytest.mark.parametrize("value", ["0", "-1e-5", "10us", "1e-5 1e-5", "1e300", "nan", ""])
def test_a_raster_that_is_no_positive_time_is_refused(name: str, value: str, seq_file: Write, whole_text: str) -> None:
    sentence = refusal(seq_file(replaced(whole_text, rf"^{name} .*$", f"{name} {value}")))
    assert f"the definition {name} is " in sentence
    assert "a raster is one time in seconds" in sentence


@pytest.mark.parametrize(("column", "word"), [(1, "0"), (2, "0")], ids=["no samples", "no dwell time"])
def test_a_readout_without_samples_or_dwell_is_refused(
    column: int, word: str, seq_file: Write, whole_text: str
) -> None:
    sentence = refusal(seq_file(with_word(whole_text, "[ADC]", column, word)))
    assert "ADC event 1 has " in sentence
    assert "it needs a sample and a positive dwell" in sentence


def test_an_unknown_label_is_refused_with_the_nearest_one(seq_file: Write, whole_text: str) -> None:
    text = replaced(whole_text, r"^(\d+ 1) LIN *$", r"\1 LINE")
    sentence = refusal(seq_file(text))
    assert "there is no label 'LINE' in Pulseq" in sentence
    assert "LIN" in sentence


def test_an_unknown_trigger_is_refused(seq_file: Write, whole_text: str) -> None:
    text = replaced(whole_text, r"^(extension TRIGGERS \d+\n\d+) \d+", r"\1 3")
    assert "a trigger has the type 3; known: 1 (output) and 2 (trigger)" in refusal(seq_file(text))


def test_two_extensions_of_one_type_are_refused(seq_file: Write, whole_text: str) -> None:
    number = re.search(r"^extension TRIGGERS (\d+)", whole_text, re.MULTILINE)[1]
    text = replaced(whole_text, r"^extension LABELSET \d+", f"extension LABELSET {number}")
    assert "has the type or the name of another extension" in refusal(seq_file(text))


def test_blocks_shorter_than_the_total_duration_are_a_truncated_file(seq_file: Write, whole_text: str) -> None:
    text = replaced(whole_text, r"^TotalDuration .*$", "TotalDuration 12")
    sentence = refusal(seq_file(text))
    assert "but the definition TotalDuration says 12 s; the file is truncated, or its blocks were changed" in sentence
