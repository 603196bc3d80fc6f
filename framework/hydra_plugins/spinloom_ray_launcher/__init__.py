"""Hydra's launcher `ray`: each job of a sweep is a task of a Ray cluster, and is begun anew where its worker dies.

Hydra takes launchers from the namespace `hydra_plugins` alone, and imports all of them whenever it starts, so that
nothing heavy is imported here before a sweep is launched.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

__all__ = ["RayLauncher"]


class RayLauncher(Launcher):
    """Launches the jobs of a sweep on a Ray cluster.

    cluster: its address, `HOST:PORT`; None is that of `RAY_ADDRESS`, or else this machine's processors
    num_cpus, num_gpus: that a job takes
    tries: how often a job is begun anew when its worker dies
    """

    def __init__(self, cluster: str | None, num_cpus: float, num_gpus: float, tries: int) -> None:
        self._cluster, self._tries = cluster, tries
        self._resources: Mapping[str, float] = {"num_cpus": num_cpus, "num_gpus": num_gpus}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take what all jobs share."""
        self._context, self._task, self._config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs and wait for all of them, whether they fail or not."""
        from spinloom.tasks.ray_cluster import call_on_ray

        setup_globals()
        Path(str(self._config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        state = Singleton.get_state()
        calls = [
            partial(_run, self._context, self._config, self._task, state, list(overrides), number, str(Path.cwd()))
            for number, overrides in enumerate(job_overrides, initial_job_idx)
        ]
        results = call_on_ray(calls, self._cluster, self._tries, self._resources)
        return [_as_job(*pair) for pair in zip(results, job_overrides, strict=True)]


def _run(
    context: HydraContext,
    config: DictConfig,
    task: TaskFunction,
    state: Mapping[Any, Any],
    overrides: list[str],
    number: int,
    folder: str,
) -> JobReturn:
    """A job, in a worker, whose working directory becomes that of the command."""
    os.chdir(folder)
    setup_globals()
    Singleton.set_state(state)
    own = context.config_loader.load_sweep_config(config, overrides)
    with open_dict(own):
        own.hydra.job.id = f"{own.hydra.job.name}_{number}"
        own.hydra.job.num = number
    HydraConfig.instance().set_config(own)
    return run_job(
        task_function=task,
        config=own,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
        hydra_context=context,
    )


def _as_job(result: JobReturn | Exception, overrides: Sequence[str]) -> JobReturn:
    """What became of a job, also of one whose worker could not tell."""
    if isinstance(result, JobReturn):
        return result
    failed = JobReturn(overrides=overrides, status=JobStatus.FAILED)
    failed.return_value = result
    return failed
