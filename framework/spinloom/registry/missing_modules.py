"""What to install where a plugin imports a module that is not there: the extra of its distribution that brings it."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires

_WITH_EXTRA = re.compile(r"""([\w.-]+)[^;]*;.*\bextra\s*==\s*["']([\w.-]+)["']""")


def how_to_install(error: BaseException | None, distribution: str) -> str:
    """A sentence with the way out where `error` is a module that is missing; nothing for any other error."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    module = error.name.partition(".")[0]
    extras = _extras(distribution)
    if module_key(module) in extras:
        extra = extras[module_key(module)]
        return f" It needs an extra that is not installed: pip install '{distribution}[{extra}]'."
    if extras:
        some = ",".join(sorted(set(extras.values())))
        return (
            f" '{module}' is not installed; it may belong to an extra: pip install '{distribution}[{some}]', or "
            f"install the package that holds '{module}'."
        )
    return f" '{module}' is not installed; install the package that holds it."


def module_key(name: str) -> str:
    """A name as packages and modules share it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _extras(distribution: str) -> dict[str, str]:
    """Packages that the extras of a distribution bring, each with its extra."""
    try:
        stated = requires(distribution) or []
    except PackageNotFoundError:
        return {}
    found = (_WITH_EXTRA.match(line) for line in stated)
    return {module_key(match[1]): match[2] for match in found if match}
