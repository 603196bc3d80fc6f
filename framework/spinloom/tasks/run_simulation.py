"""A tracked simulation, from its composed configuration to its run folder: the main job.

Read the sequence and the tissues or the phantom, refuse what does not fit, simulate, quantify or reconstruct, draw,
write everything into one folder, and log that folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from spinloom import tracking
from spinloom.errors import ConfigurationError
from spinloom.evaluation.imaging_report import describe_image
from spinloom.evaluation.simulation_report import describe
from spinloom.interfaces import KSpace, Reporter, RunInfo
from spinloom.quantify.zspectrum import z_spectrum
from spinloom.sequence_sources import read_sequence
from spinloom.tasks.clock import Clock
from spinloom.tasks.folders import check_output
from spinloom.tasks.imaging_files import check_raw_data
from spinloom.tasks.imaging_folder import Imaging, image_of, write_imaging
from spinloom.tasks.observing import observed
from spinloom.tasks.simulate import build_simulator, check_fit
from spinloom.tasks.simulation_folder import Simulation, write_simulation
from spinloom.tasks.subjects import read_subject, subject_itself
from spinloom.tasks.sweeps import parent_run
from spinloom.tissue.batches import TissueBatch
from spinloom.tissue.phantom import Phantom
from spinloom.whole_folder import whole_folder


@dataclass(frozen=True)
class Outcome:
    """What a run left: its folder, its id in the tracking store, and what it found in sentences."""

    folder: Path
    run_id: str | None
    headline: tuple[str, ...]


def run_simulation(config: Mapping[str, Any], progress: Callable[[int, int], None] | None = None) -> Outcome:
    """Simulate as `config` says (the composition of `conf/simulate.yaml`) and track the run.

    progress: called now and then with the tissues or isochromats that are done and their number

    Raises before any file is written where sequence, subject and simulator do not fit each other, and
    `TrackingError` after the results are kept where the tracking store cannot be reached.
    """
    clock, started, output = Clock(), datetime.now(UTC), Path(config["output"])
    _check_types(config)
    check_raw_data(config.get("rawdata", False), config.get("phantom") is not None)
    check_output(output, config["overwrite"])
    simulator = build_simulator(config["simulator"], progress)
    with clock.step("read"):
        timeline = read_sequence(config["sequence"])
        read = read_subject(config, timeline, simulator)
    subject = subject_itself(read)
    check_fit(simulator, config["simulator"]["name"], timeline, subject)
    torch.manual_seed(config["seed"])

    name = f"{Path(timeline.source).stem} on {subject.name}"
    settings = tracking.TrackingSettings.from_config(config["tracking"])
    with tracking.run(settings, task="simulate", name=name, parent=parent_run()) as run:
        with observed(RunInfo("simulate", run.run_id, output, config)), whole_folder(output) as folder:
            with clock.step("simulate"):
                signal = simulator.simulate(timeline, subject)
            own = simulator.report(timeline, subject, signal) if isinstance(simulator, Reporter) else ()
            if isinstance(signal, KSpace):
                assert isinstance(read, Phantom)
                with clock.step("reconstruct"):
                    image, remarks = image_of(simulator, timeline, signal)
                write_imaging(
                    folder,
                    Imaging(name, config, timeline, read, signal, image, remarks, own, started, run.run_id),
                    clock,
                )
                headline = describe_image(read, signal, image)
            else:
                assert isinstance(read, TissueBatch)
                spectrum = z_spectrum(signal, timeline.definitions)
                done = Simulation(name, config, timeline, read, signal, spectrum, own, started, run.run_id)
                write_simulation(folder, done, clock)
                headline = describe(spectrum, read.tissue)
        run.log_folder(output)
    return Outcome(output, run.run_id, headline)


def _check_types(config: Mapping[str, Any]) -> None:
    for key, kind, words in (("overwrite", bool, "true or false"), ("seed", int, "a whole number")):
        if type(config[key]) is not kind:
            raise ConfigurationError(f"{key} is {config[key]!r}; it is {words}.")
