"""From pypulseq's event libraries to a `Timeline`: each distinct event decoded once, each id looked up once.

Rules of the format that are applied here:
- an RF sample without a time shape holds for one raster cell; so do points of a time shape that lie at the
  centres of equal cells, which is how a coarser dwell time is written; other points are joined by straight
  lines, which are cut into raster cells at their midpoints unless they are flat;
- before version 1.4 a block lasts as long as its longest event, or its delay;
- before version 1.5 an arbitrary gradient does not state its ends: it starts from the value that the block
  before left on its axis, and its last half cell is extrapolated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.extensions import lower_extensions
from spinloom.sequence.shape import Shape, decode
from spinloom.sequence.text import SequenceText
from spinloom.sequence.timeline import (
    AdcEvent,
    GradientEvent,
    Rasters,
    RfEvent,
    RfWaveform,
    Timeline,
)

_USES = {
    "e": "excitation",
    "r": "refocusing",
    "i": "inversion",
    "s": "saturation",
    "p": "preparation",
    "o": "other",
}
_OVERRUN = 1.5e-6
"""Events may end this much after their block [s]: files round times to a microsecond."""

Shapes = Callable[[Any, str], Shape]


def lower_libraries(sequence: Any, text: SequenceText) -> Timeline:
    """The timeline of a pypulseq `sequence` that was read from `text`."""
    rasters = _rasters(sequence)
    shapes = _shape_decoder(sequence)
    waveforms, rf = _lower_rf(sequence, rasters, shapes)
    gradients = {
        int(key): _gradient(int(key), sequence.grad_library.type[key], data, rasters, shapes)
        for key, data in sequence.grad_library.data.items()
    }
    adcs = {int(key): _adc(int(key), data, shapes) for key, data in sequence.adc_library.data.items()}
    table = np.array([np.asarray(row)[:7] for row in sequence.block_events.values()], dtype=np.int64)
    extensions, block_extension = lower_extensions(sequence, table[:, 6])
    timeline = Timeline(
        version=text.version,
        definitions=_definitions(sequence.definitions),
        rasters=rasters,
        waveforms=waveforms,
        rf=tuple(rf.values()),
        gradients=tuple(gradients.values()),
        adcs=tuple(adcs.values()),
        extensions=extensions,
        block_duration=np.array(list(sequence.block_durations.values()), dtype=np.float64),
        block_rf=_indices(table[:, 1], rf, "RF event"),
        block_gradient=np.stack([_indices(table[:, axis], gradients, "gradient") for axis in (2, 3, 4)]),
        block_adc=_indices(table[:, 5], adcs, "ADC event"),
        block_extension=block_extension,
        source=text.source,
        sha256=text.sha256,
    )
    timeline = _with_gradient_ends(timeline)
    return _with_block_durations(timeline, stated=text.version >= (1, 4, 0))


def _rasters(sequence: Any) -> Rasters:
    named = {
        "RadiofrequencyRasterTime": sequence.rf_raster_time,
        "GradientRasterTime": sequence.grad_raster_time,
        "AdcRasterTime": sequence.adc_raster_time,
        "BlockDurationRaster": sequence.block_duration_raster,
    }
    for name, value in named.items():
        if not (isinstance(value, float) and 0 < value < 1):
            raise SequenceError(f"the definition {name} is {value}; a raster is a positive time below 1 s.")
    return Rasters(*(float(value) for value in named.values()))


def _definitions(definitions: Mapping[str, Any]) -> dict[str, float | tuple[float, ...] | str]:
    plain: dict[str, float | tuple[float, ...] | str] = {}
    for key, value in definitions.items():
        if isinstance(value, np.ndarray):
            plain[key] = tuple(value.tolist())
        else:
            plain[key] = value if isinstance(value, str) else float(value)
    return plain


def _shape_decoder(sequence: Any) -> Shapes:
    decoded: dict[int, Shape] = {}

    def shape(key: Any, user: str) -> Shape:
        index = int(key)
        if index not in decoded:
            if index not in sequence.shape_library.data:
                raise SequenceError(f"{user} refers to shape {index}, which [SHAPES] does not hold.")
            data = sequence.shape_library.data[index]
            decoded[index] = decode(data[1:], int(data[0]), f"shape {index}")
        return decoded[index]

    return shape


def _indices(ids: np.ndarray, events: Mapping[int, Any], what: str) -> np.ndarray:
    """Positions in `events` of the ids that blocks name, -1 where a block names none."""
    position = {key: index for index, key in enumerate(events)} | {0: -1}
    distinct, inverse = np.unique(ids, return_inverse=True)
    for key in distinct.tolist():
        if key not in position:
            block = int(np.flatnonzero(ids == key)[0]) + 1
            raise SequenceError(f"block {block} plays {what} {key}, which the file does not define.")
    return np.array([position[key] for key in distinct.tolist()], dtype=np.int64)[inverse]


def _lower_rf(sequence: Any, rasters: Rasters, shapes: Shapes) -> tuple[tuple[RfWaveform, ...], dict[int, RfEvent]]:
    waveforms: dict[tuple[int, int, int], RfWaveform] = {}
    positions: dict[tuple[int, int, int], int] = {}
    events = {}
    for key, data in sequence.rf_library.data.items():
        form = (int(data[1]), int(data[2]), int(data[3]))
        if form not in waveforms:
            positions[form] = len(waveforms)
            waveforms[form] = _waveform(form, f"RF event {int(key)}", rasters.rf, shapes)
        events[int(key)] = RfEvent(
            waveform=positions[form],
            amplitude=float(data[0]),
            delay=float(data[5]),
            frequency_offset=float(data[8]),
            phase_offset=float(data[9]),
            frequency_ppm=float(data[6]),
            phase_ppm=float(data[7]),
            use=_USES.get(sequence.rf_library.type.get(key, "u"), "undefined"),
        )
    return tuple(waveforms.values()), events


def _waveform(form: tuple[int, int, int], user: str, raster: float, shapes: Shapes) -> RfWaveform:
    magnitude_id, phase_id, time_id = form
    magnitude = shapes(magnitude_id, user)
    phase = shapes(phase_id, user) if phase_id else Shape(np.zeros(1), np.array([magnitude.size]))
    if phase.size != magnitude.size:
        raise SequenceError(f"{user} has {magnitude.size} samples of magnitude and {phase.size} of phase.")
    if time_id < 0:
        raise SequenceError(f"{user} has time shape {time_id}; RF has 0 (its raster) or the id of a shape.")
    if time_id == 0:
        cells, values, turns = _merge_runs(magnitude, phase)
        return RfWaveform(cells * raster, values * np.exp(2j * np.pi * turns), exact=True)
    return _waveform_from_points(magnitude, phase, shapes(time_id, user), user, raster)


def _merge_runs(first: Shape, second: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells and values of two shapes of one size on the union of their constant runs."""
    values, counts = zip(first.runs(), second.runs(), strict=True)
    ends = [np.cumsum(count) for count in counts]
    union = np.union1d(*ends)
    picked = [value[np.searchsorted(end, union)] for value, end in zip(values, ends, strict=True)]
    return np.diff(union, prepend=0), picked[0], picked[1]


