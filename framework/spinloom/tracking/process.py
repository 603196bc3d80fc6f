"""This process as a store knows it, and whether the process behind a run still lives.

A process that is killed leaves its run marked as running.  Each run therefore carries the host, the process id and
the moment when the process started: the id alone would be taken again by another process.
"""

from __future__ import annotations

import getpass
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HOST = "spinloom.host"
PID = "spinloom.pid"
STARTED = "spinloom.process_started"

_FIRST_NAMESPACE = "pid:[4026531836]"
"""The kernel's name for the process ids of the machine itself, outside any container."""


def process_tags() -> dict[str, str]:
    """Tags that identify this process and its user."""
    tags = {HOST: host(), PID: str(os.getpid()), STARTED: _started(os.getpid()) or ""}
    try:
        return tags | {"mlflow.user": getpass.getuser()}
    except (KeyError, OSError):
        return tags


def host() -> str:
    """Name of the machine, with the namespace of process ids where the process is in a container."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = _FIRST_NAMESPACE
    return platform.node() + ("" if namespace == _FIRST_NAMESPACE else f"/{namespace}")


def is_abandoned(tags: Mapping[str, str]) -> bool:
    """Whether the run with these tags belongs to a process of this host that is gone."""
    if sys.platform == "win32" or tags.get(HOST) != host() or not tags.get(PID, "").isdigit():
        return False
    pid = int(tags[PID])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _started(pid) != (tags.get(STARTED) or None)


def _started(pid: int) -> str | None:
    """When process `pid` started, as text that no later process shares; None where it has ended."""
    if not Path("/proc/self/stat").exists():
        shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return shown.stdout.strip() or None
    try:
        # The name of the program, in brackets, may hold anything; what follows are numbers after one letter of state.
        state, *numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    return None if state in "ZX" else f"{boot}/{numbers[18]}"
