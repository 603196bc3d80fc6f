"""The tutorials run exactly as they are printed: their files are written, their commands typed, their output compared.

A block that begins with `# PATH` is that file.  A shell block is typed; a text block behind it is what it prints, with
`…` for what differs from run to run.  `SPINLOOM_KEEP_PICTURES=FOLDER` keeps the pictures that the pages show.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w./-]+\.(?:py|yaml|toml))\n")
GOES_ON = re.compile(r"^<!-- goes on from (\w+) -->$", re.MULTILINE)
PICTURE = re.compile(r"^!\[.+\]\(\.\./images/(tutorial_\w+\.svg)\)$", re.MULTILINE)
OFFLINE = "--no-index --no-deps --no-build-isolation --quiet --disable-pip-version-check"


@dataclass(frozen=True)
class Reader:
    """Somebody who does what a page says, in a folder and an environment of their own."""

    folder: Path
    variables: dict[str, str]

    def follow(self, page: Path) -> None:
        """Write the files and type the commands of `page`, and compare what they print."""
        printed = ""
        for language, text in FENCE.findall(page.read_text(encoding="utf-8")):
            file = FILE.match(text)
            if file:
                path = self.folder / file[1]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            elif language == "sh":
                printed = self.type(text)
            else:
                assert language == "text"
                assert re.fullmatch(expected(text), printed, re.DOTALL), f"expected\n{text}\nprinted\n{printed}"

    def type(self, command: str) -> str:
        """What `command` prints; it has to succeed."""
        shell = ["bash", "-euo", "pipefail", "-c", command]
        done = subprocess.run(shell, cwd=self.folder, env=self.variables, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


def expected(text: str) -> str:
    """A pattern of the output that a page shows."""
    return ".*".join(re.escape(part) for part in text.split("…"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """An environment that has Spinloom, and in which pip installs without a network."""
    folder = tmp_path_factory.mktemp("tutorials")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    programs = folder / "venv" / "bin"
    site = sysconfig.get_path("purelib", vars={"base": str(folder / "venv"), "platbase": str(folder / "venv")})
    parents = "; ".join(f"site.addsitedir({path!r})" for path in sys.path if "site-packages" in path)
    (Path(site) / "parent.pth").write_text(f"import site; {parents}\n")
    for name, call in {"pip": f'pip "$@" {OFFLINE}', "spinloom": 'spinloom "$@"'}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec "{programs / "python"}" -m {call}\n')
        (programs / name).chmod(0o755)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SPINLOOM_")}
    variables |= {"PATH": f"{programs}:{variables['PATH']}", "SPINLOOM_CONFIG_DIR": str(folder / "settings")}
    variables["OMP_NUM_THREADS"] = "1"  # small networks are faster so where other tests run beside
    work = folder / "work"
    work.mkdir()
    return Reader(work, variables)


@pytest.fixture(scope="module")
def followed() -> set[str]:
    """Tutorials that have been followed in the reader's folder."""
    return set()


def test_it_runs_as_printed_and_ends_with_its_picture(tutorial: Path, reader: Reader, followed: set[str]) -> None:
    follow(tutorial, reader, followed)
    text = tutorial.read_text(encoding="utf-8")
    (shown,) = PICTURE.findall(text)
    made = reader.folder / re.findall(r"[' \"](\w+\.svg)[' \"\n]", text[: text.index(shown)])[-1]
    assert made.read_text(encoding="utf-8").count("<path") > 5
    assert text.rstrip().endswith(f"{shown})")
    if keep := os.environ.get("SPINLOOM_KEEP_PICTURES"):
        shutil.copy(made, Path(keep) / shown)


def follow(tutorial: Path, reader: Reader, followed: set[str]) -> None:
    """Follow a tutorial once, after those on which it builds."""
    for earlier in GOES_ON.findall(tutorial.read_text(encoding="utf-8")):
        follow(tutorial.with_stem(earlier), reader, followed)
    if tutorial.stem not in followed:
        reader.follow(tutorial)
        followed.add(tutorial.stem)
