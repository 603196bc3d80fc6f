"""Facts of sequences and runs in the words of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spinloom.sequence.facts import SequenceFacts


def sequence_rows(facts: SequenceFacts) -> dict[str, str]:
    """What a report says of a sequence, by name."""
    rf = facts.rf
    rows = {
        "File": facts.source.rsplit("/", 1)[-1],
        "Pulseq version": facts.version,
        "Duration": f"{facts.duration:.2f} s in {facts.blocks:,} blocks",
        "RF": f"{rf.blocks:,} pulses, {len(rf.pulses)} distinct by shape and amplitude",
        "B1": f"peak {rf.b1_peak_ut:.3g} µT, RMS {rf.b1_rms_on_ut:.4g} µT while on",
        "Readouts": f"{facts.adc_events} ADC events, {facts.adc_samples} samples",
        "SHA-256": facts.sha256,
    }
    offsets = [offset for offset in rf.offsets_ppm if offset == offset]
    if offsets:
        rows["Offsets"] = f"{len(offsets)}, from {min(offsets):.4g} to {max(offsets):.4g} ppm"
    return rows


def provenance_facts(record: Mapping[str, Any]) -> dict[str, str]:
    """What a report says of where a run came from, by name; `record` is the content of its `run.json`."""
    git = record["git"] or {}
    revision = f"{git['repository']} {git['revision']}{', changed' if git['changed'] else ''}" if git else "none"
    return {
        "Command": " ".join(record["command"]),
        "Started": record["started"],
        "Revision of the working directory": revision,
        "Versions": ", ".join(f"{name} {number}" for name, number in record["versions"].items()),
        "Machine": f"{record['machine']['system']}, {record['machine']['processors']} processors",
        "Device": record["device"],
        "Seed": str(record["seed"]),
        "Run": record["run_id"] or "not tracked",
    }
