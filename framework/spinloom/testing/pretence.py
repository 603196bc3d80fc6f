"""A device that is not there, to test without a GPU that code keeps its tensors on the device that it was given.

Tensors on it hold numbers of the CPU and are computed there, by the same kernels.  What would fail on a GPU
fails: an operation between a tensor on the device and one of the CPU that has a shape, and NumPy's access to the
numbers.  Copies between the two, indices on the CPU and plain numbers are as free as they are on a GPU.

    with pretended_device() as device:
        samples = solve_phantom(timeline, phantom, device=device).samples.cpu()

It has no kernels, streams or rounding of its own, so that results equal those of the CPU bit for bit, and no gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter, tree_map

PRETENDED = torch.device("meta")
"""torch's device without numbers, whose name no engine takes for the CPU."""

_MAY_MIX = {
    torch.ops.aten.copy_,
    torch.ops.aten.index,
    torch.ops.aten.index_put,
    torch.ops.aten.index_put_,
    torch.ops.aten._index_put_impl_,
}

_FROM_NUMBERS = {torch.tensor, torch.as_tensor, torch.asarray}
"""What makes tensors of plain numbers, on the device without numbers before any operation is seen."""


class MixedDevicesError(RuntimeError):
    """An operation between tensors of the pretended device and of the CPU."""


@contextmanager
def pretended_device() -> Iterator[torch.device]:
    """A device on which tensors can be made while it lasts, and moved there and back, with the numbers of the CPU.

    What mixes it with the CPU raises `MixedDevicesError`.  There are no gradients on it.
    """
    with _Operations(), _Numbers():
        yield PRETENDED


class _Pretended(Tensor):
    """A tensor on the pretended device; `held` has its numbers."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> _Pretended:
        made: _Pretended = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=PRETENDED,
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, operation: Any, types: object, arguments: Sequence[Any] = (), options: Mapping[str, Any] | None = None
    ) -> Any:
        return _run(operation, arguments, dict(options or {}))


class _Operations(TorchDispatchMode):
    """Sees the operations that make tensors, which have none on the device among their arguments."""

    def __torch_dispatch__(
        self, operation: Any, types: object, arguments: Sequence[Any] = (), options: Mapping[str, Any] | None = None
    ) -> Any:
        return _run(operation, arguments, dict(options or {}))


class _Numbers(TorchFunctionMode):
    """Lets tensors of plain numbers be made on the CPU and moved."""

    def __torch_function__(
        self, function: Callable[..., Any], types: object, arguments: Sequence[Any] = (), options: Any = None
    ) -> Any:
        given = dict(options or {})
        if function in _FROM_NUMBERS and _there(given.get("device")):
            del given["device"]
            return function(*arguments, **given).to(PRETENDED)
        return function(*arguments, **given)


def _there(device: Any) -> bool:
    return device is not None and torch.device(device).type == PRETENDED.type


def _run(operation: Any, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
    """What `operation` gives, computed on the CPU."""
    tensors = [value for value in tree_iter((arguments, options)) if isinstance(value, Tensor)]
    ours = [tensor for tensor in tensors if isinstance(tensor, _Pretended)]
    strangers = [tensor for tensor in tensors if not isinstance(tensor, _Pretended) and tensor.dim() > 0]
    if ours and strangers and operation.overloadpacket not in _MAY_MIX:
        raise MixedDevicesError(
            f"{operation} takes tensors of the device and of the CPU, of shapes {[tuple(one.shape) for one in ours]} "
            f"and {[tuple(one.shape) for one in strangers]}; make or move the latter to the device of the former."
        )
    arrives = bool(ours)
    if operation.overloadpacket is torch.ops.aten.copy_:
        arrives = isinstance(arguments[0], _Pretended)
    elif options.get("device") is not None:
        arrives = _there(options["device"])
        options["device"] = torch.device("cpu")
    held = tree_map(lambda value: value.held if isinstance(value, _Pretended) else value, (tuple(arguments), options))
    found = operation(*held[0], **held[1])
    if not arrives:
        return found
    known = {id(one.held): one for one in ours}  # operations in place return what they were given

    def arrived(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        return known[id(value)] if id(value) in known else _Pretended(value.resolve_conj().resolve_neg())

    return tree_map(arrived, found)
