"""The report of a simulation: what was simulated, what came out, from what, and how to get it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spinloom.evaluation.report_content import Block, Code, Facts, Notes, Picture, ReportContent, Section, Table
from spinloom.evaluation.wording import number, seconds, span
from spinloom.quantify.asymmetry import largest_asymmetry
from spinloom.quantify.zspectrum import ZSpectrum
from spinloom.tissue.batches import Parameter
from spinloom.tissue.pools import ExchangingPool, SemisolidPool, Tissue


def simulation_report(
    *,
    spectrum: ZSpectrum,
    figure: bytes,
    tissue: Tissue,
    sequence: Mapping[str, str],
    sequence_figure: bytes | None,
    notes: Sequence[str],
    metrics: Mapping[str, float],
    timings: Mapping[str, float],
    provenance: Mapping[str, str],
    config: str,
    parameters: Sequence[Parameter] = (),
    sections: Sequence[Section] = (),
) -> ReportContent:
    """Compose the report of one simulation.

    figure, sequence_figure: SVG or PNG of the signal and of the sequence
    sequence: facts of the sequence, such as version, duration, pulses, B1 rms
    notes: what was idealised or approximated, in sentences
    metrics: numbers of the run by name; an empty mapping leaves the section out
    timings: duration of each step [s]
    provenance: command, versions, revision, hashes, device, seed, run id
    config: the resolved configuration as text
    parameters: what varies over a batch of tissues
    sections: what the simulator itself reports; they follow the signal
    """
    headline = describe(spectrum, tissue)
    drawing = () if sequence_figure is None else (Picture(sequence_figure, "", "RF, gradients and ADC against time"),)
    scale = (Table(("Metric", "Value"), tuple((name, f"{value:.4g}") for name, value in metrics.items())),)
    spent = (Table(("Step", "Time"), tuple((name, seconds(value)) for name, value in timings.items())),)
    signal = Section(_kind(spectrum), (Picture(figure, spectrum.m0_source, " ".join(headline)),))
    parts: dict[str, tuple[Block, ...]] = {
        "What varies": (parameter_table(parameters),) if parameters else (),
        "Sequence": (*drawing, Facts(tuple(sequence.items()))),
        "Tissue": (pool_table(tissue), Facts(tuple(_surroundings(tissue).items()))),
        "Metrics": scale if metrics else (),
        "What was idealised": (Notes(tuple(notes)),) if notes else (),
        "Timings": spent if timings else (),
        "Provenance": (Facts(tuple(provenance.items())), Code("Resolved configuration", config)),
    }
    return ReportContent(
        title=f"{_kind(spectrum)} of {tissue.name}",
        summary=headline,
        highlights=Facts(tuple(_highlights(spectrum, tissue).items())),
        sections=(signal, *sections, *(Section(title, blocks) for title, blocks in parts.items() if blocks)),
        kind="Spinloom simulation",
    )


def describe(spectrum: ZSpectrum, tissue: Tissue) -> tuple[str, ...]:
    """What was simulated, and the largest MTR asymmetry and where, in sentences."""
    count = tissue.batch_shape.numel()
    subject = f"{count:,} tissues of '{tissue.name}'" if count > 1 else f"'{tissue.name}'"
    what = f"{_kind(spectrum)} of {subject} at {span(tissue.b0)} T: {spectrum.offset_ppm.size} measurements"
    if not spectrum.is_spectrum:
        return (f"{what}.",)
    offsets = spectrum.offset_ppm[~spectrum.m0_scans & np.isfinite(spectrum.offset_ppm)]
    what = f"{what}, offsets {number(offsets.min())} to {number(offsets.max())} ppm."
    largest = largest_asymmetry(spectrum)
    if largest is None:
        return (what, "No offset has a counterpart on the other side of water, so there is no MTR asymmetry.")
    where, value = largest
    return (what, f"The largest MTR asymmetry is {span(100 * value, '.2f')} % at {span(where)} ppm.")


def pool_table(tissue: Tissue) -> Table:
    """The pools of a tissue, water first; a batch shows the range of each parameter."""
    water = tissue.water
    rows: list[tuple[str, ...]] = [
        ("water", span(100 * water.f), span(water.t1), span(1000 * water.t2), "", number(0.0), "")
    ]
    pools: list[ExchangingPool | SemisolidPool] = [*tissue.exchanging, *tissue.semisolid]
    for pool in pools:
        lineshape = pool.lineshape if isinstance(pool, SemisolidPool) else ""
        values = (100 * pool.f, pool.t1, 1000 * pool.t2, pool.k, pool.shift_ppm)
        rows.append((pool.name, *(span(value) for value in values), lineshape))
    columns = ("Pool", "Fraction [%]", "T1 [s]", "T2 [ms]", "k [1/s]", "Shift [ppm]", "Lineshape")
    return Table(columns, tuple(rows), "Fractions are relative to water; k is the exchange rate towards water.")


def parameter_table(parameters: Sequence[Parameter]) -> Table:
    """The numbers that vary over a batch: unit, range, median and how many values differ."""
    rows = []
    for parameter in parameters:
        values = parameter.values
        shown = (number(statistic) for statistic in (values.min(), float(np.median(values)), values.max()))
        rows.append((parameter.address, parameter.meaning, parameter.unit, *shown, f"{np.unique(values).size:,}"))
    columns = ("Parameter", "Meaning", "Unit", "Smallest", "Median", "Largest", "Values")
    return Table(columns, tuple(rows), f"{len(rows)} of the tissue's numbers vary over {values.size:,} tissues.")


def _surroundings(tissue: Tissue) -> dict[str, str]:
    return {
        "Field": f"{span(tissue.b0)} T",
        "B0 inhomogeneity": f"{span(tissue.b0_shift_ppm)} ppm",
        "Relative B1": span(tissue.rel_b1),
        "Initial magnetisation": f"{span(tissue.initial_scale)} of equilibrium",
        "Before each measurement": "starts anew" if tissue.reset else "carries on from the one before",
    }


def _highlights(spectrum: ZSpectrum, tissue: Tissue) -> dict[str, str]:
    numbers = {}
    if spectrum.is_spectrum and (largest := largest_asymmetry(spectrum)) is not None:
        where, value = largest
        numbers["Largest MTR asymmetry"] = f"{span(100 * value, '.2f')} % at {span(where)} ppm"
    return {**numbers, "Measurements": f"{spectrum.offset_ppm.size}", "Field": f"{span(tissue.b0)} T"}


def _kind(spectrum: ZSpectrum) -> str:
    if spectrum.is_spectrum:
        return "Z-spectrum"
    offsets = spectrum.offset_ppm[~spectrum.m0_scans]
    _, times = np.unique(np.round(offsets[np.isfinite(offsets)], 3), return_counts=True)
    return "Series of Z-spectra" if times.size >= 3 and times.min() == times.max() > 1 else "Fingerprint"
