"""A vector register as a number of the compiled loops: eight float64 that add and multiply side by side.

The compiler makes vector instructions of a loop only where it can prove that the loop's arrays do not overlap, which it
cannot where there are many.  Numbers of this type need no proof: `load` and `store` move `LANES` neighbours of an array
of float64, and +, - and * work on all lanes at once, fused where the processor can.  A processor of narrower registers
takes several for one of these.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 8
"""Numbers in a register: 64 bytes of float64, the widest there is."""

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_FAST = ("nnan", "ninf", "nsz", "arcp", "contract", "reassoc")


class Lanes(types.Type):
    """The type of such a number."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Lanes) -> None:
        super().__init__(manager, kind, _VECTOR)


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer())


def _spread(builder: Any, number: Any) -> Any:
    """A number in every lane."""
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), zeros)


@intrinsic
def load(typing, array, index):  # type: ignore[no-untyped-def]
    """The `LANES` numbers of a contiguous array of one axis from `index` on."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        value = builder.load(_address(context, builder, kind.args[0], *arguments))
        value.align = 8
        return value

    return lanes(array, types.intp), generate


@intrinsic
def store(typing, array, index, value):  # type: ignore[no-untyped-def]
    """Write the `LANES` numbers of `value` into an array from `index` on."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        stored = builder.store(arguments[2], _address(context, builder, kind.args[0], *arguments[:2]))
        stored.align = 8
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), generate


@intrinsic
def spread(typing, number):  # type: ignore[no-untyped-def]
    """The same number in every lane."""

    def generate(context, builder, kind, arguments):  # type: ignore[no-untyped-def]
        return _spread(builder, arguments[0])

    return lanes(types.float64), generate


def _define(operation: Callable[..., Any], instruction: str) -> None:
    """Let `operation` take two such numbers, or one and a plain one."""

    @infer_global(operation)
    class Template(AbstractTemplate):
        def generic(self, arguments: Any, keywords: Any) -> Any:
            if len(arguments) != 2 or lanes not in arguments:
                return None
            plain = [kind for kind in arguments if kind is not lanes]
            if plain and not isinstance(plain[0], types.Number):
                return None
            return signature(lanes, *(kind if kind is lanes else types.float64 for kind in arguments))

    def lower(context: Any, builder: Any, kind: Any, arguments: Any) -> Any:
        pair = zip(kind.args, arguments, strict=True)
        both = (value if each is lanes else _spread(builder, value) for each, value in pair)
        return getattr(builder, instruction)(*both, flags=_FAST)

    for one, other in ((lanes, lanes), (lanes, types.float64), (types.float64, lanes)):
        lower_builtin(operation, one, other)(lower)


for _operation, _instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _define(_operation, _instruction)
