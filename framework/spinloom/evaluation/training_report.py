"""The report of a training: what was learned from what, how it went, and how to get it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spinloom.evaluation.report_content import Block, Code, Facts, Picture, ReportContent, Section, Table
from spinloom.evaluation.wording import seconds
from spinloom.interfaces import Input


def training_report(
    *,
    title: str,
    summary: tuple[str, ...],
    highlights: Mapping[str, str],
    figure: bytes,
    history: Sequence[Mapping[str, float]],
    inputs: Sequence[Input],
    learned_from: Mapping[str, str],
    timings: Mapping[str, float],
    provenance: Mapping[str, str],
    config: str,
) -> ReportContent:
    """Compose the report of one training.

    figure: the learning curve, SVG or PNG
    history: metrics of each epoch
    inputs: of the network, with their valid ranges
    learned_from: set or simulator, sequences, samples
    timings: duration of each step [s]
    provenance, config: where the run came from, and the resolved configuration as text
    """
    spent = Table(("Step", "Time"), tuple((name, seconds(value)) for name, value in timings.items()))
    parts: dict[str, tuple[Block, ...]] = {
        "Learning curve": (Picture(figure, "", " ".join(summary)), _history_table(history)),
        "Inputs": (input_table(inputs),),
        "Learned from": (Facts(tuple(learned_from.items())),),
        "Timings": (spent,),
        "Provenance": (Facts(tuple(provenance.items())), Code("Resolved configuration", config)),
    }
    return ReportContent(
        title=title,
        summary=summary,
        highlights=Facts(tuple(highlights.items())),
        sections=tuple(Section(heading, blocks) for heading, blocks in parts.items()),
        kind="Spinloom training",
    )


def input_table(inputs: Sequence[Input]) -> Table:
    """What the network is given, and within which ranges it may be trusted."""
    rows = tuple((entry.name, entry.unit, f"{entry.low:.4g}", f"{entry.high:.4g}") for entry in inputs)
    return Table(("Input", "Unit", "Lowest", "Highest"), rows, "Valid ranges; they also scale the inputs to 0 to 1.")


_ROWS = 12
"""Epochs of a long training that the table shows."""


def _history_table(history: Sequence[Mapping[str, float]]) -> Table:
    """The first epoch, the last, and some evenly between."""
    step = max(1, -(-len(history) // _ROWS))
    shown = [number for number in range(len(history)) if number % step == 0 or number == len(history) - 1]
    names = list(history[0])
    rows = tuple((f"{number + 1}", *(f"{history[number][name]:.4g}" for name in names)) for number in shown)
    return Table(("Epoch", *(name.replace("_", " ") for name in names)), rows)
