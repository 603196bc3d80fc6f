"""What users rely on in any plugin, whatever it provides: it is found, composes, imports lightly, and ships whole."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from spinloom import registry
from spinloom.errors import SpinloomError
from spinloom.registry import PluginRecord
from spinloom.testing.composing import compose
from spinloom.testing.deviation import Deviation, require, skip
from spinloom.testing.fresh_process import import_alone
from spinloom.testing.once import once_a_class
from spinloom.testing.wheels import check_wheel, project_of

SLOW_IMPORT = 0.5
"""Processor time that importing a plugin's entry module may take [s]; every command pays it."""


class PluginContract:
    """Checks that all kinds share; subclasses say which kind it is and what is its name.

    project: folder of the plugin's pyproject.toml, where it is not above the test's own file
    options: of its configuration, where the defaults do not do
    """

    kind: ClassVar[str]
    group: ClassVar[str | None] = None
    project: Path | None = None
    options: Mapping[str, Any] = {}
    _threads: ClassVar[int] = 1

    @classmethod
    def setup_class(cls) -> None:
        """Small problems are quickest on one thread, which is also what a worker has."""
        import torch

        cls._threads = torch.get_num_threads()
        torch.set_num_threads(1)

    @classmethod
    def teardown_class(cls) -> None:
        """Give the threads back."""
        import torch

        torch.set_num_threads(cls._threads)

    @property
    def name(self) -> str:
        """The registered name of what is tested."""
        return str(getattr(self, self.kind))

    @property
    def label(self) -> str:
        """Kind and name for sentences."""
        return f"{self.kind.replace('_', ' ').capitalize()} '{self.name}'"

    def record(self) -> PluginRecord:
        """The plugin that registers the name; `Deviation` with the host's reason where none does."""
        loaded = registry.plugins()
        try:
            provided: Mapping[str, Mapping[str, str]] = {
                "simulator": loaded.simulators(),
                "surrogate": loaded.surrogates(),
                "sequence_family": loaded.sequence_families(),
            }
            if self.name not in provided[self.kind]:
                getattr(loaded, self.kind)(self.name)
            return loaded.record(provided[self.kind][self.name])
        except SpinloomError as error:
            raise Deviation(f"{self.label} cannot be chosen by anyone: {error}") from error

    def composed(self) -> dict[str, Any]:
        """The options of its configuration, without `name`; `Deviation` where they do not compose."""
        return dict(_composed(type(self)))

    def test_it_registers_and_composes(self) -> None:
        """It is found by its name, its class imports, and its configuration composes."""
        self.record()
        try:
            getattr(registry.plugins(), self.kind)(self.name)
        except SpinloomError as error:
            raise Deviation(f"{self.label} is listed and then fails when it is chosen: {error}") from error
        if self.group is not None:
            self.composed()

    def test_it_imports_lightly(self) -> None:
        """Listing plugins imports nothing heavy, however many are installed."""
        record = self.record()
        found = import_alone(record.module)
        require(
            not found.heavy,
            f"Importing '{record.module}' imports {', '.join(found.heavy)}: every command would wait for it, with all "
            "plugins, even one that uses none of them. Name classes as text and import within their own modules.",
        )
        require(
            found.seconds < SLOW_IMPORT,
            f"Importing '{record.module}' takes {found.seconds:.1f} s of processor time: every command would wait.",
        )

    def test_its_wheel_works(self) -> None:
        """What pip would install from the built wheel is whole."""
        project = self.project or project_of(Path(inspect.getfile(type(self))))
        if project is None:
            skip("no pyproject.toml with plugins lies above this test; set `project`")
        assert project is not None
        check_wheel(project, self.record().name, self.record().module)


@once_a_class
def _composed(contract: Any) -> dict[str, Any]:
    self: PluginContract = contract()
    assert self.group is not None
    try:
        settings = compose(self.group, self.name, self.options)
    except SpinloomError as error:
        raise Deviation(
            f"{self.label} does not compose: '{self.group}={self.name}' on the command line ends with '{error}' "
            f"Put {self.group}/{self.name}.yaml into the package of `spinloom_search_path`."
        ) from error
    require(
        settings.pop("name", None) == self.name,
        f"The configuration {self.group}/{self.name}.yaml does not say `name: {self.name}`: the command line would "
        "run something else under this name.",
    )
    return settings
