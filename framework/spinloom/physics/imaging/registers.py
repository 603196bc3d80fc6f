"""Vector registers as numbers of the compiled loops: many float32 or float64 that are worked on side by side.

The compiler makes vector instructions of a loop only where it can prove that the loop's arrays do not overlap, which it
cannot where there are many.  Numbers of these types need no proof: +, - and * work on all lanes at once, fused where
the processor can, and also take one plain number for all.  A register holds 64 bytes, and a block `ROWS` registers,
which the compiler spreads over as many registers of the processor as it takes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

BYTES = 64
"""Size of a register, the widest there is."""

ROWS = 8
"""Registers of a block: magnetisation takes three blocks, 24 of the 32 registers of a processor."""

_FAST = ("nnan", "ninf", "nsz", "arcp", "contract", "reassoc")

_FUSED = ("nnan", "ninf", "nsz", "contract")
"""Sums whose order stays, so that each is fused with its product."""


class Register(types.Type):
    """The type of `rows` registers that hold numbers of the type `number`."""

    def __init__(self, number: Any, kind: Any, rows: int) -> None:
        super().__init__(name=f"Register({number}, {rows})")
        self.number, self.rows = number, rows
        self.columns = BYTES * 8 // number.bitwidth
        self.lanes = rows * self.columns
        self.vector = ir.VectorType(kind, self.lanes)
        self.whole = ir.VectorType(ir.IntType(number.bitwidth), self.lanes)


_KINDS = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}
_REGISTERS = {(number, rows): Register(number, kind, rows) for number, kind in _KINDS.items() for rows in (1, ROWS)}


class Pointer(types.Type):
    """The type of the place of an array's first number, which inner loops take in place of the array.

    Arrays are counted each time that they are handed on, and counting empties the registers.
    """

    def __init__(self, number: Any) -> None:
        super().__init__(name=f"Pointer({number})")
        self.dtype = number


_POINTERS = {number: Pointer(number) for number in _KINDS}


@intrinsic
def holds_single(typing, value):  # type: ignore[no-untyped-def]
    """Whether a register or block holds float32, known to the compiler."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        return ir.Constant(ir.IntType(1), kind.args[0].number is types.float32)

    return types.boolean(value), generate


@register_model(Register)
class _RegisterModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Register) -> None:
        super().__init__(manager, kind, kind.vector)


@register_model(Pointer)
class _PointerModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Pointer) -> None:
        super().__init__(manager, kind, _KINDS[kind.dtype].as_pointer())


@intrinsic
def pointer(typing, array):  # type: ignore[no-untyped-def]
    """The place of the first number of a contiguous array, which must outlive it."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        return context.make_array(kind.args[0])(context, builder, arguments[0]).data

    return _POINTERS[array.dtype](array), generate


@intrinsic
def lanes_at(typing, place):  # type: ignore[no-untyped-def]
    """How many of the numbers of an array or pointer a register holds, known to the compiler."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        return ir.Constant(ir.IntType(64), BYTES * 8 // kind.args[0].dtype.bitwidth)

    return types.intp(place), generate


def lanes_of(dtype: Any) -> int:
    """How many numbers of `dtype` a register holds."""
    return BYTES // int(np.dtype(dtype).itemsize)


