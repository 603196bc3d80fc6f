"""The RF of a sequence at a glance: its distinct pulses, amplitudes and frequency offsets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinloom.sequence.timeline import Timeline
from spinloom.units import MICROTESLA, PPM, PROTON_GAMMA_BAR


@dataclass(frozen=True)
class PulseFacts:
    """A distinct pulse, whatever its phase and frequency.

    played: how many blocks play it
    duration: of its envelope [s]
    b1_mean_ut, b1_rms_ut, b1_peak_ut: magnitude of the mean, root mean square and peak over the duration [uT]
    flip_deg: flip angle on resonance [degrees]; passes 360 where the pulse turns many times
    use: excitation, refocusing, inversion, saturation, preparation, other or undefined
    """

    played: int
    duration: float
    b1_mean_ut: float
    b1_rms_ut: float
    b1_peak_ut: float
    flip_deg: float
    use: str


@dataclass(frozen=True)
class RfFacts:
    """All RF that a timeline plays.

    larmor_hz: Larmor frequency that the file states, in FREQ [MHz] or else B0 [T]; None where it states neither
    pulses: distinct pulses, in the order of the file
    waveforms, events: distinct envelopes, and distinct envelopes with amplitude, phase and frequency
    blocks, duration: blocks that play RF of any amplitude, and the time that they take together [s]
    b1_peak_ut: largest amplitude [uT]
    b1_rms_on_ut, b1_rms_all_ut: root mean square while RF is on, and over the whole sequence [uT]
    frequencies_hz: distinct frequency offsets, rising; NaN last for those in ppm of a field that is not stated
    """

    larmor_hz: float | None
    pulses: tuple[PulseFacts, ...]
    waveforms: int
    events: int
    blocks: int
    duration: float
    b1_peak_ut: float
    b1_rms_on_ut: float
    b1_rms_all_ut: float
    frequencies_hz: tuple[float, ...]

    @property
    def offsets_ppm(self) -> tuple[float, ...]:
        """The `frequencies_hz` in ppm of the stated Larmor frequency; empty where none is stated."""
        return tuple(value / (self.larmor_hz * PPM) for value in self.frequencies_hz) if self.larmor_hz else ()


def rf_facts(timeline: Timeline) -> RfFacts:
    """Count and measure the RF of `timeline`, over its distinct events."""
    larmor = stated_larmor(timeline)
    played = np.bincount(timeline.block_rf[timeline.block_rf >= 0], minlength=len(timeline.rf))
    pulses = tuple(_pulses(timeline, played))
    sounding = [pulse for pulse in pulses if pulse.b1_peak_ut > 0]
    duration = sum(pulse.played * pulse.duration for pulse in sounding)
    energy = sum(pulse.played * pulse.duration * pulse.b1_rms_ut**2 for pulse in sounding)
    return RfFacts(
        larmor_hz=larmor,
        pulses=pulses,
        waveforms=len({timeline.rf[index].waveform for index in np.flatnonzero(played)}),
        events=int((played > 0).sum()),
        blocks=sum(pulse.played for pulse in sounding),
        duration=duration,
        b1_peak_ut=max((pulse.b1_peak_ut for pulse in sounding), default=0.0),
        b1_rms_on_ut=float(np.sqrt(energy / duration)) if duration else 0.0,
        b1_rms_all_ut=float(np.sqrt(energy / timeline.duration)) if timeline.duration else 0.0,
        frequencies_hz=_frequencies(timeline, played, larmor),
    )


def stated_larmor(timeline: Timeline) -> float | None:
    """Larmor frequency [Hz] by the definitions FREQ [MHz] or B0 [T], the first that is a positive number."""
    for name, unit in (("FREQ", 1e6), ("B0", PROTON_GAMMA_BAR)):
        value = timeline.definitions.get(name)
        if isinstance(value, float) and np.isfinite(value) and value > 0:
            return value * unit
    return None


def _pulses(timeline: Timeline, played: np.ndarray) -> list[PulseFacts]:
    """One entry for each envelope, amplitude and use that is played."""
    counts: dict[tuple[int, float, str], int] = {}
    for event, count in zip(timeline.rf, played.tolist(), strict=True):
        if count:
            kind = (event.waveform, abs(event.amplitude), event.use)
            counts[kind] = counts.get(kind, 0) + count
    return [_pulse(timeline, *kind, count) for kind, count in counts.items()]


def _pulse(timeline: Timeline, waveform: int, amplitude: float, use: str, played: int) -> PulseFacts:
    shape = timeline.waveforms[waveform]
    microtesla = amplitude / PROTON_GAMMA_BAR / MICROTESLA
    return PulseFacts(
        played=played,
        duration=shape.duration,
        b1_mean_ut=microtesla * abs(shape.area) / shape.duration,
        b1_rms_ut=microtesla * float(np.sqrt(shape.power / shape.duration)),
        b1_peak_ut=microtesla * shape.peak,
        flip_deg=360 * amplitude * abs(shape.area),
        use=use,
    )


def _frequencies(timeline: Timeline, played: np.ndarray, larmor: float | None) -> tuple[float, ...]:
    heard = [timeline.rf[index] for index in np.flatnonzero(played) if timeline.rf[index].amplitude != 0]
    values = [event.frequency(larmor or np.nan) if event.frequency_ppm else event.frequency_offset for event in heard]
    return tuple(np.unique(np.array(values, dtype=np.float64)).tolist())
