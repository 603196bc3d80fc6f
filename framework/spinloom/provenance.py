"""Where results come from: versions, the revision of the code, the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from spinloom import __version__

_DISTRIBUTIONS = ("torch", "numpy", "scipy", "pypulseq", "hydra-core", "mlflow", "zarr")


def versions() -> dict[str, str]:
    """Versions of Spinloom, of Python and of what the results depend on; what is not installed is left out."""
    found = {"spinloom": __version__, "python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_state(folder: Path | None = None) -> dict[str, str | bool] | None:
    """Revision of the repository that holds `folder`, the working directory by default.

    Gives `repository` (the name of its top folder), `revision`, `branch` (empty where none is checked out) and
    `changed` (whether tracked files differ from the revision); None outside a repository, in one without a commit
    and where git is not installed.
    """
    revision = _git(folder, "rev-parse", "HEAD")
    top = _git(folder, "rev-parse", "--show-toplevel")
    if revision is None or top is None:
        return None
    return {
        "repository": Path(top).name,
        "revision": revision,
        "branch": _git(folder, "branch", "--show-current") or "",
        "changed": _git(folder, "diff", "--quiet", "HEAD") is None,
    }


def machine() -> dict[str, str | int]:
    """Name, system, processor and number of processors of this machine."""
    return {
        "name": platform.node(),
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "processors": os.cpu_count() or 1,
    }


def _git(folder: Path | None, *arguments: str) -> str | None:
    """What git answers; None where it fails, takes more than a few seconds or is not installed."""
    try:
        answer = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
