"""`spinloom plugins doctor`: examines plugins, each in a process of its own, and puts what is wrong in order.

This process imports no plugin: even one whose native code ends its process is named here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from spinloom import registry
from spinloom.errors import PluginError, known_names
from spinloom.registry import PluginRecord
from spinloom.registry.discovery import BUILT_IN
from spinloom.registry.state import ALLOW_VARIABLE, reasons_off

PATIENCE = 300
"""Seconds after which a plugin that does not answer is given up."""


@dataclass(frozen=True)
class Examination:
    """What is known of a plugin that was tried alone.

    names: of what it provides, each with its kind in words
    choices: of configuration that it adds
    findings: what is wrong, a sentence each, the first thing to do first
    off: why it was not tried
    """

    record: PluginRecord
    seconds: float | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    choices: frozenset[str] = frozenset()
    findings: tuple[str, ...] = ()
    off: str = ""


def examinations(name: str | None) -> list[Examination]:
    """Every installed plugin, or the plugin `name` alone, beside which the others are looked at for equal names."""
    records = registry.discover()
    if name is not None and name not in {record.name for record in records}:
        raise PluginError(f"Plugin '{name}' is not installed. {known_names(name, [each.name for each in records])}")
    off = reasons_off(record.name for record in records)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        tried = ((record, off.get(record.name, ""), _is_deep(record, name)) for record in records)
        found = list(pool.map(lambda each: _examined(*each), tried))
    told = [replace(each, findings=(*each.findings, *_shared(each, found[:n]))) for n, each in enumerate(found)]
    return [each for each in told if name is None or each.record.name == name]


def _is_deep(record: PluginRecord, name: str | None) -> bool:
    """Whether the contracts' basics are tried: of the plugin that is named, or of all that did not come along."""
    return record.name == name if name is not None else record.distribution != BUILT_IN


def _examined(record: PluginRecord, off: str, deep: bool) -> Examination:
    if off:
        return Examination(record, off=off)
    if not record.ok:
        return Examination(record, findings=(record.reason,))
    process = [sys.executable, "-m", "spinloom.testing.examination", record.name, "deep" if deep else "shallow"]
    environment = {**os.environ, ALLOW_VARIABLE: record.name, "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(process, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        answer = json.loads(done.stdout.strip().splitlines()[-1]) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        wait = f"It does not answer within {PATIENCE} s; look for a loop, a download or a prompt in '{record.module}'."
        return Examination(record, findings=(wait,))
    if answer is None:
        return Examination(record, findings=(_ending(record, done),))
    tables = {"simulator": "simulators", "surrogate": "surrogates", "family of sequences": "sequence_families"}
    names = {own: kind for kind, table in tables.items() for own in answer[table]}
    return Examination(record, answer["seconds"], names, frozenset(answer["choices"]), tuple(answer["findings"]))


def _ending(record: PluginRecord, done: subprocess.CompletedProcess[str]) -> str:
    """How the process of a plugin ended, in a sentence."""
    if done.returncode < 0:
        how = f"was ended by {signal.Signals(-done.returncode).name}, as native code is that goes astray"
    else:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        how = f"ended with status {done.returncode} and said: {said}"
    return (
        f"The process that imports it {how}. Until it is mended, 'spinloom plugins disable {record.name}' keeps it "
        "from ending every command."
    )


def _shared(own: Examination, earlier: Iterable[Examination]) -> Iterator[str]:
    """Names that an earlier plugin has too, which is the one that keeps them."""
    for other in earlier:
        for name in sorted(own.names.keys() & other.names.keys()):
            if own.names[name] == other.names[name]:
                yield (
                    f"Its {own.names[name]} '{name}' has the name of one of plugin '{other.record.name}', which comes "
                    f"first: rename it, or 'spinloom plugins disable {other.record.name}'."
                )
        for choice in sorted(own.choices & other.choices):
            yield f"Its configuration '{choice}' has the name of one of plugin '{other.record.name}': rename it."


def lines_of(found: Iterable[Examination]) -> Iterator[str]:
    """What to print: a line for each plugin, and under it what to do, in order."""
    for each in found:
        record = each.record
        head = f"{record.name} ({record.distribution} {record.version})"
        if each.off:
            yield f"{head}: not examined. {each.off}"
        elif not each.findings:
            yield f"{head}: sound; imports in {1000 * (each.seconds or 0):.0f} ms."
        else:
            yield f"{head}: to do"
            yield from (f"  {number}. {sentence}" for number, sentence in enumerate(each.findings, 1))