@numba.njit(cache=True, nogil=True)
def rows_of(count, like):  # type: ignore[no-untyped-def]
    """Zeros for `count` registers of the dtype of the array `like`, of one axis, at a border of the cache's lines."""
    size = like.itemsize
    memory = np.zeros((count + 1) * (64 // size), dtype=like.dtype)
    return memory[(-memory.ctypes.data) % 64 // size :]


def _address(context: Any, builder: Any, kind: Any, array: Any, place_kind: Any, place: Any, vector: Any) -> Any:
    if isinstance(kind, Pointer):
        return builder.bitcast(builder.gep(array, [place]), vector.as_pointer())
    structure = context.make_array(kind)(context, builder, array)
    places = [place] if isinstance(place_kind, types.Integer) else cgutils.unpack_tuple(builder, place)
    shape, strides = (cgutils.unpack_tuple(builder, sizes) for sizes in (structure.shape, structure.strides))
    found = cgutils.get_item_pointer2(context, builder, structure.data, shape, strides, kind.layout, places)
    return builder.bitcast(found, vector.as_pointer())


def _plain(place: Any) -> Any:
    """An index or a tuple of indices, as whole numbers of the size of addresses."""
    return types.intp if isinstance(place, types.Integer) else types.UniTuple(types.intp, len(place))


def _load(context: Any, builder: Any, array_kind: Any, array: Any, place_kind: Any, place: Any, vector: Any) -> Any:
    value = builder.load(_address(context, builder, array_kind, array, place_kind, place, vector))
    value.align = 4
    return value


@intrinsic
def load(typing, array, place):  # type: ignore[no-untyped-def]
    """A register of numbers of a contiguous array or behind a pointer, from `place` on: an index, or some of them."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        vector = kind.return_type.vector
        return _load(context, builder, kind.args[0], arguments[0], kind.args[1], arguments[1], vector)

    return _REGISTERS[array.dtype, 1](array, _plain(place)), generate


@intrinsic
def load_block(typing, array, place):  # type: ignore[no-untyped-def]
    """A block of numbers of a contiguous array or behind a pointer, from `place` on: an index, or some of them."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        vector = kind.return_type.vector
        return _load(context, builder, kind.args[0], arguments[0], kind.args[1], arguments[1], vector)

    return _REGISTERS[array.dtype, ROWS](array, _plain(place)), generate


@intrinsic
def store(typing, array, place, value):  # type: ignore[no-untyped-def]
    """Write the numbers of a register or block into a contiguous array, or behind a pointer, from `place` on."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        vector = kind.args[2].vector
        address = _address(context, builder, kind.args[0], arguments[0], kind.args[1], arguments[1], vector)
        stored = builder.store(arguments[2], address)
        stored.align = 4
        return context.get_dummy_value()

    return types.void(array, _plain(place), value), generate


def _shuffled(builder: Any, one: Any, order: list[int]) -> Any:
    nothing = ir.Constant(one.type, ir.Undefined)
    return builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order))


def _spread(builder: Any, register: Register, number: Any) -> Any:
    """A plain number in every lane."""
    nothing = ir.Constant(register.vector, ir.Undefined)
    one = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
    return _shuffled(builder, one, [0] * register.lanes)


@intrinsic
def spread(typing, number, like):  # type: ignore[no-untyped-def]
    """A register, or block, that holds `number` in every lane, of the type of `like`."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        return _spread(builder, kind.return_type, arguments[0])

    return like(like.number, like), generate


@intrinsic
def spread_rows(typing, array, place):  # type: ignore[no-untyped-def]
    """A block whose rows hold one of the numbers of `array` from `place` on each, in every lane."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        register = kind.return_type
        few = ir.VectorType(register.vector.element, register.rows)
        found = _load(context, builder, kind.args[0], arguments[0], kind.args[1], arguments[1], few)
        return _shuffled(builder, found, [lane // register.columns for lane in range(register.lanes)])

    return _REGISTERS[array.dtype, ROWS](array, _plain(place)), generate


@intrinsic
def repeat(typing, value):  # type: ignore[no-untyped-def]
    """A block whose rows are all the register `value`."""
    block = _REGISTERS[value.number, ROWS]

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        return _shuffled(builder, arguments[0], list(range(block.columns)) * block.rows)

    return block(value), generate


@intrinsic
def sum_rows(typing, value):  # type: ignore[no-untyped-def]
    """The register that is the sum of the rows of a block."""
    register = _REGISTERS[value.number, 1]

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        found, rows = arguments[0], ROWS
        while rows > 1:
            lanes = rows * register.columns // 2
            halves = (_shuffled(builder, found, list(range(first, first + lanes))) for first in (0, lanes))
            found, rows = builder.fadd(*halves, flags=_FAST), rows // 2
        return found

    return register(value), generate


@intrinsic
def add_products(typing, start, value, weights):  # type: ignore[no-untyped-def]
    """The register `start` and the sum of the rows of two blocks' product, fused row by row."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        found, columns = arguments[0], kind.return_type.columns
        for row in range(ROWS):
            lanes = list(range(row * columns, (row + 1) * columns))
            product = builder.fmul(*(_shuffled(builder, block, lanes) for block in arguments[1:]), flags=_FAST)
            found = builder.fadd(found, product, flags=_FUSED)
        return found

    return start(start, value, weights), generate


@intrinsic
def total(typing, value):  # type: ignore[no-untyped-def]
    """Sum of the numbers of a register."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        found, lanes = arguments[0], kind.args[0].lanes
        while lanes > 1:
            lanes //= 2
            halves = (_shuffled(builder, found, list(range(first, first + lanes))) for first in (0, lanes))
            found = builder.fadd(*halves, flags=_FAST)
        return builder.extract_element(found, ir.Constant(ir.IntType(32), 0))

    return value.number(value), generate


def _define(operation: Callable[..., Any], instruction: str) -> None:
    """Let `operation` take two registers, or one and a plain number."""

    @infer_global(operation)
    class Template(AbstractTemplate):
        def generic(self, arguments: Any, keywords: Any) -> Any:
            found = [kind for kind in arguments if isinstance(kind, Register)]
            if len(arguments) != 2 or not found:
                return None
            if len(found) == 1 and not all(isinstance(kind, Register | types.Number) for kind in arguments):
                return None
            taken = (kind if isinstance(kind, Register) else found[0].number for kind in arguments)
            return signature(found[0], *taken)

    def lower(context: Any, builder: Any, kind: Any, arguments: Any) -> Any:
        both = (
            value if isinstance(each, Register) else _spread(builder, kind.return_type, value)
            for each, value in zip(kind.args, arguments, strict=True)
        )
        return getattr(builder, instruction)(*both, flags=_FAST)

    for register in _REGISTERS.values():
        for pair in ((register, register), (register, register.number), (register.number, register)):
            lower_builtin(operation, *pair)(lower)


for _operation, _instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _define(_operation, _instruction)


def _call(builder: Any, name: str, register: Register, arguments: Any) -> Any:
    """What LLVM's own function `name` makes of registers."""
    kind = ir.FunctionType(register.vector, [register.vector] * len(arguments))
    whole_name = f"llvm.{name}.v{register.lanes}f{register.number.bitwidth}"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, whole_name), arguments)


@intrinsic
def fused(typing, one, other, addend):  # type: ignore[no-untyped-def]
    """one * other + addend of three registers, rounded once."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        return _call(builder, "fma", kind.return_type, arguments)

    return one(one, one, one), generate


@intrinsic
def rounded(typing, value):  # type: ignore[no-untyped-def]
    """The nearest whole numbers of a register."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        return _call(builder, "rint", kind.return_type, arguments)

    return value(value), generate


@intrinsic
def power_of_two(typing, value):  # type: ignore[no-untyped-def]
    """2 to the whole numbers of a register; 0 below the least normal number."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        register = kind.return_type
        fraction = 23 if register.number.bitwidth == 32 else 52
        bias = 2 ** (register.number.bitwidth - fraction - 2) - 1

        def same(number: int) -> Any:
            return ir.Constant(register.whole, [number] * register.lanes)

        power = builder.add(builder.fptosi(arguments[0], register.whole), same(bias))
        held = builder.select(builder.icmp_signed("<", power, same(0)), same(0), power)
        return builder.bitcast(builder.shl(held, same(fraction)), register.vector)

    return value(value), generate
