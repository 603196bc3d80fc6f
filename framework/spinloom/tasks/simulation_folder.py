"""What a simulation leaves in its run folder: configuration, sequence, signal, spectrum, figures, report, record."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from spinloom.evaluation.canvas import save
from spinloom.evaluation.figures import plot
from spinloom.evaluation.report import write_report
from spinloom.evaluation.report_content import Section
from spinloom.evaluation.simulation_report import simulation_report
from spinloom.interfaces import Signal
from spinloom.quantify.asymmetry import largest_asymmetry
from spinloom.quantify.zspectrum import ZSpectrum
from spinloom.quantify.zspectrum_csv import write_csv
from spinloom.sequence.facts import sequence_facts
from spinloom.sequence.plot import plot_sequence
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import sequence_content
from spinloom.signal_files import write_signal
from spinloom.tasks.clock import Clock
from spinloom.tasks.record import array_attributes, simulation_record, without_password
from spinloom.tasks.wording import provenance_facts, sequence_rows
from spinloom.tissue.addresses import value_at
from spinloom.tissue.batches import TABLE, TissueBatch
from spinloom.tracking import RUN_FILE


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulation that is done and not yet written.

    config: resolved, as plain containers
    sections: what the simulator itself has to report
    run_id: of the tracking store, or None
    """

    name: str
    config: Mapping[str, Any]
    timeline: Timeline
    batch: TissueBatch
    signal: Signal
    spectrum: ZSpectrum
    sections: tuple[Section, ...]
    started: datetime
    run_id: str | None


def write_simulation(folder: Path, done: Simulation, clock: Clock) -> None:
    """Write everything into `folder`, the record `run.json` last."""
    metrics = spectrum_metrics(done.spectrum)
    configuration = yaml.safe_dump(without_password(done.config), sort_keys=False)
    with clock.step("write"):
        (folder / "sequence.seq").write_bytes(sequence_content(done.config["sequence"]))
        _keep_table(folder, done.config)
        (folder / "config.yaml").write_text(configuration, encoding="utf-8")
        write_signal(
            folder / "signal.zarr", done.signal, array_attributes(done.config, done.timeline), done.batch.parameters
        )
        if done.spectrum.batch_shape.numel() == 1:
            write_csv(folder / "zspectrum.csv", done.spectrum)
    with clock.step("draw"):
        figures = _draw(folder / "figures", done)
    record = _record(done, metrics, clock)
    report = simulation_report(
        spectrum=done.spectrum,
        figure=figures["signal"],
        tissue=done.batch.tissue,
        sequence=sequence_rows(sequence_facts(done.timeline)),
        sequence_figure=figures["sequence"],
        notes=done.signal.notes,
        metrics=metrics,
        timings=clock.timings,
        provenance=provenance_facts(record),
        config=configuration,
        parameters=done.batch.parameters,
        sections=done.sections,
    )
    write_report(folder / "report.html", report)
    (folder / RUN_FILE).write_text(json.dumps(record, indent=2), encoding="utf-8")


def spectrum_metrics(spectrum: ZSpectrum) -> dict[str, float]:
    """Numbers of a run; of a batch, the asymmetry is that of its median tissue."""
    metrics = {"m0": float(spectrum.m0.mean()), "mz_min": float(spectrum.mz.min()), "mz_max": float(spectrum.mz.max())}
    largest = largest_asymmetry(spectrum)
    if largest is not None:
        offset, asymmetry = (part.flatten() for part in largest)
        middle = asymmetry.argsort()[asymmetry.numel() // 2]
        metrics |= {"mtr_asymmetry_max": float(asymmetry[middle]), "mtr_asymmetry_max_ppm": float(offset[middle])}
    return metrics


def kept_table(folder: Path) -> Path | None:
    """The table of tissues that a run folder holds, None where the run had none."""
    return next(iter(sorted(folder.glob("tissues.*"))), None)


def _keep_table(folder: Path, config: Mapping[str, Any]) -> None:
    table = config["tissue"].get(TABLE)
    if table is not None:
        shutil.copyfile(table, folder / f"tissues{Path(table).suffix.lower()}")


def _draw(folder: Path, done: Simulation) -> dict[str, bytes]:
    """Write every figure as SVG and PNG; returns the SVG by name."""
    folder.mkdir()
    drawn = {
        "signal": plot(done.spectrum),
        "sequence": plot_sequence(done.timeline, *first_measurement(done.timeline)),
    }
    for name, figure in drawn.items():
        for suffix in ("svg", "png"):
            save(figure, folder / f"{name}.{suffix}")
    return {name: (folder / f"{name}.svg").read_bytes() for name in drawn}


def first_measurement(timeline: Timeline) -> tuple[float, float]:
    """Begin and end of the blocks between the first ADC event and the second, or of all where there is but one [s].

    The first measurement itself is often an M0 scan, which looks different from the others.
    """
    readouts = (timeline.block_adc >= 0).nonzero()[0]
    if readouts.size < 2:
        return 0.0, timeline.duration
    ends = timeline.block_start + timeline.block_duration
    return float(ends[readouts[0]]), float(ends[readouts[1]])


def _record(done: Simulation, metrics: Mapping[str, float], clock: Clock) -> dict[str, Any]:
    """The content of `run.json`."""
    return simulation_record(
        name=done.name,
        config=done.config,
        timeline=done.timeline,
        params={"tissue": done.batch.tissue.name, **_varied(done)},
        metrics=metrics,
        timings=clock.timings,
        started=done.started,
        run_id=done.run_id,
    )


def _varied(done: Simulation) -> dict[str, Any]:
    """What the run varied, as parameters of its record."""
    written = {p.address: value_at(done.config["tissue"], p.address) for p in done.batch.parameters}
    texts = {f"tissue.{address}": text for address, text in written.items() if isinstance(text, str)}
    return {"tissues": done.spectrum.batch_shape.numel(), **texts} if done.batch.parameters else {}