def _waveform_from_points(magnitude: Shape, phase: Shape, timing: Shape, user: str, raster: float) -> RfWaveform:
    times, sizes, turns = timing.samples(), magnitude.samples(), phase.samples()
    if times.size != sizes.size:
        raise SequenceError(f"{user} has {sizes.size} samples at {times.size} times.")
    if times.size < 2 or times[0] < 0 or np.any(np.diff(times) <= 0):
        raise SequenceError(f"{user} has a time shape that does not rise from 0 with at least two points.")
    cell = times[1] - times[0]
    if 2 * times[0] == cell and np.all(np.diff(times) == cell):
        return RfWaveform(np.full(times.size, cell * raster), sizes * np.exp(2j * np.pi * turns), exact=True)
    flat = (np.diff(sizes) == 0) & (np.diff(turns) == 0)
    edges = [np.array([0.0, times[0]])] if times[0] > 0 else [times[:1]]
    for start, end, constant in zip(times[:-1], times[1:], flat, strict=True):
        inner = [] if constant else np.arange(np.floor(start) + 1, end)
        edges.append(np.append(inner, end))
    _limit_cells(edges, user)
    borders = np.concatenate(edges)
    middles = (borders[1:] + borders[:-1]) / 2
    values = np.interp(middles, times, sizes, left=0.0) * np.exp(2j * np.pi * np.interp(middles, times, turns))
    ending = np.ceil(times[-1] - 1e-9) - times[-1]
    durations = np.append(np.diff(borders), [ending] if ending > 1e-9 else [])
    return RfWaveform(
        durations * raster, np.append(values, [0.0] * (durations.size - values.size)), exact=bool(flat.all())
    )


def _limit_cells(edges: list[np.ndarray], user: str) -> None:
    cells = sum(edge.size for edge in edges)
    if cells > 10_000_000:
        raise SequenceError(f"{user} varies over {cells:,} raster cells; at most 10,000,000 are simulated.")


