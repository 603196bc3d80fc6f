"""The files of a new plugin, filled in from templates and written whole or not at all; nothing is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from spinloom import __version__
from spinloom.errors import OutputError
from spinloom.hookspecs import API_VERSION
from spinloom.whole_folder import whole_folder


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of plugin: its words, the file that holds its code, what that is, and its configuration group."""

    words: str
    code: str
    holds: str
    group: str | None


KINDS: Mapping[str, Kind] = {
    "simulator": Kind("simulator", "simulator.py", "physics", "simulator"),
    "surrogate": Kind("surrogate", "surrogate.py", "network and what it is given", "surrogate"),
    "sequence-family": Kind("family of sequences", "family.py", "function that builds one", None),
}
"""What `--kind` may be."""


def write_package(name: str, kind: str, parent: Path) -> Path:
    """Write the package of plugin `name` into a new folder of `parent`, and return the folder.

    Raises `OutputError` where that folder exists, or cannot be written.
    """
    folder = parent / f"spinloom-{name.replace('_', '-')}"
    if folder.exists():
        raise OutputError(f"{folder} exists and is left as it is; take it away, or give another name or --dir.")
    with whole_folder(folder) as draft:
        for path, text in package_files(name, kind).items():
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).write_text(text, encoding="utf-8")
    return folder


def package_files(name: str, kind: str) -> dict[str, str]:
    """The text of each file of the package of plugin `name`, by path."""
    which, words = KINDS[kind], _words(name, kind)
    own, shared = _templates(kind.replace("-", "_")), _templates("package")
    words["try"] = own["try.md"].substitute(words).strip()
    module, written = words["module"], {"__init__.py": own["__init__.py"], which.code: own[which.code]}
    files = {f"{module}/{path}": template.substitute(words) for path, template in written.items()}
    if which.group is not None:
        files[f"{module}/conf/__init__.py"] = '"""Configuration that the plugin adds to Hydra\'s."""\n'
        files[f"{module}/conf/{which.group}/{name}.yaml"] = own["conf.yaml"].substitute(words)
    files[f"tests/test_{name}.py"] = own["test.py"].substitute(words)
    for template, path in _SHARED.items():
        files[path] = shared[template].substitute(words)
    return files


_SHARED = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "tests.yml": ".github/workflows/tests.yml",
    "gitignore": ".gitignore",
}
"""Templates that all kinds share, with where they go."""


def host_range(version: str) -> str:
    """The versions of Spinloom that a plugin written for `version` runs with, as a requirement has it."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return f">={major}.{minor},<{major}.{minor + 1}" if major == 0 else f">={major}.{minor},<{major + 1}"


def _words(name: str, kind: str) -> dict[str, str]:
    which = KINDS[kind]
    return {
        "name": name,
        "Title": "".join(part.capitalize() for part in name.split("_")),
        "module": f"spinloom_{name}",
        "distribution": f"spinloom-{name.replace('_', '-')}",
        "api": API_VERSION,
        "range": host_range(__version__),
        "python": "3.11",
        "words": which.words,
        "code": which.code,
        "holds": which.holds,
    }


def _templates(folder: str) -> dict[str, Template]:
    place = resources.files("spinloom.scaffold") / "templates" / folder
    found = {
        entry.name.removesuffix(".template"): entry for entry in place.iterdir() if entry.name.endswith(".template")
    }
    return {name: Template(entry.read_text(encoding="utf-8")) for name, entry in found.items()}
