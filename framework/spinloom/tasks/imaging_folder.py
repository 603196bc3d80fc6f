"""What a simulated image leaves in its run folder: configuration, sequence, phantom, k-space, figures, report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from spinloom.errors import SpinloomError
from spinloom.evaluation.canvas import save
from spinloom.evaluation.imaging_figures import draw_image
from spinloom.evaluation.imaging_kspace import draw_kspace
from spinloom.evaluation.imaging_report import image_metrics, imaging_report
from spinloom.evaluation.phantom_figure import draw_phantom
from spinloom.evaluation.report import write_report
from spinloom.evaluation.report_content import Section
from spinloom.evaluation.wording import number
from spinloom.interfaces import KSpace, Reconstructor, Simulator
from spinloom.kspace_files import write_kspace
from spinloom.reconstruction.image import Image
from spinloom.reconstruction.reconstruct import reconstruct
from spinloom.sequence.facts import sequence_facts
from spinloom.sequence.plot import plot_sequence
from spinloom.sequence.shots import shots
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import sequence_content
from spinloom.tasks.clock import Clock
from spinloom.tasks.imaging_files import write_image_files, write_raw
from spinloom.tasks.record import array_attributes, simulation_record, without_password
from spinloom.tasks.wording import provenance_facts, sequence_rows
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.phantoms.phantom_files import write_phantom
from spinloom.tracking import RUN_FILE


@dataclass(frozen=True, eq=False)
class Imaging:
    """A simulated image that is done and not yet written.

    config: resolved, as plain containers
    image: None where the samples make up none
    notes: what was idealised or approximated
    sections: what the simulator itself has to report
    run_id: of the tracking store, or None
    """

    name: str
    config: Mapping[str, Any]
    timeline: Timeline
    phantom: Phantom
    kspace: KSpace
    image: Image | None
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    started: datetime
    run_id: str | None


def image_of(simulator: Simulator, timeline: Timeline, kspace: KSpace) -> tuple[Image | None, tuple[str, ...]]:
    """The image of `kspace` and what to note of it; None, and why, where the samples make up none."""
    try:
        if isinstance(simulator, Reconstructor):
            image = simulator.reconstruct(timeline, kspace)
        else:
            image = reconstruct(kspace, timeline.definitions)
    except SpinloomError as error:
        return None, (f"There is no image: {error}",)
    except MemoryError as error:
        return None, (f"There is no image, because memory does not hold it: {error}.",)
    return image, image.notes


def write_imaging(folder: Path, done: Imaging, clock: Clock) -> None:
    """Write everything into `folder`, the record `run.json` last."""
    metrics = image_metrics(done.kspace, done.image)
    configuration = yaml.safe_dump(without_password(done.config), sort_keys=False)
    attributes = array_attributes(done.config, done.timeline)
    with clock.step("write"):
        (folder / "sequence.seq").write_bytes(sequence_content(done.config["sequence"]))
        (folder / "config.yaml").write_text(configuration, encoding="utf-8")
        write_phantom(done.phantom, folder / "phantom.zarr")
        write_kspace(folder / "kspace.zarr", done.kspace, attributes)
        remarks = write_image_files(folder, done.image)
        if done.config.get("rawdata", False):
            remarks += write_raw(folder, done.timeline, done.kspace)
    with clock.step("draw"):
        figures = _draw(folder / "figures", done)
    record = simulation_record(
        name=done.name,
        config=done.config,
        timeline=done.timeline,
        params={"phantom": done.phantom.name, "spins": done.phantom.voxels},
        metrics=metrics,
        timings=clock.timings,
        started=done.started,
        run_id=done.run_id,
    )
    report = imaging_report(
        phantom=done.phantom,
        kspace=done.kspace,
        image=done.image,
        figures=figures,
        sequence=sequence_rows(sequence_facts(done.timeline)),
        notes=(*done.kspace.notes, *done.notes, *remarks),
        metrics=metrics,
        timings=clock.timings,
        provenance=provenance_facts(record),
        config=configuration,
        sections=done.sections,
    )
    write_report(folder / "report.html", report)
    (folder / RUN_FILE).write_text(json.dumps(record, indent=2), encoding="utf-8")


def _draw(folder: Path, done: Imaging) -> dict[str, bytes]:
    """Write every figure as PNG and return them by name."""
    folder.mkdir()
    drawn = {"kspace": draw_kspace(done.kspace, done.image), "phantom": draw_phantom(done.phantom)}
    for name, (start, stop) in _stretches(done.timeline).items():
        drawn[name] = plot_sequence(done.timeline, start, stop)
    if done.image is not None:
        drawn["image"] = draw_image(done.image, _frame_names(done.timeline, done.image))
    for name, figure in drawn.items():
        save(figure, folder / f"{name}.png")
    return {name: (folder / f"{name}.png").read_bytes() for name in drawn}


def _stretches(timeline: Timeline) -> dict[str, tuple[float, float]]:
    """Begin and end of what is drawn of a sequence [s].

    That is its first shot; where pulses are played before shots, the second one, since the first is often an M0 scan,
    and what comes before it from the first of those pulses on.
    """
    found = shots(timeline)
    if not found:
        return {"sequence": (0.0, timeline.duration)}
    times = np.append(timeline.block_start, timeline.duration).tolist()
    before, shot = (found[0].blocks.stop, found[1]) if len(found) > 1 else (0, found[0])
    pulses = before + np.flatnonzero(timeline.block_rf[before : shot.blocks.start] >= 0)
    if not pulses.size:
        return {"sequence": (times[found[0].blocks.start], times[found[0].blocks.stop])}
    return {
        "sequence": (times[shot.blocks.start], times[shot.blocks.stop]),
        "preparation": (times[pulses[0]], times[shot.blocks.start]),
    }


def _frame_names(timeline: Timeline, image: Image) -> tuple[str, ...]:
    """The offsets of saturation where the file states one an image."""
    offsets = timeline.definitions.get("offsets_ppm")
    if not isinstance(offsets, tuple) or len(offsets) != image.data.shape[0]:
        return ()
    return tuple(f"{number(offset, '.4g')} ppm" for offset in offsets)
