"""The page of `spinloom sequence info`: facts as aligned lines."""

from __future__ import annotations

import math
from collections.abc import Mapping

from spinloom.commands.table import column_table, field_list
from spinloom.sequence.facts import SequenceFacts
from spinloom.sequence.rf_facts import PulseFacts, RfFacts

_PULSES_SHOWN = 12
_OFFSETS_SHOWN = 100
_HEADER = ("pulse", "played", "duration", "mean B1", "rms B1", "peak B1", "flip angle")


def page(facts: SequenceFacts) -> list[str]:
    """Lines of the page, at most 100 columns wide."""
    rf, gradients = facts.rf, facts.gradients
    peaks = ", ".join(f"{axis} {peak:.4g}" for axis, peak in gradients.peak_mt_m.items())
    fields = [
        ("file", facts.source),
        ("sha256", facts.sha256),
        ("format", f"Pulseq {facts.version}"),
        ("duration", _duration(facts.duration)),
        ("blocks", f"{facts.blocks:,}"),
        ("RF", f"{_count(rf.blocks, 'pulse')}, {_time(rf.duration)} together" if rf.blocks else "none"),
        ("distinct RF", _distinct(rf)),
        ("B1 peak", f"{rf.b1_peak_ut:.5g} uT" if rf.blocks else ""),
        ("B1 rms", _rms(rf)),
        ("RF offsets", _offsets(rf)),
        (
            "gradients",
            f"{gradients.events:,} distinct in {gradients.blocks:,} blocks; peak {peaks} mT/m" if peaks else "none",
        ),
        ("ADC", f"{_count(facts.adc_events, 'event')}, {_count(facts.adc_samples, 'sample')}"),
        ("labels", ", ".join(f"{name} ({count:,})" for name, count in facts.labels.items())),
        ("triggers", ", ".join(facts.triggers)),
        ("soft delays", ", ".join(facts.soft_delays)),
        ("rotations", f"in {_count(gradients.rotated, 'block')}; peaks are before them" if gradients.rotated else ""),
        ("RF shims", f"in {_count(facts.rf_shims, 'block')}" if facts.rf_shims else ""),
    ]
    lines = field_list([(label, value) for label, value in fields if value])
    if rf.pulses:
        lines += ["", *_pulse_table(rf.pulses)]
    if facts.definitions:
        lines += ["", "definitions", *_definitions(facts.definitions)]
    return lines


def _rms(rf: RfFacts) -> str:
    over_all = f"{rf.b1_rms_all_ut:.5g} uT over the whole sequence"
    return f"{rf.b1_rms_on_ut:.5g} uT while RF is on, {over_all}" if rf.blocks else ""


def _distinct(rf: RfFacts) -> str:
    if not rf.pulses:
        return ""
    kinds = (_count(rf.waveforms, "envelope"), _count(len(rf.pulses), "pulse"), _count(rf.events, "event"))
    return "{}, {}, {} with phase and frequency".format(*kinds)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _offsets(rf: RfFacts) -> str:
    """All offsets, in ppm where the field is known and in Hz otherwise; where there are many, their range."""
    values = rf.offsets_ppm if rf.larmor_hz else tuple(value for value in rf.frequencies_hz if math.isfinite(value))
    unit = f"ppm of {rf.larmor_hz / 1e6:.7g} MHz" if rf.larmor_hz else "Hz"
    texts = [f"{round(value, 3) + 0.0:.6g}" for value in values]
    if len(texts) > _OFFSETS_SHOWN:
        texts = [f"{len(texts):,} from {texts[0]} to {texts[-1]}"]
    unknown = "some in ppm of a field that the file does not state" if len(values) < len(rf.frequencies_hz) else ""
    return "; ".join(part for part in (f"{', '.join(texts)} {unit}" if texts else "", unknown) if part)


def _pulse_table(pulses: tuple[PulseFacts, ...]) -> list[str]:
    rows = [
        (
            pulse.use,
            f"{pulse.played:,}",
            _time(pulse.duration),
            f"{pulse.b1_mean_ut:.5g} uT",
            f"{pulse.b1_rms_ut:.5g} uT",
            f"{pulse.b1_peak_ut:.5g} uT",
            f"{pulse.flip_deg:,.1f} deg",
        )
        for pulse in pulses[:_PULSES_SHOWN]
    ]
    lines = column_table(_HEADER, rows, notes=[""] * len(rows))
    left_out = len(pulses) - len(rows)
    return [*lines, f"and {left_out:,} more; --json has all"] if left_out else lines


def _definitions(definitions: Mapping[str, float | tuple[float, ...] | str]) -> list[str]:
    return field_list([(f"  {name}", _definition(value) or "-") for name, value in sorted(definitions.items())])


def _definition(value: float | tuple[float, ...] | str) -> str:
    if isinstance(value, tuple):
        return " ".join(f"{item:.9g}" for item in value)
    return value.strip() if isinstance(value, str) else f"{value:.9g}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    clock = f" ({minutes:.0f} min {rest:.1f} s)" if minutes else ""
    return f"{_time(seconds)}{clock}"


def _time(seconds: float) -> str:
    for least, unit, scale in ((1.0, "s", 1.0), (1e-3, "ms", 1e3)):
        if seconds >= least:
            return f"{seconds * scale:.7g} {unit}"
    return f"{seconds * 1e6:.7g} us"
