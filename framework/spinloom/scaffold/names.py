"""What a new plugin may be called: an identifier that nothing on this machine has."""

from __future__ import annotations

import keyword
import re
from importlib.util import find_spec

from spinloom.errors import PluginError
from spinloom.registry import Registry


def check_name(name: str, loaded: Registry) -> None:
    """Raise `PluginError` with a sentence unless `name` can be a plugin's, beside those in `loaded`."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise PluginError(
            f"'{name}' cannot be the name of a plugin: it is a Python identifier in small letters, digits and "
            f"underscores, such as {_similar(name)}, for it names a module and is typed on the command line."
        )
    tables = {
        "plugin": {record.name: record.distribution for record in loaded.records},
        "simulator": loaded.simulators(),
        "surrogate": loaded.surrogates(),
        "family of sequences": loaded.sequence_families(),
    }
    for what, owners in tables.items():
        if name in owners:
            owner = f"of distribution '{owners[name]}'" if what == "plugin" else f"of plugin '{owners[name]}'"
            raise PluginError(f"'{name}' is the name of a {what} {owner} already; choose another, such as my_{name}.")
    if find_spec(f"spinloom_{name}") is not None:
        raise PluginError(f"A module 'spinloom_{name}' is installed already; choose another name, such as my_{name}.")


def _similar(name: str) -> str:
    found = re.sub(r"\W+", "_", name.lower()).strip("_0123456789")
    return f"'{found}'" if found and not keyword.iskeyword(found) else "'my_bloch'"
