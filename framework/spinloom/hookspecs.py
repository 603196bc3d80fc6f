"""All hooks on one screen: what a plugin may tell the host, one sentence each.

A plugin is a module behind the entry-point group `spinloom`.  It states `SPINLOOM_API`, the version of this page
that it was written for, and implements any of these hooks with `@hookimpl`.  Implementations are looked up by
name when they are needed, so they return strings and import nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from spinloom.interfaces import RunInfo

API_VERSION = "1.1"
"""Version of the plugin API: a plugin of the same major and no later minor version runs (docs/plugins.md says what may
change when)."""

ENTRY_POINT_GROUP = "spinloom"

hookspec = pluggy.HookspecMarker("spinloom")
hookimpl = pluggy.HookimplMarker("spinloom")
"""Marks a function of a plugin as the implementation of the hook of its name."""


@hookspec
def spinloom_simulators() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Names of simulators, each with its class as `module:Class`."""


@hookspec
def spinloom_surrogates() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Names of neural surrogates, each with its class as `module:Class`."""


@hookspec
def spinloom_sequence_families() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Names of families of sequences, each with the function that builds one as `module:function`."""


@hookspec
def spinloom_search_path() -> str:  # type: ignore[empty-body]
    """Where Hydra finds the plugin's configuration, as `pkg://package.conf`; the package needs an `__init__.py`."""


@hookspec
def spinloom_run_started(run: RunInfo) -> None:
    """A tracked run has begun: its task, output folder and resolved configuration are known."""


@hookspec
def spinloom_run_finished(run: RunInfo, status: str) -> None:
    """A tracked run has ended with status `FINISHED` or `FAILED`."""
