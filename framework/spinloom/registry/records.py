"""What the host knows of a plugin: where it comes from, what it provides, whether it runs and why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Status = Literal["ok", "disabled", "broken", "incompatible"]


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True)
class PluginRecord:
    """One plugin, whether it runs or not.

    name: of its entry point
    module: that the entry point names
    distribution, version: that installed it
    status: `ok`, `disabled`, `broken` or `incompatible`
    reason: a sentence that says why the status is not `ok`; empty where it is
    api_version: of the plugin API that it was written for; None where it was not imported or states none
    simulators, surrogates: names with their class as `module:Class`
    sequence_families: names with their function as `module:function`
    search_path: of its Hydra configuration, or None
    observes: moments of a run that it observes, of `started` and `finished`
    traceback: of the exception that broke it, for its author; empty without one
    """

    name: str
    module: str
    distribution: str
    version: str
    status: Status = "ok"
    reason: str = ""
    api_version: str | None = None
    simulators: Mapping[str, str] = field(default_factory=_nothing)
    surrogates: Mapping[str, str] = field(default_factory=_nothing)
    sequence_families: Mapping[str, str] = field(default_factory=_nothing)
    search_path: str | None = None
    observes: tuple[str, ...] = ()
    traceback: str = field(default="", repr=False)

    @property
    def ok(self) -> bool:
        """Whether the plugin runs."""
        return self.status == "ok"

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the plugin provides, of `simulator`, `surrogate`, `sequence`, `configuration` and
        `observer`."""
        provided = {
            "simulator": self.simulators,
            "surrogate": self.surrogates,
            "sequence": self.sequence_families,
            "configuration": self.search_path,
            "observer": self.observes,
        }
        return tuple(kind for kind, things in provided.items() if things)

    @property
    def complaint(self) -> str:
        """Name, status and reason of a plugin that does not run, for messages."""
        return f"Plugin '{self.name}' is {self.status}. {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """The record in plain containers, ready for JSON; without the traceback."""
        return {
            "name": self.name,
            "kinds": list(self.kinds),
            "simulators": dict(self.simulators),
            "surrogates": dict(self.surrogates),
            "sequence_families": dict(self.sequence_families),
            "search_path": self.search_path,
            "observes": list(self.observes),
            "module": self.module,
            "api_version": self.api_version,
            "distribution": self.distribution,
            "version": self.version,
            "status": self.status,
            "reason": self.reason,
        }
