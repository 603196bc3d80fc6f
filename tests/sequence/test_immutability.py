"""Nothing of a timeline can be assigned to, not even a number of a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spinloom.sequence.read import read_sequence
from spinloom.sequence.timeline import Timeline


@pytest.fixture
def timeline(seq_file: Callable[[str], Path], whole_text: str) -> Timeline:
    return read_sequence(seq_file(whole_text))


def nouns(timeline: Timeline) -> Iterator[Any]:
    """Every dataclass that a timeline is made of."""
    yield from (timeline, timeline.rasters, *timeline.waveforms, *timeline.rf, *timeline.gradients, *timeline.adcs)
    yield from (item for items in timeline.extensions for item in items)
    yield from timeline.blocks()
    for gradient in timeline.gradients:
        yield from (shape for shape in (gradient.waveform, gradient.timing) if shape is not None)


def test_no_field_can_be_assigned_to(timeline: Timeline) -> None:
    kinds = set()
    for noun in nouns(timeline):
        kinds.add(type(noun).__name__)
        for field in dataclasses.fields(noun):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(noun, field.name, None)
    assert kinds == {
        "Timeline", "Rasters", "RfWaveform", "RfEvent", "GradientEvent", "AdcEvent", "Label", "Trigger", "SoftDelay",
        "Block", "Shape",
    }  # fmt: skip


def test_no_array_can_be_written(timeline: Timeline) -> None:
    arrays = [
        value
        for noun in nouns(timeline)
        for value in (getattr(noun, field.name) for field in dataclasses.fields(noun))
        if isinstance(value, np.ndarray)
    ]
    assert len(arrays) > 10
    for array in (*arrays, timeline.block_start):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_no_definition_and_no_gradient_of_a_block_can_be_assigned_to(timeline: Timeline) -> None:
    played = next(block for block in timeline.blocks() if block.gradients)
    for mapping, key in ((timeline.definitions, "Name"), (played.gradients, "x")):
        assert key in mapping or "z" in mapping
        with pytest.raises(TypeError):
            mapping[key] = None  # type: ignore[index]


def test_a_changed_copy_leaves_the_original_alone(timeline: Timeline) -> None:
    longer = dataclasses.replace(timeline, block_duration=2 * timeline.block_duration)
    assert longer.duration == pytest.approx(2 * timeline.duration)
    assert longer.block_start[-1] == pytest.approx(2 * timeline.block_start[-1])
