"""What a simulator needs is checked against the sequence before any work, and a refusal says what is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pypulseq as pp
import pytest
import torch

from spinloom.errors import RequirementError
from spinloom.interfaces import Requirements, timeline_parts
from spinloom.sequence.read import read_sequence
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import SemisolidPool, Tissue, Water

Play = Callable[..., Timeline]

PULSE = pp.make_block_pulse(np.pi, duration=2e-3, delay=1e-4)
READOUT = pp.make_adc(4, dwell=1e-4, delay=5e-4)
GRADIENT = pp.make_trapezoid("z", area=100.0)
LABEL = pp.make_label("SLC", "SET", 1)
DELAY = pp.make_delay(1e-3)


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """The timeline of a sequence with these blocks."""

    def timeline(*blocks: tuple[object, ...]) -> Timeline:
        sequence = pp.Sequence()
        for block in blocks:
            sequence.add_block(*block)
        sequence.write(str(tmp_path / "played.seq"))
        return read_sequence(tmp_path / "played.seq")

    return timeline


@pytest.fixture(scope="module")
def tissue() -> Tissue:
    """Water and one semisolid pool with a Gaussian line."""
    one = torch.ones((), dtype=torch.float64)
    pool = SemisolidPool("mt", 0.1 * one, one, 1e-5 * one, 30 * one, 0 * one, "gaussian")
    water = Water(one, one, 0.05 * one)
    return Tissue("phantom gel", water, (), (pool,), 3 * one, 2.675e8 * one, 0 * one, one, one, True, 100)


@pytest.mark.parametrize(
    ("part", "words", "blocks"),
    [
        ("rf", "RF pulses", [(READOUT,), (GRADIENT,)]),
        ("adc", "ADC events", [(PULSE,), (GRADIENT,)]),
        ("gradients", "gradients", [(PULSE,), (READOUT,)]),
        ("labels", "labels", [(PULSE,), (READOUT,), (pp.make_trigger("physio1", duration=1e-3),)]),
    ],
    ids=["RF", "ADC", "gradients", "labels"],
)
def test_a_sequence_that_lacks_what_a_simulator_needs_is_refused_by_name(
    part: str, words: str, blocks: list[tuple[object, ...]], play: Play, tissue: Tissue
) -> None:
    timeline = play(*blocks)
    needs = Requirements(timeline=frozenset({part}), lineshapes=frozenset({"gaussian"}))
    with pytest.raises(RequirementError) as refusal:
        needs.check("cest", timeline, tissue)
    assert str(refusal.value) == f"Simulator 'cest' needs a sequence with {words}, but {timeline.source} has none."


def test_an_event_that_the_file_defines_but_no_block_plays_does_not_count(play: Play, tmp_path: Path) -> None:
    play((PULSE,), (READOUT,))
    text = (tmp_path / "played.seq").read_text()
    lines = text.splitlines()
    silent = lines.index("[BLOCKS]") + 1
    lines[silent] = lines[silent].replace("  1   0", "  0   0", 1)
    (tmp_path / "played.seq").write_text("\n".join(lines) + "\n")
    timeline = read_sequence(tmp_path / "played.seq")
    assert len(timeline.rf) == 1
    assert timeline_parts(timeline) == {"adc"}


def test_a_sequence_that_has_everything_is_accepted(play: Play, tissue: Tissue) -> None:
    timeline = play((PULSE, GRADIENT), (READOUT, LABEL), (DELAY,))
    assert timeline_parts(timeline) == {"rf", "adc", "gradients", "labels"}
    Requirements(timeline=timeline_parts(timeline), lineshapes=frozenset({"gaussian"})).check("cest", timeline, tissue)


def test_a_lineshape_that_a_simulator_does_not_solve_is_refused_with_those_that_it_does(
    play: Play, tissue: Tissue
) -> None:
    needs = Requirements(lineshapes=frozenset({"none", "lorentzian"}))
    with pytest.raises(RequirementError) as refusal:
        needs.check("cest", play((DELAY,)), tissue)
    assert "the lineshape 'gaussian' of pool 'mt' in tissue 'phantom gel'; it solves: lorentzian, none." in str(
        refusal.value
    )
