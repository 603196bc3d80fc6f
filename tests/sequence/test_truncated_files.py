"""A file that ends too early is found out wherever it was cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spinloom.errors import SequenceError
from spinloom.sequence.read import read_sequence

Write = Callable[[str], Path]


@pytest.mark.parametrize("version", ["1.5", "1.4.1"])
@pytest.mark.parametrize("part", np.linspace(0, 1, 25, endpoint=False).tolist(), ids=lambda part: f"after {part:.0%}")
def test_a_file_cut_between_two_lines_is_refused(
    part: float, version: str, seq_file: Write, whole_text: str, whole_text_141: str
) -> None:
    lines = (whole_text if version == "1.5" else whole_text_141).split("[SIGNATURE]")[0].rstrip().splitlines()
    with pytest.raises(SequenceError):
        read_sequence(seq_file("\n".join(lines[: int(part * len(lines))]) + "\n"))


def test_a_file_cut_after_any_line_is_refused(seq_file: Write, whole_text: str) -> None:
    lines = whole_text.split("[SIGNATURE]")[0].rstrip().splitlines()
    read_as_whole = []
    for kept in range(len(lines)):
        try:
            read_sequence(seq_file("\n".join(lines[:kept]) + "\n"))
            read_as_whole.append(kept)
        except SequenceError:
            pass
    assert read_as_whole == []


@pytest.mark.parametrize("missing", range(1, 8), ids=lambda lines: f"{lines} lines")
def test_a_last_shape_that_misses_its_end_is_refused_even_where_no_event_uses_it(
    missing: int, seq_file: Write, whole_text: str
) -> None:
    body = whole_text.split("[SIGNATURE]")[0].rstrip()
    unused = "shape_id 500\nnum_samples 9\n0.1\n0.2\n0.3\n0\n0\n4".splitlines()
    assert len(read_sequence(seq_file(body + "\n\n" + "\n".join(unused) + "\n"))) > 0
    cut = unused[:-missing]
    with pytest.raises(SequenceError, match=r"truncated|cut off|at least one"):
        read_sequence(seq_file(body + "\n\n" + "\n".join(cut) + "\n"))


@pytest.mark.parametrize("part", [0.2, 0.5, 0.8, 0.95])
def test_a_file_cut_within_a_line_is_refused(part: float, seq_file: Write, whole_text: str) -> None:
    body = whole_text.split("[SIGNATURE]")[0].rstrip()
    with pytest.raises(SequenceError):
        read_sequence(seq_file(body[: int(part * len(body))]))
