"""From pypulseq's event libraries to a `Timeline`: each distinct event decoded once, each id looked up once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.definitions import read_definitions, stated_rasters
from spinloom.sequence.libraries import read_libraries
from spinloom.sequence.lowering.blocks import block_durations, event_indices, refuse_missing_time
from spinloom.sequence.lowering.extensions import lower_extensions
from spinloom.sequence.lowering.gradients import lower_gradients, with_ends
from spinloom.sequence.lowering.readouts import lower_readouts
from spinloom.sequence.lowering.rf import lower_rf
from spinloom.sequence.lowering.shapes import Shapes
from spinloom.sequence.shape_section import read_shapes
from spinloom.sequence.tables import check_tables
from spinloom.sequence.text import SequenceText
from spinloom.sequence.timeline import Rasters, Timeline


def lower(text: SequenceText) -> Timeline:
    """Turn the text of a `.seq` file into a timeline; raise `SequenceError` naming the line or event that is wrong."""
    check_tables(text)
    shapes = read_shapes(text)
    try:
        return _lower(text, Shapes(shapes))
    except SequenceError as error:
        named = str(error).startswith(text.source)
        raise error if named else SequenceError(f"{text.source}: {error}") from None


def _lower(text: SequenceText, shapes: Shapes) -> Timeline:
    definitions = read_definitions(text)
    sequence = read_libraries(text, stated_rasters(definitions, text.source))
    rasters = Rasters(
        rf=float(sequence.rf_raster_time),
        gradient=float(sequence.grad_raster_time),
        adc=float(sequence.adc_raster_time),
        block=float(sequence.block_duration_raster),
    )
    waveforms, rf = lower_rf(sequence, rasters.rf, shapes, stated=text.version >= (1, 5, 0))
    gradients = lower_gradients(sequence, rasters.gradient, shapes)
    adcs = lower_readouts(sequence, shapes)
    numbers = np.array(list(sequence.block_events), dtype=np.int64)
    table = np.array([np.asarray(row)[:7] for row in sequence.block_events.values()], dtype=np.int64)
    extensions, block_extension = lower_extensions(text, table[:, 6])
    timeline = Timeline(
        version=text.version,
        definitions=definitions,
        rasters=rasters,
        waveforms=waveforms,
        rf=tuple(rf.values()),
        gradients=tuple(gradients.values()),
        adcs=tuple(adcs.values()),
        extensions=extensions,
        block_duration=np.array(list(sequence.block_durations.values()), dtype=np.float64),
        block_rf=event_indices(table[:, 1], numbers, rf, "RF event"),
        block_gradient=np.stack([event_indices(table[:, axis], numbers, gradients, "gradient") for axis in (2, 3, 4)]),
        block_adc=event_indices(table[:, 5], numbers, adcs, "ADC event"),
        block_extension=block_extension,
        source=text.source,
        sha256=text.sha256,
    )
    timeline = replace(timeline, block_duration=block_durations(timeline, numbers))
    refuse_missing_time(timeline)
    return replace(timeline, gradients=with_ends(timeline))
