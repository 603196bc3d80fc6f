"""Generate: simulate many tissues under one or many protocols into a set of signals, in chunks that survive a crash.

Draws of a chunk depend on the seed, the protocol and the number of the chunk alone, and a chunk is marked once it is
whole, so that a set which was interrupted at any moment goes on and ends as if nothing had happened.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from spinloom import provenance, tracking
from spinloom.errors import ConfigurationError
from spinloom.learning.set_tissues import tissues_of
from spinloom.learning.set_writer import Description, SetWriter, WholeChunk
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import read_sequence, sequence_content
from spinloom.tasks.chunks import Chunk, ChunkMaker, Order, chunk_orders, drawn, make_here
from spinloom.tasks.protocols import protocols
from spinloom.tasks.ray_cluster import require_cluster
from spinloom.tasks.ray_engine import make_on_ray
from spinloom.tasks.record import simulation_record, simulator_params, without_password
from spinloom.tasks.simulate import build_simulator, check_fit
from spinloom.tissue.addresses import numbers_of
from spinloom.tissue.batches import TissuePlan, plan_batch
from spinloom.tissue.pools import Tissue

STORES = ("float32", "float64")

ENGINES = ("local", "ray")

MOST_WAITING = 2**26
"""Bytes of signals that may wait to be written."""

_OF_NO_MATTER = ("output", "tracking", "engine", "cluster")
"""Keys of the configuration that change nothing of the set."""


@dataclass(frozen=True)
class Generated:
    """A set that is whole.

    simulated, seconds: time spent simulating, of all workers together, and in all, by this run [s]
    samples: simulated by this run, of `total`
    """

    path: Path
    digest: str
    samples: int
    total: int
    simulated: float
    seconds: float


def run_generate(config: Mapping[str, Any], progress: Callable[[int, int], None] | None = None) -> Generated:
    """Make the set that `config` asks for (the composition of `conf/generate.yaml`), or go on with it.

    progress: called after each chunk with the samples that are done and their number
    """
    settings = tracking.TrackingSettings.from_config(config["tracking"])
    began, started = time.perf_counter(), datetime.now(UTC)
    path = Path(config["output"])
    if config["engine"] not in ENGINES:
        raise ConfigurationError(f"engine is {config['engine']!r}; it is one of {', '.join(ENGINES)}.")
    if config["engine"] == "ray":
        require_cluster(config["cluster"])
    simulator = build_simulator(config["simulator"])
    sources = list(dict.fromkeys(protocols(config)))  # equal draws of whole numbers are one protocol
    plan = _plan(config)
    timelines = [read_sequence(source) for source in sources]
    for timeline in timelines:
        probe = _probe(plan, timeline, config)
        check_fit(simulator, config["simulator"]["name"], timeline, probe)
    maker = ChunkMaker(config["simulator"], plan, tuple(timelines), config["field"], settings)
    writer = SetWriter(path, _description(config, sources, timelines, plan))
    with tracking.run(settings, task="generate", name=f"set {path.name}", parent=None) as run:
        run.log_params({**_params(config, writer.description), "seed": config["seed"]})
        samples, simulated = _fill(writer, maker, config, progress)
        digest = writer.finish()
        done = Generated(path, digest, samples, writer.description.samples, simulated, time.perf_counter() - began)
        _log(run, done, config, writer.description, timelines, started)
    return done


def _params(config: Mapping[str, Any], description: Description) -> dict[str, Any]:
    """Parameters of the run, all known before it begins."""
    return {
        "sequence": config["sequence"],
        "tissue": config["names"]["tissue"],
        "samples": description.samples,
        "protocols": len(description.protocols),
        "set": str(Path(config["output"]).absolute()),
        **simulator_params(config),
    }


def _log(
    run: tracking.Run,
    done: Generated,
    config: Mapping[str, Any],
    description: Description,
    timelines: list[Timeline],
    when: datetime,
) -> None:
    """Track the set by its digest and its configuration; its numbers stay where they are."""
    record = simulation_record(
        name=f"set {done.path.name}",
        config=config,
        timeline=timelines[0],
        params={**_params(config, description), "digest": done.digest},
        metrics={"seconds": done.seconds, "seconds_simulating": done.simulated},
        timings={"simulate": done.simulated},
        started=when,
        run_id=run.run_id,
    )
    with tempfile.TemporaryDirectory(prefix="spinloom-") as folder:
        (Path(folder) / "config.yaml").write_text(yaml.safe_dump(without_password(config), sort_keys=False))
        (Path(folder) / tracking.RUN_FILE).write_text(json.dumps({**record, "task": "generate"}, indent=2))
        run.log_folder(Path(folder))


def _plan(config: Mapping[str, Any]) -> TissuePlan:
    return plan_batch(config["tissue"], config["names"]["tissue"], config["samples"])


def _probe(plan: TissuePlan, timeline: Timeline, config: Mapping[str, Any]) -> Tissue:
    """One tissue of the set, to see whether it fits."""
    seed = config["seed"]
    columns = plan.columns(seed) if not plan.draws else drawn(plan, 1, seed)
    numbers = {address: values[:1] for address, values in columns.items()}
    return tissues_of(plan, numbers, timeline, config["field"])


def _description(
    config: Mapping[str, Any], sources: list[str], timelines: list[Timeline], plan: TissuePlan
) -> Description:
    if config["store"] not in STORES:
        raise ConfigurationError(f"store is {config['store']!r}; it is one of {', '.join(STORES)}.")
    if type(config["chunk"]) is not int or config["chunk"] < 1:
        raise ConfigurationError(f"chunk is {config['chunk']!r}; it is a whole number from 1.")
    known = numbers_of(plan.mapping)
    varied = [*plan.lists, *plan.table, *plan.grids, *plan.draws]
    asked = {key: value for key, value in without_password(config).items() if key not in _OF_NO_MATTER}
    return Description(
        protocols={source: sequence_content(source) for source in sources},
        measurements=np.array([int((timeline.block_adc >= 0).sum()) for timeline in timelines]),
        tissues=plan.tissues,
        chunk=config["chunk"],
        addresses={address: known[address].unit for address in varied},
        store=config["store"],
        attributes={
            "config": asked,
            "spinloom": provenance.versions()["spinloom"],
            "versions": provenance.versions(),
            "git": provenance.git_state(),
        },
    )


def _fill(
    writer: SetWriter,
    maker: ChunkMaker,
    config: Mapping[str, Any],
    progress: Callable[[int, int], None] | None,
) -> tuple[int, float]:
    """Write every chunk that is missing; returns samples and the time spent simulating them [s]."""
    description, simulated, samples = writer.description, 0.0, 0
    missing = writer.missing()
    left = sum(description.rows(number).stop - description.rows(number).start for number in missing)
    waiting: list[WholeChunk] = []
    written: Future[None] | None = None
    with ThreadPoolExecutor(1) as pool:  # compresses and writes chunks while others are simulated
        try:
            for chunk in _made(maker, chunk_orders(description, maker.plan, config["seed"], missing), config):
                waiting.append(WholeChunk(chunk.order.number, chunk.order.columns, chunk.mz, chunk.mxy))
                if written is None or written.done() or sum(each.bytes for each in waiting) > MOST_WAITING:
                    if written is not None:
                        written.result()
                    written, waiting = pool.submit(writer.write, waiting), []
                samples += len(chunk)
                simulated += chunk.seconds
                if progress is not None:
                    progress(samples, left)
        finally:  # what was simulated is kept, whatever ends the work
            if written is not None:
                written.result()
            writer.write(waiting)
    return samples, simulated


def _made(maker: ChunkMaker, orders: Iterable[Order], config: Mapping[str, Any]) -> Iterator[Chunk]:
    """The chunks by the engine that is asked for."""
    if config["engine"] == "local":
        return make_here(maker, orders)
    return make_on_ray(maker, orders, config["cluster"])
