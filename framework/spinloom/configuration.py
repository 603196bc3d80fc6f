"""The one door to Hydra: composes a task's configuration, runs the task on it, and turns Hydra's errors into sentences.

The search path is Spinloom's `conf/`, whatever the plugins add, and subjects that `overrides` staged.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import hydra
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.errors import HydraException, MissingConfigException
from hydra.experimental.callback import Callback
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException
from yaml import YAMLError

from spinloom.errors import ConfigurationError, SpinloomError, TrackingError, known_names
from spinloom.overrides import SUBJECTS, quoted_families, stage_subjects
from spinloom.registry import plugins
from spinloom.tracking import TrackingSettings, at_work

Config = dict[str, Any]
SweepOpener = Callable[[Config], AbstractContextManager[None]]

CONFIG = "pkg://spinloom.conf"

_LAUNCHERS = ("joblib", "submitit")
"""Programs that launch jobs, and raise errors of their own where a process of theirs dies."""

_staged: list[str] = []
_sweep: ExitStack = ExitStack()
_open_sweep: list[SweepOpener] = []
_shared: dict[str, str] = {}


class SweepError(SpinloomError):
    """A sweep of which a job was lost."""


class PluginSearchPath(SearchPathPlugin):
    """Adds what plugins and staged tissue files contribute to Hydra's search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append every plugin's configuration; put staged files first."""
        for path in plugins().search_path():
            search_path.append("spinloom-plugin", path)
        for folder in _staged:
            search_path.prepend("spinloom-staged", f"file://{folder}")


class SweepCallback(Callback):
    """Opens what the jobs of a sweep share before they start; `run_task` closes it, whether they fail or not."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Open what `run_task` was given for it."""
        swept = [str(key) for key in config if OmegaConf.is_missing(config, key)]  # each job has its own
        before = dict(os.environ)
        for opener in _open_sweep:
            _sweep.enter_context(opener(_plain(config, "hydra", *swept)))
        _shared.update({name: value for name, value in os.environ.items() if before.get(name) != value})


def run_task(task: str, function: Callable[[Config], object], arguments: list[str], open_sweep: SweepOpener) -> None:
    """Compose `conf/<task>.yaml` with `arguments` (overrides and Hydra's flags) and call `function` on the result.

    function: gets the resolved configuration as plain containers, `output` being the job's own folder and `names`
        the choice of each configuration group
    open_sweep: a context that lasts from before a sweep's first job to after its last
    """
    Plugins.instance().register(PluginSearchPath)
    with ExitStack() as stack:
        overrides = stage_subjects(quoted_families(arguments), stack, _staged)
        stack.enter_context(_command_line(task, overrides))
        stack.push(_close_sweep)
        _open_sweep.append(open_sweep)
        stack.callback(_open_sweep.clear)
        failures: list[SpinloomError] = []
        _shared.clear()
        task_job = _Job(function, failures, tuple(sys.argv), _shared)
        job = hydra.main(version_base="1.3", config_path=CONFIG, config_name=task)(task_job)
        try:
            job()
        except MissingConfigException as error:
            raise _unknown_choice(error) from error
        except (HydraException, OmegaConfBaseException, YAMLError) as error:
            raise _explained(error, task, overrides) from error
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in _LAUNCHERS:
                raise
            raise SweepError(
                f"A process that ran a job of the sweep died: {_first_line(error)}. Its run is marked as killed by the "
                "next one; jobs that are done are kept. hydra/launcher=ray begins such a job anew."
            ) from error
        for failure in failures:
            raise failure


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".: ")


def _close_sweep(*exception: Any) -> None:
    _sweep.__exit__(*exception)


