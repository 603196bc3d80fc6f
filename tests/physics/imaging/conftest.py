"""Sequences built from values, exact to rounding, and phantoms of equal voxels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from spinloom.sequence.timeline import AXES, AdcEvent, GradientEvent, Rasters, RfEvent, RfWaveform, Timeline
from spinloom.tissue.phantom import Phantom

INSTANT = 1e-9
"""Length of hard pulses and of the dwell time of single samples [s]: nothing decays by more than 1e-6 meanwhile."""


class Train:
    """A sequence that grows by a pulse, a wait or a readout at a time; gradients are rectangles."""

    def __init__(self) -> None:
        self._found: dict[str, dict[Any, Any]] = {"waveform": {}, "rf": {}, "gradient": {}, "adc": {}}
        self._numbers: list[list[int]] = []
        self._durations: list[float] = []

    def pulse(
        self,
        flip: float,
        phase: float = 0.0,
        use: str = "excitation",
        shape: np.ndarray | None = None,
        duration: float = INSTANT,
        frequency: float = 0.0,
        **gradients: float,
    ) -> Train:
        """A pulse of `flip` and `phase` [deg] under `gradients` [Hz/m]; without a shape, constant."""
        values = np.ones(1) if shape is None else shape
        key = (values.tobytes(), duration)
        waveform = RfWaveform(np.full(values.size, duration / values.size), values + 0j, exact=True)
        amplitude = np.radians(flip) / (2 * np.pi * duration * values.mean())
        number = self._number("waveform", key, waveform)
        event = RfEvent(number, amplitude, 0.0, frequency, np.radians(phase), 0.0, 0.0, use)
        return self._block(duration, {axis: size * duration for axis, size in gradients.items()}, rf=event)

    def wait(self, duration: float, **moments: float) -> Train:
        """Nothing for `duration` [s], but gradients of `moments` [cycles/m]."""
        return self._block(duration, moments)

    def read(self, samples: int = 1, dwell: float = 2 * INSTANT, **steps: float) -> Train:
        """Samples with `steps` of k from one to the next [cycles/m], the first half a step after the begin."""
        adc = AdcEvent(samples, dwell, 0.0, 0.0, 0.0, 0.0, 0.0, None)
        return self._block(samples * dwell, {axis: samples * step for axis, step in steps.items()}, adc=adc)

    def again(self, times: int) -> Train:
        """What has been built so far, played `times` times in all."""
        self._numbers, self._durations = self._numbers * times, self._durations * times
        return self

    def timeline(self) -> Timeline:
        """The sequence as a timeline."""
        table = np.array(self._numbers)
        return Timeline(
            version=(1, 5, 0),
            definitions={},
            rasters=Rasters(1e-6, 1e-5, 1e-7, 1e-5),
            waveforms=tuple(self._found["waveform"].values()),
            rf=tuple(self._found["rf"].values()),
            gradients=tuple(self._found["gradient"].values()),
            adcs=tuple(self._found["adc"].values()),
            extensions=(),
            block_duration=np.array(self._durations),
            block_rf=table[:, 0].copy(),
            block_gradient=table[:, 1:4].T.copy(),
            block_adc=table[:, 4].copy(),
            block_extension=np.full(len(table), -1),
            source="a train built from values",
            sha256="",
        )

    def _block(
        self, duration: float, moments: dict[str, float], rf: RfEvent | None = None, adc: AdcEvent | None = None
    ) -> Train:
        row = [-1] * 5 if rf is None else [self._number("rf", rf, rf), -1, -1, -1, -1]
        for axis, moment in moments.items():
            if moment:
                knots = (0.0, 0.0, duration, duration)
                values = ("trapezoid", moment / duration, 0.0, knots, None, None, False, 0.0, 0.0, 1e-5)
                row[1 + AXES.index(axis)] = self._number("gradient", values, GradientEvent(*values))
        if adc is not None:
            row[4] = self._number("adc", (adc.samples, adc.dwell), adc)
        self._numbers.append(row)
        self._durations.append(duration)
        return self

    def _number(self, kind: str, key: Any, value: Any) -> int:
        self._found[kind].setdefault(key, value)
        return list(self._found[kind]).index(key)


@pytest.fixture
def train() -> Train:
    """An empty sequence to build upon."""
    return Train()


@pytest.fixture
def phantom() -> Callable[..., Phantom]:
    """Makes phantoms in double precision from numbers, or from arrays that broadcast to the shape."""

    def make(
        shape: tuple[int, int, int] = (1, 24, 24),
        fov: tuple[float, float, float] = (0.2, 0.2, 0.005),
        coils: Any = None,
        **maps: Any,
    ) -> Phantom:
        values = {"m0": 1.0, "t1": 1.0, "t2": 0.1, "b0": 0.0, "b1": 1.0} | maps
        filled = {name: torch.as_tensor(value, dtype=torch.float64).expand(shape) for name, value in values.items()}
        received = None if coils is None else torch.as_tensor(coils, dtype=torch.complex128)
        return Phantom("test", fov, coils=received, **filled)

    return make


@pytest.fixture
def watch() -> Callable[..., torch.Tensor]:
    """Makes coils each of which receives the first row's voxel of one column alone, as if it were the whole phantom."""

    def coils(columns: list[int], shape: tuple[int, int, int] = (1, 24, 24)) -> torch.Tensor:
        received = torch.zeros(len(columns), *shape, dtype=torch.complex128)
        for coil, column in enumerate(columns):
            received[coil, 0, 0, column] = float(np.prod(shape))
        return received

    return coils
