"""The scaffold: a whole plugin as a package of its own, from a name and a kind, without network."""

from __future__ import annotations

from spinloom.scaffold.names import check_name
from spinloom.scaffold.writing import KINDS, package_files, write_package

__all__ = ["KINDS", "check_name", "package_files", "write_package"]