@dataclass(frozen=True, eq=False)
class _Job:
    """The task as Hydra calls it, here or, by a launcher, in another process.

    function: gets the resolved configuration
    failures: of this process, for `run_task` to raise
    command: as the user gave it
    environment: variables that the jobs of a sweep share
    folder: working directory
    process: id of the one that launches
    """

    function: Callable[[Config], object]
    failures: list[SpinloomError]
    command: tuple[str, ...]
    environment: dict[str, str]
    folder: str = field(default_factory=os.getcwd)
    process: int = field(default_factory=os.getpid)

    def __call__(self, config: DictConfig) -> None:
        """Run the job.

        The failure of a single run is kept for `run_task` to raise, so that Hydra adds nothing to it; in a sweep
        Hydra's line says which job it was.
        """
        here = os.getpid() == self.process
        if not here:
            self._settle()
        hydra_config = HydraConfig.get()
        swept = hydra_config.mode is RunMode.MULTIRUN
        try:
            plain = _plain(config)
            taken_back = {override.partition("=")[0] for override in hydra_config.overrides.task}
            plain |= {group: None for group in SUBJECTS if f"~{group}" in taken_back}
            plain["names"] = {str(group): choice for group, choice in hydra_config.runtime.choices.items()}
            if swept:
                plain["output"] = hydra_config.runtime.output_dir
            with at_work(TrackingSettings.from_config(plain["tracking"])):
                self.function(plain)
        except MissingMandatoryValue as error:
            self._keep(_explained(error, str(hydra_config.job.config_name), []), here)
        except TrackingError as error:  # the results are kept, so the next job may run
            self._keep(error, here)
        except SpinloomError as error:
            self._keep(error, here and not swept)

    def _settle(self) -> None:
        """Be in another process as in the one that launched it."""
        os.chdir(self.folder)
        os.environ.update(self.environment)
        sys.argv = list(self.command)

    def _keep(self, error: SpinloomError, kept: bool) -> None:
        if not kept:
            raise error
        self.failures.append(error)


def _plain(config: DictConfig, *without: str) -> Config:
    masked = OmegaConf.masked_copy(config, [str(key) for key in config if key not in without])
    container = OmegaConf.to_container(masked, resolve=True, throw_on_missing=True)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


@contextmanager
def _command_line(task: str, overrides: list[str]) -> Iterator[None]:
    """What Hydra takes from the process: its arguments, and the wish for whole exceptions."""
    arguments, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [f"spinloom {task}", *overrides]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = arguments
        if full is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full


def _unknown_choice(error: MissingConfigException) -> ConfigurationError:
    """The sentence for a group's choice that does not exist, which may be a plugin that is broken or disabled."""
    group, _, choice = (error.missing_cfg_file or "").strip("/").rpartition("/")
    if group == "simulator":
        plugins().simulator(choice)
    options = [str(option) for option in error.options or ()]
    return ConfigurationError(f"There is no {group or 'configuration'} '{choice}'. {known_names(choice, options)}")


def _explained(error: Exception, task: str, overrides: list[str]) -> ConfigurationError:
    """One sentence for what Hydra says in several lines."""
    text = str(error)
    unchosen = re.search(r"You must specify '(\w+)'.*?Available options:\s*(.*)", text, re.DOTALL)
    if unchosen:
        options = ", ".join(sorted(unchosen[2].split()))
        return ConfigurationError(f"'{unchosen[1]}' is not given; add {unchosen[1]}=NAME. Known: {options}.")
    missing = re.search(r"Missing mandatory value: (\S+)", text)
    if missing:
        return ConfigurationError(
            f"'{missing[1]}' is not given; add {missing[1]}=VALUE, such as {_example(missing[1])}."
        )
    unknown = re.search(r"Could not override '([^']+)'", text) or re.search(r"Key '([^']+)' is not in struct", text)
    if unknown:
        parent, _, key = unknown[1].rpartition(".")
        keys = _keys(task, parent, overrides)
        if parent and not keys:
            return ConfigurationError(f"'{parent}' is not chosen, so that it has no key '{key}'; add {parent}=NAME.")
        where = f"'{parent}' has no key '{key}'" if parent else f"'{key}' is no key of this task"
        return ConfigurationError(
            f"{where}. {known_names(key, keys)} "
            f"`spinloom {task} --cfg job` with the other overrides shows the whole configuration."
        )
    return ConfigurationError(" ".join(text.split()))


def _example(key: str) -> str:
    from spinloom.sequence.read import sequence_names

    names = sequence_names() if key == "sequence" else []
    return f"{key}={names[0]}" if names else f"{key}=..."


def _keys(task: str, parent: str, overrides: list[str]) -> list[str]:
    """Keys of the node `parent` of a task's configuration, composed with the choices that `overrides` make."""
    choices = [override for override in overrides if re.fullmatch(r"\w+=\w+", override)]
    with hydra.initialize_config_module("spinloom.conf", version_base="1.3"):
        try:
            config = hydra.compose(task, choices)
        except (HydraException, OmegaConfBaseException):
            config = hydra.compose(task, ["simulator=cest", "tissue=water_3t"])
    node = OmegaConf.select(config, parent) if parent else config
    return [str(key) for key in node] if isinstance(node, DictConfig) else []
