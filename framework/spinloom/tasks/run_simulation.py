"""A tracked simulation, from its composed configuration to its run folder: the main job.

Read the sequence and the tissues, refuse what does not fit, simulate, quantify, draw, write everything into one
folder, and log that folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from spinloom import tracking
from spinloom.errors import ConfigurationError
from spinloom.evaluation.simulation_report import describe
from spinloom.interfaces import Reporter, RunInfo
from spinloom.quantify.zspectrum import z_spectrum
from spinloom.registry import plugins
from spinloom.sequence.facts import sequence_facts
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import read_sequence
from spinloom.tasks.clock import Clock
from spinloom.tasks.folders import check_output
from spinloom.tasks.memory import refuse_beyond_memory
from spinloom.tasks.simulate import build_simulator
from spinloom.tasks.simulation_folder import Simulation, write_simulation
from spinloom.tissue.batches import TissueBatch, plan_batch
from spinloom.whole_folder import whole_folder

PARENT_RUN = "SPINLOOM_PARENT_RUN"
"""Environment variable that tells the jobs of a sweep, wherever they run, which run they belong to."""


@dataclass(frozen=True)
class Outcome:
    """What a run left: its folder, its id in the tracking store, and what it found in sentences."""

    folder: Path
    run_id: str | None
    headline: tuple[str, ...]


def run_simulation(config: Mapping[str, Any], progress: Callable[[int, int], None] | None = None) -> Outcome:
    """Simulate as `config` says (the composition of `conf/simulate.yaml`) and track the run.

    progress: called now and then with the tissues of a batch that are done and their number

    Raises before any file is written where sequence, tissue and simulator do not fit each other, and
    `TrackingError` after the results are kept where the tracking store cannot be reached.
    """
    clock, started, output = Clock(), datetime.now(UTC), Path(config["output"])
    _check_types(config)
    check_output(output, config["overwrite"])
    with clock.step("read"):
        timeline = read_sequence(config["sequence"])
        batch = _tissues(config, timeline)
    tissue = batch.tissue
    simulator = build_simulator(config["simulator"], progress)
    simulator.requirements.check(config["simulator"]["name"], timeline, tissue)
    torch.manual_seed(config["seed"])

    name = f"{Path(timeline.source).stem} on {tissue.name}"
    settings = tracking.TrackingSettings.from_config(config["tracking"])
    parent = os.environ.get(PARENT_RUN)
    with tracking.run(settings, task="simulate", name=name, parent=parent) as run:
        with _observed(RunInfo("simulate", run.run_id, output, config)), whole_folder(output) as folder:
            with clock.step("simulate"):
                signal = simulator.simulate(timeline, tissue)
            spectrum = z_spectrum(signal, timeline.definitions)
            own = simulator.report(timeline, tissue, signal) if isinstance(simulator, Reporter) else ()
            done = Simulation(name, config, timeline, batch, signal, spectrum, own, started, run.run_id)
            write_simulation(folder, done, clock)
        run.log_folder(output)
    return Outcome(output, run.run_id, describe(spectrum, tissue))


def _tissues(config: Mapping[str, Any], timeline: Timeline) -> TissueBatch:
    """The batch that `config` asks for, refused before it is built where it cannot fit into memory."""
    plan = plan_batch(config["tissue"], config["names"]["tissue"], config["samples"])
    refuse_beyond_memory(plan.tissues, sequence_facts(timeline).adc_samples, plan.numbers, plan.spins)
    return plan.build(config["seed"])


@contextmanager
def open_sweep(config: Mapping[str, Any]) -> Iterator[None]:
    """The parent run of a sweep, known to its jobs by `PARENT_RUN` while the context lasts."""
    settings = tracking.TrackingSettings.from_config(config["tracking"])
    with tracking.sweep(settings, task="simulate", name=f"sweep into {config['output']}") as run:
        if run.run_id is not None:
            os.environ[PARENT_RUN] = run.run_id
        try:
            yield
        finally:
            os.environ.pop(PARENT_RUN, None)


def _check_types(config: Mapping[str, Any]) -> None:
    for key, kind, words in (("overwrite", bool, "true or false"), ("seed", int, "a whole number")):
        if type(config[key]) is not kind:
            raise ConfigurationError(f"{key} is {config[key]!r}; it is {words}.")


@contextmanager
def _observed(info: RunInfo) -> Iterator[None]:
    """Tell plugins of the run's start and end."""
    plugins().run_started(info)
    try:
        yield
    except BaseException:
        plugins().run_finished(info, "FAILED")
        raise
    plugins().run_finished(info, "FINISHED")
