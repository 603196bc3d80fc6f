"""Damaged files: whatever is done to a sequence, reading it gives a timeline or a `SequenceError`.

Every example is read, and what was read is used: durations, blocks, moments, the program of steps.  Nothing else may be
raised, no example may take long or fill the memory.  `SPINLOOM_FUZZ_EXAMPLES` tries so many examples, new ones at
every run; crashes that were found are tests of their own in `test_fuzz_findings.py`, with their story.
"""

from __future__ import annotations

import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spinloom.errors import SequenceError
from spinloom.sequence.read import read_sequence
from spinloom.sequence.steps import step_program
from spinloom.sequence.timeline import Timeline

ASKED = os.environ.get("SPINLOOM_FUZZ_EXAMPLES")
EXAMPLES = int(ASKED or 2000)
LONGEST = 5.0
"""No example of a few kilobytes may take longer than this [s], on the slowest machine of a test."""

MEMORY = 1_000_000_000
"""No example may take more memory than this [bytes]."""

SHIPPED = sorted((Path(__file__).parents[2] / "sequences" / "cest").glob("*.seq"))

NUMBERS = (
    "0", "-1", "1", "2", "1.5", "1e-9", "1e3", "1e9", "1e12", "1e15", "1e300", "-1e15", "nan", "inf", "", "x",
    "999999999", "1000000000000000", "100000000000", "4294967296", "-9223372036854775808", "0x1f", "1_0", "[RF]", "#",
    "extension", "shape_id", "num_samples", "\N{ARABIC-INDIC DIGIT FOUR}", "\N{NO-BREAK SPACE}",
)  # fmt: skip

Mutation = Callable[[str, random.Random], str]


def on_lines(change: Callable[[list[str], random.Random], None]) -> Mutation:
    """A mutation that changes a list of lines in place."""

    def mutate(text: str, chance: random.Random) -> str:
        lines = text.split("\n")
        change(lines, chance)
        return "\n".join(lines)

    return mutate


def delete_lines(lines: list[str], chance: random.Random) -> None:
    start = chance.randrange(len(lines))
    del lines[start : start + chance.choice([1, 1, 1, 2, 5, 50])]


def repeat_line(lines: list[str], chance: random.Random) -> None:
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))


def swap_lines(lines: list[str], chance: random.Random) -> None:
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]


def change_word(lines: list[str], chance: random.Random) -> None:
    filled = [index for index, line in enumerate(lines) if line.strip() and not line.startswith("#")]
    if filled:
        index = chance.choice(filled)
        words = lines[index].split()
        words[chance.randrange(len(words))] = chance.choice(NUMBERS)
        lines[index] = " ".join(words)


def flip_bytes(text: str, chance: random.Random) -> str:
    characters = list(text)
    for _ in range(chance.choice([1, 3, 20])):
        characters[chance.randrange(len(characters))] = chr(chance.randrange(256))
    return "".join(characters)


def cut(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text)) + 1]


def on_sections(change: Callable[[list[str], random.Random], None]) -> Mutation:
    """A mutation that changes a list of sections in place."""

    def mutate(text: str, chance: random.Random) -> str:
        sections = re.split(r"(?m)^(?=\[|extension )", text)
        change(sections, chance)
        return "".join(sections)

    return mutate


def remove_section(sections: list[str], chance: random.Random) -> None:
    del sections[chance.randrange(len(sections))]


def repeat_section(sections: list[str], chance: random.Random) -> None:
    sections.append("\n" + chance.choice(sections))


def shuffle_sections(sections: list[str], chance: random.Random) -> None:
    chance.shuffle(sections)


def another_version(text: str, chance: random.Random) -> str:
    return re.sub(r"(?m)^minor \d+", f"minor {chance.randrange(1, 7)}", text)


MUTATIONS: tuple[Mutation, ...] = (
    *(on_lines(change) for change in (delete_lines, repeat_line, swap_lines, change_word, change_word, change_word)),
    *(on_sections(change) for change in (remove_section, repeat_section, shuffle_sections)),
    flip_bytes, cut, another_version,
)  # fmt: skip


