"""Which sections of a pool model describe which pool: water, semisolid and solute pools, and pairs that exchange.

`mt_pool` holds one pool, called `mt`, or several by name.  A semisolid pool is followed by its Mz alone, saturated by
its lineshape, or, with `components: 3`, as a whole; then it is solved like a solute and has no lineshape but the
Lorentzian that its T2 gives it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spinloom.errors import TissueError, known_names
from spinloom.tissue import schema
from spinloom.tissue.numbers import count, shown
from spinloom.tissue.pools import LINESHAPES
from spinloom.tissue.section import Section

SEMISOLID_NAME = "mt"
"""What the semisolid pool of a pool model is called where the model gives it no name."""


@dataclass(frozen=True)
class PoolSection:
    """A pool beside water: its name, its section, and its lineshape, None where all three components are followed."""

    name: str
    section: Section
    lineshape: str | None


@dataclass(frozen=True)
class ExchangeSection:
    """Two pools beside water that exchange, with the place that says so."""

    first: str
    second: str
    section: Section
    where: str


def water_section(top: Section) -> Section:
    """The section of water."""
    if top.mapping.get(schema.WATER) is None:
        raise TissueError(
            f"{top.where(schema.WATER)} is missing; give for example '{schema.WATER}: {{f: 1.0, t1: 1.2, t2: 0.07}}'."
        )
    water = top.child(schema.WATER)
    water.refuse_unknown((*schema.WATER_KEYS, schema.T2STAR), schema.ISOCHROMATS)
    return water


def isochromat_count(water: Section) -> int | None:
    """Number of spins that share the spread of the field; None where no T2* is given."""
    where = water.where(schema.ISOCHROMATS)
    spins = count(water.mapping.get(schema.ISOCHROMATS, schema.ISOCHROMATS_DEFAULT), where)
    if schema.T2STAR.name in water.mapping:
        return spins
    if schema.ISOCHROMATS in water.mapping and spins > 1:
        raise TissueError(f"{where} is {spins}, but no T2* spreads them; add for example '{schema.T2STAR.example}'.")
    return None


def pool_sections(top: Section) -> tuple[PoolSection, ...]:
    """Every pool beside water: semisolid ones, then solutes, in the file's order."""
    semisolid = [_semisolid(name, pool) for name, pool in _semisolid_sections(top.child(schema.SEMISOLID))]
    solutes = [_solute(pool) for pool in top.child(schema.EXCHANGING).children()]
    names = {pool.name for pool in semisolid}
    for pool in solutes:
        if pool.name in names:
            raise TissueError(
                f"{top.where(f'{schema.EXCHANGING}.{pool.name}')} and '{schema.SEMISOLID}' both name a pool "
                f"'{pool.name}'; give one of them another name."
            )
    return (*semisolid, *solutes)


def _semisolid_sections(section: Section) -> list[tuple[str, Section]]:
    if not section.mapping:
        return []
    if all(isinstance(value, Mapping) for value in section.mapping.values()):
        return [(pool.name, pool) for pool in section.children()]
    return [(SEMISOLID_NAME, section)]


def _semisolid(name: str, pool: Section) -> PoolSection:
    pool.refuse_unknown(schema.POOL_KEYS, schema.LINESHAPE, schema.COMPONENTS)
    written = pool.mapping.get(schema.COMPONENTS, schema.COMPONENTS_DEFAULT)
    components = count(written, pool.where(schema.COMPONENTS))
    if components not in (1, 3):
        raise TissueError(
            f"{pool.where(schema.COMPONENTS)} is {shown(written)}, but a pool has 1 component (Mz alone) or all 3."
        )
    if components == 1:
        return PoolSection(name, pool, _lineshape(pool))
    if schema.LINESHAPE in pool.mapping and _lineshape(pool) != "lorentzian":
        raise TissueError(
            f"{pool.where(schema.LINESHAPE)} is {shown(pool.mapping[schema.LINESHAPE])}, but a pool of three "
            f"components absorbs as a Lorentzian; remove the lineshape, or '{schema.COMPONENTS}: 3'."
        )
    return PoolSection(name, pool, None)


def _solute(pool: Section) -> PoolSection:
    pool.refuse_unknown(schema.POOL_KEYS)
    return PoolSection(pool.name, pool, None)


def _lineshape(pool: Section) -> str:
    written = pool.mapping.get(schema.LINESHAPE)
    choices = f"'{schema.LINESHAPE}' is one of: {', '.join(LINESHAPES)}."
    if written is None:
        raise TissueError(f"{pool.where(schema.LINESHAPE)} is missing; {choices}")
    if str(written).strip().lower() not in LINESHAPES:
        raise TissueError(
            f"{pool.where(schema.LINESHAPE)} is {shown(written)}, which is no lineshape. "
            f"{known_names(str(written), LINESHAPES)}"
        )
    return str(written).strip().lower()


def exchange_section(top: Section, pools: Sequence[str]) -> tuple[ExchangeSection, ...]:
    """The pairs of pools beside water that exchange, each once.

    pools: names of the pools beside water
    """
    section = top.child(schema.EXCHANGE)
    found: dict[frozenset[str], str] = {}
    pairs = []
    for key, pair in zip(section.mapping, section.children(), strict=True):
        pair.refuse_unknown(schema.EXCHANGE_KEYS)
        first, second = _partners(key, section.where(key), pools)
        earlier = found.setdefault(frozenset({first, second}), key)
        if earlier != key:
            raise TissueError(f"{section.where(key)} and '{earlier}' are one pair of pools; keep one of the two.")
        pairs.append(ExchangeSection(first, second, pair, section.where(key)))
    return tuple(pairs)


def _partners(key: str, where: str, pools: Sequence[str]) -> tuple[str, str]:
    """Two pools that `key` joins with a hyphen, which may stand in their names as well."""
    splits = [(key[:index], key[index + 1 :]) for index, letter in enumerate(key) if letter == "-"]
    pairs = [pair for pair in splits if set(pair) <= set(pools)]
    if "water" in [name for pair in splits for name in pair]:
        raise TissueError(f"{where} names water; the rate of a pool's exchange with water is the pool's own 'k'.")
    if len(pairs) != 1:
        raise TissueError(
            f"{where} names no pair of pools; join two of them with a hyphen, such as 'amide-mt'. "
            f"{known_names(key, pools)}"
        )
    if pairs[0][0] == pairs[0][1]:
        raise TissueError(f"{where} pairs a pool with itself, which changes nothing; name two pools.")
    return pairs[0]
