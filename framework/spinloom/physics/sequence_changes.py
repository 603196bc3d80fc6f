"""Changes of a sequence as tensors: the seam by which signals have gradients with respect to its pulses and times.

    amplitude' = rf_scale amplitude,   phase' = phase + rf_phase,   frequency' = frequency + rf_offset
    G' = gradient_scale G,             block' = block, and then nothing for `delay`

Pulses and blocks are numbered as they are played, so that each pulse of a train has a number of its own even where the
file holds it once.  What a change leaves alone stays as the file has it: delays within blocks, the time and the
receiver of ADC events.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import SequenceError
from spinloom.sequence.timeline import Timeline

Number = Tensor | float


@dataclass(frozen=True, eq=False)
class SequenceChanges:
    """By how much a sequence is played otherwise than its file says; None changes nothing, one number changes all.

    rf_scale: factor of the amplitude, and so of the flip angle, of each pulse in playing order, shape `(pulses,)`
    rf_phase: what is added to the phase of each pulse [rad], shape `(pulses,)`
    rf_offset: what is added to the frequency of each pulse [Hz], shape `(pulses,)`
    delay: what is added to the time of each block, at its end [s], shape `(blocks,)`; negative where it ends in silence
    gradient_scale: factor of the gradients x, y, z of each block, before rotations (Pulseq 1.5), shape `(3, blocks)`
    """

    rf_scale: Number | None = None
    rf_phase: Number | None = None
    rf_offset: Number | None = None
    delay: Number | None = None
    gradient_scale: Number | None = None

    @property
    def differentiable(self) -> bool:
        """Whether gradients with respect to a change are asked for."""
        given = (getattr(self, field.name) for field in fields(self))
        return torch.is_grad_enabled() and any(isinstance(value, Tensor) and value.requires_grad for value in given)

    @property
    def names(self) -> tuple[str, ...]:
        """Which changes are given."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) is not None)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is played otherwise than the file says."""
        return (f"Played with changes of the file: {', '.join(self.names)}.",) if self.names else ()


def checked(changes: SequenceChanges, timeline: Timeline, device: torch.device | None = None) -> SequenceChanges:
    """The changes as float64 tensors on `device`, each a single number or of its full shape.

    Raises `SequenceError` for other shapes, for what is not a finite real number, and for delays that take more time
    from a block than it has in silence at its end.
    """
    shapes = _shapes(timeline)
    found = {name: _checked(name, getattr(changes, name), shapes[name], timeline, device) for name in changes.names}
    if "delay" in found:
        _refuse_cuts(found["delay"].detach().cpu().numpy(), timeline)
    return SequenceChanges(**found)


def _shapes(timeline: Timeline) -> dict[str, tuple[int, ...]]:
    pulses = (int((timeline.block_rf >= 0).sum()),)
    blocks = (len(timeline),)
    return {
        "rf_scale": pulses,
        "rf_phase": pulses,
        "rf_offset": pulses,
        "delay": blocks,
        "gradient_scale": (3, *blocks),
    }


def _checked(
    name: str, value: Number, shape: tuple[int, ...], timeline: Timeline, device: torch.device | None
) -> Tensor:
    try:
        found = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        raise SequenceError(f"changes.{name} is {value!r}; give numbers.") from None
    if found.is_complex() or found.dtype == torch.bool:
        raise SequenceError(f"changes.{name} holds {str(found.dtype).removeprefix('torch.')}; give real numbers.")
    if found.ndim and found.shape != shape:
        plays = f"{shape[-1]} {'RF pulses' if name.startswith('rf') else 'blocks'}"
        raise SequenceError(
            f"changes.{name} has the shape {tuple(found.shape)}, but {timeline.source} plays {plays}; give the shape "
            f"{shape}, in playing order, or a single number for all."
        )
    bad = np.argwhere(~torch.isfinite(found.detach()).cpu().numpy())
    if bad.size or not bool(torch.isfinite(found.detach()).all()):
        place = f" at {tuple(bad[0].tolist())}" if found.ndim else ""
        raise SequenceError(f"changes.{name} is {found.detach()[tuple(bad[0])].item():g}{place}; give finite numbers.")
    return found.to(device=device, dtype=torch.float64)


def _refuse_cuts(delay: np.ndarray, timeline: Timeline) -> None:
    """Raise where a block would end before its events do."""
    delays = np.broadcast_to(delay, (len(timeline),))
    shortened = np.flatnonzero(delays < 0)
    silence = silence_at_end(timeline, shortened)
    cut = np.flatnonzero(delays[shortened] < -silence - 1e-12)
    if cut.size:
        block, rest = shortened[cut[0]], silence[cut[0]]
        raise SequenceError(
            f"changes.delay takes {-1e3 * delays[block]:g} ms from block {block + 1} in playing order, of "
            f"{1e3 * timeline.block_duration[block]:g} ms, of which the last {1e3 * rest:g} ms alone are silent; give "
            f"at least {-rest:g} there."
        )


def silence_at_end(timeline: Timeline, blocks: np.ndarray) -> np.ndarray:
    """Time of each of `blocks` after the last of its events [s]."""
    columns = [timeline.block_rf, timeline.block_adc, *timeline.block_gradient]
    pulses = [event.delay + timeline.waveforms[event.waveform].duration for event in timeline.rf]
    gradients = [event.duration for event in timeline.gradients]
    ends = [pulses, [event.duration for event in timeline.adcs], *(3 * [gradients])]
    last = np.max([np.append(end, 0.0)[column[blocks]] for end, column in zip(ends, columns, strict=True)], axis=0)
    return np.maximum(timeline.block_duration[blocks] - last, 0.0)