def _gradient(key: int, kind: str, data: Any, rasters: Rasters, shapes: Shapes) -> GradientEvent:
    user = f"gradient {key}"
    amplitude = float(data[0])
    if kind == "t":
        rise, flat, fall, delay = (float(value) for value in data[1:5])
        if min(rise, flat, fall, delay) < 0:
            raise SequenceError(f"{user} has a negative time among rise, flat, fall and delay: {data[1:5]}.")
        knots = (0.0, rise, rise + flat, rise + flat + fall)
        return GradientEvent("trapezoid", amplitude, delay, knots, None, None, False, 0.0, 0.0, rasters.gradient)
    first, last, shape_id, time_id, delay = data[1], data[2], int(data[3]), int(data[4]), float(data[5])
    waveform = shapes(shape_id, user)
    timing = shapes(time_id, user) if time_id > 0 else None
    if timing is not None and timing.size != waveform.size:
        raise SequenceError(f"{user} has {waveform.size} samples at {timing.size} times.")
    if time_id < -1:
        raise SequenceError(f"{user} has time shape {time_id}; gradients have 0, -1 or the id of a shape.")
    return GradientEvent(
        kind="arbitrary" if timing is None else "extended",
        amplitude=amplitude,
        delay=delay,
        knots=None,
        waveform=waveform,
        timing=timing,
        oversampled=time_id == -1,
        first=float("nan") if first is None else float(first),
        last=float("nan") if last is None else float(last),
        raster=rasters.gradient,
    )


def _adc(key: int, data: Any, shapes: Shapes) -> AdcEvent:
    samples, dwell, delay = int(data[0]), float(data[1]), float(data[2])
    if samples < 1 or dwell <= 0 or delay < 0:
        raise SequenceError(
            f"ADC event {key} has {samples} samples every {dwell} s after {delay} s; "
            "it needs at least one sample, a positive dwell time and no negative delay."
        )
    phase_shape = shapes(data[7], f"ADC event {key}") if data[7] else None
    return AdcEvent(
        samples=samples,
        dwell=dwell,
        delay=delay,
        frequency_offset=float(data[5]),
        phase_offset=float(data[6]),
        frequency_ppm=float(data[3]),
        phase_ppm=float(data[4]),
        phase_shape=phase_shape,
    )


def _with_gradient_ends(timeline: Timeline) -> Timeline:
    """Fill in the ends of arbitrary gradients that a file before version 1.5 leaves out."""
    gradients = list(timeline.gradients)
    unknown = [index for index, gradient in enumerate(gradients) if np.isnan(gradient.first)]
    for index in sorted(unknown, key=lambda event: _first_play(timeline, event)):
        axis, block = _first_play(timeline, index)[::-1]
        waveform = gradients[index].waveform
        assert waveform is not None
        samples = gradients[index].amplitude * waveform.samples()
        extrapolated = samples[-1] if samples.size < 2 else (3 * samples[-1] - samples[-2]) / 2
        gradients[index] = replace(
            gradients[index],
            first=_left_behind(timeline, gradients, axis, block),
            last=float(samples[-1] if gradients[index].timing is not None else extrapolated),
        )
    return replace(timeline, gradients=tuple(gradients))


def _first_play(timeline: Timeline, event: int) -> tuple[int, int]:
    """Block and axis that play a gradient first; (-1, 0) where none does."""
    axes, blocks = np.nonzero(timeline.block_gradient == event)
    if not blocks.size:
        return -1, 0
    earliest = int(np.argmin(blocks))
    return int(blocks[earliest]), int(axes[earliest])


def _left_behind(timeline: Timeline, gradients: list[GradientEvent], axis: int, block: int) -> float:
    """Gradient that the block before `block` leaves on `axis` at its end [Hz/m]."""
    before = int(timeline.block_gradient[axis, block - 1]) if block > 0 else -1
    if before < 0 or gradients[before].knots is not None:
        return 0.0
    ends_with_block = gradients[before].duration >= timeline.block_duration[block - 1] - 1e-9
    return gradients[before].last if ends_with_block and np.isfinite(gradients[before].last) else 0.0


def _with_block_durations(timeline: Timeline, stated: bool) -> Timeline:
    """Check that events fit their blocks; before version 1.4 let the events stretch them."""
    events = np.zeros(len(timeline))
    rf_ends = [event.delay + timeline.waveforms[event.waveform].duration for event in timeline.rf]
    for ends, table in (
        (rf_ends, timeline.block_rf),
        *(([gradient.duration for gradient in timeline.gradients], row) for row in timeline.block_gradient),
        ([adc.duration for adc in timeline.adcs], timeline.block_adc),
    ):
        np.maximum(events, np.append(ends, 0.0)[table], out=events)
    if not stated:
        return replace(timeline, block_duration=np.round(np.maximum(timeline.block_duration, events), 12))
    late = np.flatnonzero(events > timeline.block_duration + _OVERRUN)
    if late.size:
        block = int(late[0])
        raise SequenceError(
            f"block {block + 1} lasts {timeline.block_duration[block]:.9g} s, but its events end after "
            f"{events[block]:.9g} s; its stated duration is too short."
        )
    return replace(timeline, block_duration=np.round(timeline.block_duration, 12))
