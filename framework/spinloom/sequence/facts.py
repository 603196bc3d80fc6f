"""What there is to say of a sequence at a glance: its length, RF, gradients, readouts, labels and definitions.

Everything is counted over distinct events, of which a file has few.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from spinloom.sequence.rf_facts import RfFacts, rf_facts
from spinloom.sequence.rotated import rotated_blocks
from spinloom.sequence.timeline import AXES, Extension, Label, RfShim, SoftDelay, Timeline, Trigger
from spinloom.units import PROTON_GAMMA_BAR


@dataclass(frozen=True)
class GradientFacts:
    """The gradients of a timeline.

    events: distinct ones that are played
    blocks: blocks with a gradient on any axis
    peak_mt_m: largest magnitude on each axis of the file that is played, before rotations [mT/m]
    rotated: blocks that rotate them (extension ROTATIONS)
    """

    events: int
    blocks: int
    peak_mt_m: Mapping[str, float]
    rotated: int


@dataclass(frozen=True)
class SequenceFacts:
    """A timeline in numbers; see `sequence_facts`.

    version: of the Pulseq format
    duration: [s]
    blocks: number of blocks
    adc_events, adc_samples: readouts that are taken, and their samples together
    labels: how many times each label is set or incremented
    triggers: distinct ones that are played, as kind and channel
    soft_delays: hints of those that are played
    rf_shims: blocks that weigh the channels of a transmit array (extension RF_SHIMS)
    definitions: of the file
    """

    source: str
    sha256: str
    version: str
    duration: float
    blocks: int
    rf: RfFacts
    gradients: GradientFacts
    adc_events: int
    adc_samples: int
    labels: Mapping[str, int]
    triggers: tuple[str, ...]
    soft_delays: tuple[str, ...]
    rf_shims: int
    definitions: Mapping[str, float | tuple[float, ...] | str]

    def as_dict(self) -> dict[str, Any]:
        """The facts as containers that JSON knows; what is not a finite number becomes None."""
        facts = asdict(self)
        facts["rf"]["offsets_ppm"] = self.rf.offsets_ppm
        plain: dict[str, Any] = _plain(facts)
        return plain


def sequence_facts(timeline: Timeline) -> SequenceFacts:
    """Count and measure what `timeline` plays."""
    extensions = list(_played_extensions(timeline))
    labels: Counter[str] = Counter()
    for item, count in extensions:
        if isinstance(item, Label):
            labels[item.name] += count
    return SequenceFacts(
        source=timeline.source,
        sha256=timeline.sha256,
        version=".".join(map(str, timeline.version)),
        duration=timeline.duration,
        blocks=len(timeline),
        rf=rf_facts(timeline),
        gradients=_gradient_facts(timeline),
        adc_events=int((timeline.block_adc >= 0).sum()),
        adc_samples=timeline.adc_samples,
        labels=dict(sorted(labels.items())),
        triggers=tuple(sorted({f"{item.kind} {item.channel}" for item, _ in extensions if isinstance(item, Trigger)})),
        soft_delays=tuple(sorted({item.hint for item, _ in extensions if isinstance(item, SoftDelay)})),
        rf_shims=sum(count for item, count in extensions if isinstance(item, RfShim)),
        definitions=dict(timeline.definitions),
    )


def _played_extensions(timeline: Timeline) -> Iterator[tuple[Extension, int]]:
    """Each extension of each distinct list, and how many blocks play the list."""
    played = timeline.block_extension[timeline.block_extension >= 0]
    counts = np.bincount(played, minlength=len(timeline.extensions)).tolist()
    for items, count in zip(timeline.extensions, counts, strict=True):
        if count:
            yield from ((item, count) for item in items)


def _gradient_facts(timeline: Timeline) -> GradientFacts:
    played = {axis: set(row[row >= 0].tolist()) for axis, row in zip(AXES, timeline.block_gradient, strict=True)}
    distinct = set().union(*played.values())
    peaks = {event: float(np.abs(timeline.gradients[event].points()[1]).max()) for event in distinct}
    return GradientFacts(
        events=len(distinct),
        blocks=int((timeline.block_gradient >= 0).any(axis=0).sum()),
        rotated=int(rotated_blocks(timeline).sum()),
        peak_mt_m={
            axis: max(peaks[event] for event in events) / PROTON_GAMMA_BAR * 1e3
            for axis, events in played.items()
            if events
        },
    )


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value
