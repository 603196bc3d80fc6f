"""The wheel of a plugin's project, built once a process, unpacked, and tried without the checkout.

Built by the project's own backend through pip, without network; tried in a fresh process that finds the unpacked wheel
before anything else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from spinloom.testing.deviation import Deviation, require


def project_of(file: Path) -> Path | None:
    """The nearest folder above `file` whose pyproject.toml states Spinloom plugins."""
    for folder in file.resolve().parents:
        path = folder / "pyproject.toml"
        if path.is_file():
            project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
            if "spinloom" in project.get("entry-points", {}):
                return folder
    return None


@cache
def unpacked_wheel(project: Path) -> Path:
    """Build the wheel of `project` from a copy and unpack it; the folder lasts as long as the process.

    Raises `Deviation` with the last line of the backend where it cannot be built.
    """
    folder = Path(_scratch().name) / f"wheel{len(list(Path(_scratch().name).iterdir()))}"
    source, built, unpacked = folder / "source", folder / "built", folder / "unpacked"
    shutil.copytree(
        project, source, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.pyc", "tests", "docs", "build")
    )
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run([*pip, "--wheel-dir", str(built), str(source)], capture_output=True, text=True)
    wheels = list(built.glob("*.whl")) if built.is_dir() else []
    if done.returncode or len(wheels) != 1:
        reason = (done.stderr.strip().splitlines() or ["no wheel was written"])[-1]
        raise Deviation(f"No wheel can be built of {project} ({reason}): nobody could install the plugin.")
    with zipfile.ZipFile(wheels[0]) as archive:
        archive.extractall(unpacked)
    return unpacked


@cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="spinloom-wheels-")


@cache
def tried(wheel: Path) -> Mapping[str, Mapping[str, str]]:
    """What is wrong with each plugin of an unpacked wheel: a sentence by what it provides, under the plugin's name."""
    path = os.pathsep.join([str(wheel), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", "spinloom.testing.wheel_trial", str(wheel)],
        capture_output=True,
        text=True,
        cwd=wheel.parent,
        env={**os.environ, "PYTHONPATH": path},
    )
    require(not done.returncode, f"A process that uses the wheel fails: {done.stderr.strip()[-500:]}")
    answer: dict[str, dict[str, str]] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def check_wheel(project: Path, plugin: str, module: str) -> None:
    """Raise `Deviation` unless `plugin` registers from the wheel of `project`, which holds all of `module`."""
    wheel = unpacked_wheel(project)
    found = tried(wheel)
    require(
        plugin in found,
        f"The wheel of {project} states no plugin '{plugin}' in its entry points: who installs it finds nothing.",
    )
    for what, sentence in found[plugin].items():
        raise Deviation(f"From its wheel, {what} of plugin '{plugin}' fails for everyone but its author: {sentence}")
    package = module.partition(".")[0]
    for source in project.glob(f"**/{package}/__init__.py"):
        lost = [path for path in _files(source.parent) if not (wheel / package / path).is_file()]
        require(
            not lost,
            f"The wheel of {project} leaves out {', '.join(lost)} of '{package}': what needs it fails for everyone but "
            "the author. Let the build include it.",
        )
        return


def _files(folder: Path) -> list[str]:
    """Files of a package as paths within it, what Python compiled left out."""
    every = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [str(path) for path in every if "__pycache__" not in path.parts and path.suffix != ".pyc"]
