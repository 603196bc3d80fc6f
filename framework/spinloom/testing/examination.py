"""Run as a module, alone in its process: examines one plugin, each finding a sentence with its way out, as JSON.

The registry of this process allows the plugin alone (`SPINLOOM_PLUGINS`), so that no other one can take it down.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from typing import TYPE_CHECKING, Any, TypeVar

from spinloom import __version__, registry
from spinloom.errors import SpinloomError
from spinloom.registry import PluginRecord
from spinloom.registry.configuration_files import choices

if TYPE_CHECKING:
    from spinloom.testing.plugin_contract import PluginContract

Contract = TypeVar("Contract", bound="PluginContract")

SLOW_IMPORT = 0.5
"""Processor time that importing an entry module may take [s]."""

HEAVY = ("hydra", "matplotlib", "mlflow", "numba", "pypulseq", "scipy", "torch")

_HOST = re.compile(r"spinloom(?![\w.-])\s*([^;]*)")


def examine(name: str, deep: bool = True) -> dict[str, Any]:
    """What plugin `name` provides, what its import took, and what is wrong with it, the first thing to do first.

    deep: whether the basics of its contracts are tried, which imports torch
    """
    stated = next(record for record in registry.discover() if record.name == name)
    present, start = set(sys.modules), time.process_time()
    try:
        import_module(stated.module)
    except BaseException as error:  # the registry says it in a sentence; an interrupt is the parent's
        del error
    seconds = time.process_time() - start
    heavy = [module for module in HEAVY if module in sys.modules and module not in present]
    record = registry.load().record(name)
    findings = [*_version(record), *_loading(record), *_weight(record, seconds, heavy)]
    if record.ok and deep:
        findings += _contracts(record)
    return {
        **record.as_dict(),
        "seconds": seconds,
        "choices": sorted(choices(record.search_path)),
        "findings": findings,
    }


def _version(record: PluginRecord) -> Iterator[str]:
    """The distribution's own word on the host that it runs with."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        stated = [_HOST.match(line) for line in requires(record.distribution) or []]
    except PackageNotFoundError:
        return
    for match in filter(None, stated):
        try:
            fits = SpecifierSet(match[1].strip(" ()")).contains(__version__, prereleases=True)
        except InvalidSpecifier:
            continue
        if not fits:
            yield (
                f"Its distribution '{record.distribution}' asks for spinloom{match[1].strip()}, and {__version__} is "
                f"installed: pip install --upgrade spinloom '{record.distribution}'."
            )


def _loading(record: PluginRecord) -> Iterator[str]:
    if record.status == "incompatible":
        yield f"{record.reason} Then run its tests."
    elif not record.ok:
        yield record.reason


def _weight(record: PluginRecord, seconds: float, heavy: list[str]) -> Iterator[str]:
    if heavy:
        yield (
            f"Importing '{record.module}' imports {', '.join(heavy)}, for which every command waits: name classes as "
            "text ('module:Class') and import in their own modules."
        )
    elif seconds > SLOW_IMPORT:
        yield f"Importing '{record.module}' takes {seconds:.1f} s, for which every command waits; import less in it."


def _contracts(record: PluginRecord) -> Iterator[str]:
    """The basics of each contract of what the plugin provides."""
    if not (record.simulators or record.surrogates or record.sequence_families):
        return
    from spinloom.testing.refusals import check_declaration
    from spinloom.testing.sequence_family_contract import SequenceFamilyContract
    from spinloom.testing.simulator_contract import SimulatorContract
    from spinloom.testing.surrogate_contract import SurrogateContract

    loaded = registry.plugins()
    for contract, names in ((SimulatorContract, record.simulators), (SurrogateContract, record.surrogates)):
        for name in names:
            yield from _deviation(_subject(contract, name).test_it_registers_and_composes)
            try:
                declared = getattr(getattr(loaded, contract.kind)(name), "requirements", None)
            except SpinloomError:  # said already
                continue
            if declared is not None:
                yield from _deviation(partial(check_declaration, name, declared))
    for name in record.sequence_families:
        yield from _deviation(_subject(SequenceFamilyContract, name).test_its_signature_says_everything)


def _subject(contract: type[Contract], name: str) -> Contract:
    """A contract about `name`."""
    found: Contract = type("Own", (contract,), {contract.kind: name})()
    return found


def _deviation(check: Callable[[], None]) -> Iterator[str]:
    """The sentence of a check that fails, of one whose only fault is an option that the user must state none."""
    try:
        check()
    except Exception as error:
        if "is not given; add" not in str(error):
            yield str(error)


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):
        answer = examine(sys.argv[1], deep=sys.argv[2:] != ["shallow"])
    print(json.dumps(answer))
