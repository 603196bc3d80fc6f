"""The configuration of a plugin as Hydra composes it for a user's command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from spinloom.configuration import run_task

_COMMANDS = {
    "simulator": ("simulate", ("sequence=aptw_3t_block", "output=unused", "tracking=off")),
    "surrogate": ("train", ("output=unused", "tracking=off")),
}
"""The task that has each group, and what else it must be given."""


def compose(group: str, choice: str, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The settings of `choice` in `group`, `simulator` or `surrogate`, as the task gets them, with some `options`.

    Raises `ConfigurationError` where they do not compose.
    """
    task, overrides = _COMMANDS[group]
    kept: list[dict[str, Any]] = []
    chosen = [f"{group}={choice}", *(f"{group}.{key}={json.dumps(value)}" for key, value in (options or {}).items())]
    run_task(task, kept.append, [*chosen, *overrides], lambda config: nullcontext())
    settings: dict[str, Any] = kept[0][group]
    return settings