@pytest.fixture(scope="module")
def originals(whole_text: str, whole_text_141: str) -> list[str]:
    """Files to damage: those with every table, an old one, and the shipped ones where they are small."""
    shipped = [path.read_text() for path in SHIPPED if path.stat().st_size < 20_000]
    return [whole_text, whole_text_141, OLD, *shipped]


OLD = """[VERSION]
major 1
minor 3
revision 1

[BLOCKS]
1 1 0 0 0 0 0 0
2 0 1 0 0 0 0 0
3 2 2 1 0 0 0 1
4 0 0 4 4 2 1 0

[RF]
1  250 1 2 100 -300 0.5
2  500 3 0 0 0 0

[GRADIENTS]
4  1000 4 20

[TRAP]
1  25000 30 940 30 100
2  0 0 1000 0 0

[ADC]
1 16 50000 10 20 0.1

[DELAYS]
1 5000
2 50

[EXTENSIONS]
1 1 1 0

extension TRIGGERS 1
1 2 1 500 90

[SHAPES]

shape_id 1
num_samples 4
1
0
0
1

shape_id 2
num_samples 4
0
0
2

shape_id 3
num_samples 5
0.5
0.5
0
0
0
1

shape_id 4
num_samples 3
1
-0.5
-0.25
"""


def use(timeline: Timeline) -> None:
    """Ask a timeline everything that the rest of Spinloom asks."""
    assert timeline.duration >= 0
    assert timeline.adc_samples >= 0
    assert timeline.block_start.size == len(timeline) > 0
    for waveform in timeline.waveforms:
        assert waveform.duration > 0
        assert abs(waveform.area) <= waveform.peak * waveform.duration * (1 + 1e-9)
        assert waveform.power >= 0
    for question in (gradient_moments, sample_times, step_program):
        with suppress(SequenceError):
            question(timeline)
    assert sum(block.duration for block in timeline.blocks()) >= 0


def gradient_moments(timeline: Timeline) -> None:
    assert all(abs(gradient.moment) < float("inf") for gradient in timeline.gradients)


def sample_times(timeline: Timeline) -> None:
    assert all(adc.sample_times().size == adc.samples for adc in timeline.adcs)


@contextmanager
def frugally() -> Iterator[None]:
    """Raise where the block takes too long or raises the process's peak of memory by too much."""
    memory, start = peak_memory(), time.perf_counter()
    yield
    assert time.perf_counter() - start < LONGEST
    assert peak_memory() - memory < MEMORY


def peak_memory() -> int:
    """The most memory that this process has ever taken [bytes]; 0 where the system does not say."""
    if not sys.platform.startswith("linux"):
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def read_and_use(path: Path) -> bool:
    """Whether a file is read; the error of one that is not names the file."""
    with frugally():
        try:
            timeline = read_sequence(path)
        except SequenceError as error:
            complaint = str(error)
        else:
            use(timeline)
            return True
    assert str(path) in complaint
    return False


def test_the_originals_are_read(originals: list[str], tmp_path: Path) -> None:
    for number, text in enumerate(originals):
        (tmp_path / f"{number}.seq").write_text(text)
        assert read_and_use(tmp_path / f"{number}.seq")


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=ASKED is None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), rounds=st.integers(1, 4))
def test_a_damaged_file_is_read_or_refused(seed: int, rounds: int, originals: list[str], tmp_path: Path) -> None:
    chance = random.Random(seed)
    text = chance.choice(originals)
    for _ in range(rounds):
        text = chance.choice(MUTATIONS)(text, chance) or "\n"
    path = tmp_path / "damaged.seq"
    path.write_bytes(text.encode(chance.choice(["utf-8"] * 8 + ["latin-1", "utf-16"]), errors="replace"))
    read_and_use(path)


@settings(max_examples=EXAMPLES // 3, deadline=None, derandomize=ASKED is None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    content=st.one_of(
        st.binary(max_size=300), st.text(alphabet="[]BLOCKSRFVEION majormin0123456789.-e\n#", max_size=300)
    )
)
def test_any_bytes_are_refused(content: bytes | str, tmp_path: Path) -> None:
    path = tmp_path / "bytes.seq"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert not read_and_use(path)
