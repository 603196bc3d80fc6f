"""The one door to Hydra: composes a task's configuration, runs the task on it, and turns Hydra's errors into sentences.

The search path is Spinloom's `conf/` and whatever the plugins add.  A tissue or a phantom may be a path as well as a
name: a tissue's file is checked and then laid beside the shipped ones for the length of the run, so that overrides such
as `tissue.water_pool.t1=1.2` work on it too; of a phantom its settings are, with the path as its name.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
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
from spinloom.registry import plugins
from spinloom.sequence.expression import quote_expressions
from spinloom.tissue.addresses import full_address
from spinloom.tissue.files import load_mapping, tissue_names, tissue_path
from spinloom.tissue.phantoms.door import default_settings, phantom_names
from spinloom.tracking import TrackingSettings, at_work

_HYDRA_SWEEPS = {"range", "choice", "interval", "glob", "sort", "shuffle", "tag"}

Config = dict[str, Any]
SweepOpener = Callable[[Config], AbstractContextManager[None]]

CONFIG = "pkg://spinloom.conf"

_LAUNCHERS = ("joblib", "submitit")
"""Programs that launch jobs, and raise errors of their own where a process of theirs dies."""

_FILE = "file"
"""Choice of the group `phantom` that holds the settings of one that is read."""

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
        overrides = _stage_subjects(_quoted_families(arguments), stack)
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
            plain |= {group: None for group in _SUBJECTS if f"~{group}" in taken_back}
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


def _quoted_families(arguments: list[str]) -> list[str]:
    """Arguments with `sequence=fse(esp_ms=9)` in quotes, because the grammar of Hydra has calls of its own."""
    keep = _HYDRA_SWEEPS if _is_sweep(arguments) else ()
    return [
        f"sequence={quote_expressions(argument.removeprefix('sequence='), keep)}"
        if argument.startswith("sequence=")
        else argument
        for argument in arguments
    ]


def _is_sweep(arguments: list[str]) -> bool:
    return not {"-m", "--multirun"}.isdisjoint(arguments)


def _stage_subjects(arguments: list[str], stack: ExitStack) -> list[str]:
    """Arguments with every `tissue=` and `phantom=` that is a path replaced by the name under which it was staged.

    Keys of the tissue may be added as well as changed: a file leaves out those that keep their defaults, and the
    tissue room knows which exist.  So may those of a phantom in a sweep, of whose several choices Hydra knows none at
    first.
    """
    swept = _is_sweep(arguments)
    folder: Path | None = None
    staged = []
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key.lstrip("+").startswith("tissue."):
            argument = _tissue_override(key.lstrip("+").removeprefix("tissue."), value, swept)
        if key.startswith("phantom.") and swept:
            argument = f"++{argument}"
        if key not in _SUBJECTS or not value or value in ("???", "null"):
            staged.append(f"~{key}" if key in _OPTIONAL and value == "null" else argument)
            continue
        known, mapping_of = _SUBJECTS[key]
        names = []
        for choice in _choices(value):
            if choice in known():
                names.append(choice)
                continue
            mapping = mapping_of(choice)
            if folder is None:
                # jobs of a sweep may run on other machines, which share the working directory
                place = {"dir": Path.cwd(), "prefix": ".spinloom-"} if swept else {"prefix": "spinloom-"}
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(**place)))
                _staged.append(str(folder))
                stack.callback(_staged.clear)
            names.append(_stage(folder / key, mapping, choice, [*names, *known()]))
        staged.append(f"{key}={','.join(names)}")
    return staged


def _choices(value: str) -> list[str]:
    """The names or paths of an override, without the quotes that keep a comma or a space together."""
    parts = re.findall(r"""'[^']*'|"[^"]*"|[^,]+""", value)
    return [part[1:-1] if part[0] in "'\"" and part[0] == part[-1] else part for part in parts]


def _phantom_settings(choice: str) -> Config:
    """Settings of a phantom that is read from the path `choice`."""
    if not Path(choice).exists():
        raise ConfigurationError(
            f"'{choice}' is neither a phantom that Spinloom makes nor a path. "
            f"{known_names(Path(choice).stem, phantom_names())} Or give the path of a phantom.zarr, or of a folder of "
            "NIfTI maps."
        )
    return {**default_settings(_FILE), "name": choice}


_SUBJECTS: dict[str, tuple[Callable[[], list[str]], Callable[[str], Config]]] = {
    "tissue": (tissue_names, lambda choice: load_mapping(tissue_path(choice))),
    "phantom": (lambda: [*phantom_names(), _FILE], _phantom_settings),
}
"""Groups whose choices may be paths: their names, and what a path stands for."""

_OPTIONAL = {*_SUBJECTS, "experiment"}
"""Groups of which nothing may be chosen, for which Hydra knows `~GROUP` alone."""


def _tissue_override(address: str, value: str, swept: bool) -> str:
    """An override of the tissue in Hydra's grammar, in which ranges are text for the tissue room.

    Hydra's own `range`, `choice` and the like keep their meaning in a sweep: a job a value.
    """
    function = re.fullmatch(r"\s*(\w+)\([^'\"]*\)\s*", value)
    if function and not (swept and function[1] in _HYDRA_SWEEPS):
        value = f"'{value.strip()}'"
    return f"++tissue.{full_address(address)}={value}"


def _stage(group: Path, mapping: Config, choice: str, taken: list[str]) -> str:
    """Write `mapping` as a choice of the configuration group in `group`; returns its name, which is none of `taken`."""
    name = re.sub(r"\W", "_", Path(choice).stem)
    while name in taken:
        name += "_"
    group.mkdir(exist_ok=True)
    (group / f"{name}.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(mapping)), encoding="utf-8")
    return name


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
