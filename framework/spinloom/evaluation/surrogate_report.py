"""The report of an evaluation: how far a network lies from the exact simulator, where most, and how fast both are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spinloom.evaluation.report_content import Block, Code, Facts, Notes, Picture, ReportContent, Section, Table
from spinloom.evaluation.surrogate_errors import Binned
from spinloom.evaluation.training_report import input_table
from spinloom.evaluation.wording import number, seconds
from spinloom.interfaces import Input

_PICTURES = {
    "examples": ("Signals", "Exact signals as lines, predictions of the network as circles"),
    "scatter": ("All values", "Predicted against exact values"),
    "numbers": ("Error by number", "NRMSE by tenths of each number that varies"),
    "steps": ("Error by measurement", "NRMSE against the measurement"),
}


def surrogate_report(
    *,
    title: str,
    summary: tuple[str, ...],
    figures: Mapping[str, bytes],
    metrics: Mapping[str, float],
    binned: Mapping[str, Binned],
    units: Mapping[str, str],
    notes: Sequence[str],
    inputs: Sequence[Input],
    model: Mapping[str, str],
    timings: Mapping[str, float],
    provenance: Mapping[str, str],
    config: str,
) -> ReportContent:
    """Compose the report of one evaluation.

    figures: SVG or PNG by name, of `examples`, `scatter`, `numbers` and `steps`
    binned, units: the error against each number, and the numbers' units
    notes: on inputs outside the valid range, and what was idealised
    inputs: of the network, with their valid ranges
    model: facts of the network
    """
    pictures: dict[str, tuple[Block, ...]] = {
        title_: (Picture(figures[name], "", alternative),)
        for name, (title_, alternative) in _PICTURES.items()
        if name in figures
    }
    if binned:
        pictures["Error by number"] += (_worst_table(binned, units),)
    parts: dict[str, tuple[Block, ...]] = {
        **pictures,
        "Metrics": (Table(("Metric", "Value"), tuple((name, number(value)) for name, value in metrics.items())),),
        "Notes": (Notes(tuple(notes)),) if notes else (),
        "Network": (Facts(tuple(model.items())), input_table(inputs)),
        "Timings": (Table(("Step", "Time"), tuple((name, seconds(value)) for name, value in timings.items())),),
        "Provenance": (Facts(tuple(provenance.items())), Code("Resolved configuration", config)),
    }
    return ReportContent(
        title=title,
        summary=summary,
        highlights=Facts(
            (
                ("NRMSE", f"{100 * metrics['nrmse']:.3g} %"),
                ("Pearson r", f"{metrics['pearson_r']:.6f}"),
                ("Worst error", number(metrics["max_abs_error"], ".3g")),
            )
        ),
        sections=tuple(Section(heading, blocks) for heading, blocks in parts.items() if blocks),
        kind="Spinloom evaluation",
    )


def _worst_table(binned: Mapping[str, Binned], units: Mapping[str, str]) -> Table:
    """For each number, the tenth in which the error is largest."""
    rows = []
    for name, bins in sorted(binned.items(), key=lambda item: -item[1].nrmse.max()):
        low, high = bins.edges[bins.worst], bins.edges[bins.worst + 1]
        place = f"{number(low)} to {number(high)}"
        ends = (f"{100 * value:.3g}" for value in (bins.nrmse.max(), bins.nrmse.min()))
        rows.append((name, units[name], place, *ends))
    columns = ("Number", "Unit", "Worst where", "NRMSE there [%]", "NRMSE in its best part [%]")
    return Table(columns, tuple(rows), "Where the network is weakest: each number in tenths of its values.")
