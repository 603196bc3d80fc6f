"""The line of a training: what it says, and that it neither floods a log nor leaves anything on a terminal."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from spinloom.commands import epoch_line
from spinloom.commands.epoch_line import EpochLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


EPOCH = SimpleNamespace(number=3, metrics={"loss": 0.0123, "validation_nrmse": 0.0456})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epoch_line, "_LINE_SECONDS", {True: 0.0, False: 0.0})


def test_an_epoch_is_told_with_its_loss_and_error(impatient: None) -> None:
    stream = io.StringIO()
    EpochLine(stream, 20).epoch(EPOCH)
    assert stream.getvalue() == "epoch 3 of 20: loss 0.0123, validation NRMSE 4.56 %\n"


def test_samples_of_the_next_epoch_are_told_with_what_the_last_one_reached(impatient: None) -> None:
    stream = io.StringIO()
    line = EpochLine(stream, 20)
    line.epoch(EPOCH)
    line.samples(3, 4096)
    assert stream.getvalue().splitlines()[1].startswith("epoch 4 of 20: 4,096 samples, ")
    assert stream.getvalue().endswith("; before: loss 0.0123, validation NRMSE 4.56 %\n")


def test_a_terminal_is_left_as_it_was(impatient: None) -> None:
    stream = Terminal()
    line = EpochLine(stream, 20)
    line.epoch(EPOCH)
    line.close()
    last = stream.getvalue().split("\r")
    assert last[-1] == ""
    assert last[-2].strip() == ""
    assert len(last[-2]) == len(last[1])


def test_a_log_is_not_flooded() -> None:
    stream = io.StringIO()
    line = EpochLine(stream, 20)
    for sample in range(10_000):
        line.samples(0, sample)
    assert stream.getvalue() == ""
