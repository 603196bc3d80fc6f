"""Numbers of a pool model by their address, the keys from the top down joined by dots: `cest_pool.amide.k`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spinloom.tissue import schema
from spinloom.tissue.schema import Key

SHORT = {name: f"{schema.WATER}.{name}" for name in ("t1", "r1", "t2", "r2")}
"""Addresses that may leave out the water: nothing else at the top of a pool model has these names."""


def full_address(address: str) -> str:
    """The address from the top, for one that may be short: `t1` is `water_pool.t1`."""
    return SHORT.get(address, address)


@dataclass(frozen=True)
class Number:
    """A number that a tissue has or may have, under one of the names of its key."""

    address: str
    key: Key

    @property
    def name(self) -> str:
        """The last part of the address: the key's name or its alias."""
        return self.address.rpartition(".")[2]

    @property
    def unit(self) -> str:
        """Unit under this name, as the key's meaning has it in brackets; `1` for a pure number."""
        own = re.search(rf"\b{self.name} \[(.+?)\]", self.key.meaning)
        found = own or re.search(r"\[(.+?)\]", self.key.meaning)
        return found[1] if found else "1"

    @property
    def meaning(self) -> str:
        """What the number is, in words."""
        return re.split(r"[,\[]", self.key.meaning)[0].strip()

    @property
    def others(self) -> tuple[str, ...]:
        """Addresses of the same quantity under the key's other name."""
        parent = self.address.removesuffix(self.name)
        return tuple(f"{parent}{name}" for name in self.key.names if name != self.name)


def numbers_of(mapping: Mapping[str, Any]) -> dict[str, Number]:
    """Every number that a tissue with the pools of `mapping` may give, by address."""
    found = {}
    for section, keys in _sections(mapping):
        for key in keys:
            for name in key.names:
                address = f"{section}{name}"
                found[address] = Number(address, key)
    return found


def value_at(mapping: Mapping[str, Any], address: str) -> Any:
    """What stands at `address`; None where nothing does."""
    node: Any = mapping
    for part in address.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def with_value(mapping: Mapping[str, Any], address: str, value: Any) -> dict[str, Any]:
    """A copy of `mapping` in which `value` stands at `address`; None takes away what is there."""
    first, _, rest = address.partition(".")
    copy = {str(key): content for key, content in mapping.items()}
    if rest:
        copy[first] = with_value(copy.get(first) or {}, rest, value)
    elif value is None:
        copy.pop(first, None)
    else:
        copy[first] = value
    return copy


def _sections(mapping: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Key, ...]]]:
    """Beginning of the addresses of each section, and its keys."""
    yield "", schema.SCANNER_KEYS
    yield f"{schema.WATER}.", (*schema.WATER_KEYS, schema.T2STAR)
    kinds = {schema.SEMISOLID: schema.POOL_KEYS, schema.EXCHANGING: schema.POOL_KEYS}
    for kind, keys in {**kinds, schema.EXCHANGE: schema.EXCHANGE_KEYS}.items():
        node = mapping.get(kind)
        if not isinstance(node, Mapping):
            continue
        members = [str(name) for name, content in node.items() if isinstance(content, Mapping)]
        for member in members:
            yield f"{kind}.{member}.", keys
        if node and not members:
            yield f"{kind}.", keys
