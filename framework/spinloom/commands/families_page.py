"""The pages of `spinloom sequence families`: the families there are, and the parameters of one."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from spinloom.commands.table import WIDTH, column_table
from spinloom.errors import PluginError
from spinloom.sequence.expression import write_value
from spinloom.sequence.family import Family
from spinloom.sequence.parameter import Parameter


def list_page(families: Mapping[str, Family | PluginError], plugins: Mapping[str, str]) -> list[str]:
    """Each family with its plugin and its defaults, or with the reason why it cannot be used."""
    rows, notes = [], []
    for name, family in families.items():
        what = family.summary if isinstance(family, Family) else "cannot be used"
        rows.append((name, plugins[name], what))
        notes.append(_defaults(family.parameters) if isinstance(family, Family) else str(family))
    hint = ["", "`spinloom sequence families NAME` tells what parameters mean and may be."]
    return [*column_table(("family", "plugin", "what"), rows, notes), *hint] if rows else ["There is no family."]


def family_page(family: Family) -> list[str]:
    """The parameters of a family: default, what each may be, the range that was published, and the meaning."""
    rows = [(p.name, write_value(p.default), p.wanted, _published(p)) for p in family.parameters]
    notes = [p.meaning.text for p in family.parameters]
    table = column_table(("parameter", "default", "may be", "published range"), rows, notes)
    return [*textwrap.wrap(f"{family.name}: {family.summary}", WIDTH), "", *table]


def family_facts(family: Family) -> dict[str, Any]:
    """A family in plain containers, ready for JSON."""
    return {
        "name": family.name,
        "summary": family.summary,
        "parameters": [
            {
                "name": parameter.name,
                "kind": parameter.kind.__name__,
                "default": parameter.default,
                "wanted": parameter.wanted,
                "published": parameter.meaning.published,
                "meaning": parameter.meaning.text,
            }
            for parameter in family.parameters
        ],
    }


def _defaults(parameters: Iterable[Parameter]) -> str:
    return ", ".join(f"{parameter.name}={write_value(parameter.default)}" for parameter in parameters)


def _published(parameter: Parameter) -> str:
    published = parameter.meaning.published
    return f"{published[0]:g} to {published[1]:g}" if published else "-"
