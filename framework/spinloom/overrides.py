"""Overrides of a command line as Hydra takes them: families of sequences in quotes, subjects that are paths as choices.

A tissue's file is checked and then laid beside the shipped ones for the length of the run, so that overrides such as
`tissue.water_pool.t1=1.2` work on it too; of a phantom its settings are, with the path as its name.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from spinloom.errors import ConfigurationError, known_names
from spinloom.sequence.expression import quote_expressions
from spinloom.tissue.addresses import full_address
from spinloom.tissue.files import load_mapping, tissue_names, tissue_path
from spinloom.tissue.phantoms.door import default_settings, phantom_names

_HYDRA_SWEEPS = {"range", "choice", "interval", "glob", "sort", "shuffle", "tag"}

_FILE = "file"
"""Choice of the group `phantom` that holds the settings of one that is read."""


def quoted_families(arguments: list[str]) -> list[str]:
    """Arguments with `sequence=fse(esp_ms=9)` in quotes, because the grammar of Hydra has calls of its own."""
    keep = _HYDRA_SWEEPS if is_sweep(arguments) else ()
    return [
        f"sequence={quote_expressions(argument.removeprefix('sequence='), keep)}"
        if argument.startswith("sequence=")
        else argument
        for argument in arguments
    ]


def is_sweep(arguments: list[str]) -> bool:
    """Whether a sweep over several jobs is asked for."""
    return not {"-m", "--multirun"}.isdisjoint(arguments)


def stage_subjects(arguments: list[str], stack: ExitStack, staged_at: list[str]) -> list[str]:
    """Arguments with every `tissue=` and `phantom=` that is a path replaced by the name under which it was staged.

    stack: at whose end what was staged goes away
    staged_at: gets the folder in which it is, until then

    Keys of the tissue may be added as well as changed: a file leaves out those that keep their defaults, and the
    tissue room knows which exist.  So may those of a phantom in a sweep, of whose several choices Hydra knows none at
    first.
    """
    swept = is_sweep(arguments)
    folder: Path | None = None
    staged = []
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key.lstrip("+").startswith("tissue."):
            argument = _tissue_override(key.lstrip("+").removeprefix("tissue."), value, swept)
        if key.startswith("phantom.") and swept:
            argument = f"++{argument}"
        if key not in SUBJECTS or not value or value in ("???", "null"):
            staged.append(f"~{key}" if key in _OPTIONAL and value == "null" else argument)
            continue
        known, mapping_of = SUBJECTS[key]
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
                staged_at.append(str(folder))
                stack.callback(staged_at.clear)
            names.append(_stage(folder / key, mapping, choice, [*names, *known()]))
        staged.append(f"{key}={','.join(names)}")
    return staged


def _choices(value: str) -> list[str]:
    """The names or paths of an override, without the quotes that keep a comma or a space together."""
    parts = re.findall(r"""'[^']*'|"[^"]*"|[^,]+""", value)
    return [part[1:-1] if part[0] in "'\"" and part[0] == part[-1] else part for part in parts]


def _phantom_settings(choice: str) -> dict[str, Any]:
    """Settings of a phantom that is read from the path `choice`."""
    if not Path(choice).exists():
        raise ConfigurationError(
            f"'{choice}' is neither a phantom that Spinloom makes nor a path. "
            f"{known_names(Path(choice).stem, phantom_names())} Or give the path of a phantom.zarr, or of a folder of "
            "NIfTI maps."
        )
    return {**default_settings(_FILE), "name": choice}


SUBJECTS: dict[str, tuple[Callable[[], list[str]], Callable[[str], dict[str, Any]]]] = {
    "tissue": (tissue_names, lambda choice: load_mapping(tissue_path(choice))),
    "phantom": (lambda: [*phantom_names(), _FILE], _phantom_settings),
}
"""Groups whose choices may be paths: their names, and what a path stands for."""

_OPTIONAL = {*SUBJECTS, "experiment"}
"""Groups of which nothing may be chosen, for which Hydra knows `~GROUP` alone."""


def _tissue_override(address: str, value: str, swept: bool) -> str:
    """An override of the tissue in Hydra's grammar, in which ranges are text for the tissue room.

    Hydra's own `range`, `choice` and the like keep their meaning in a sweep: a job a value.
    """
    function = re.fullmatch(r"\s*(\w+)\([^'\"]*\)\s*", value)
    if function and not (swept and function[1] in _HYDRA_SWEEPS):
        value = f"'{value.strip()}'"
    return f"++tissue.{full_address(address)}={value}"


def _stage(group: Path, mapping: Mapping[str, Any], choice: str, taken: list[str]) -> str:
    """Write `mapping` as a choice of the configuration group in `group`; returns its name, which is none of `taken`."""
    name = re.sub(r"\W", "_", Path(choice).stem)
    while name in taken:
        name += "_"
    group.mkdir(exist_ok=True)
    (group / f"{name}.yaml").write_text(yaml.safe_dump(mapping, sort_keys=False), encoding="utf-8")
    return name
