"""The exact CEST simulator: a `.seq` played on a batch of tissues by the Bloch-McConnell equations."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spinloom import Numerics, Requirements, Signal, Timeline, Tissue
from spinloom.errors import ConfigurationError
from spinloom.physics.accuracy import Sampling, choose_sampling
from spinloom.physics.bloch_mcconnell import SOLVED_LINESHAPES, Layout
from spinloom.physics.propagation import Propagators, play
from spinloom.sequence.saturation import saturation_offsets
from spinloom.sequence.steps import StepProgram, step_program
from spinloom.units import PPM

PROPAGATOR_BUDGET = 512 * 2**20
"""Bytes that the propagators of one chunk of tissues may take; longer batches are simulated in chunks."""


class CestSimulator:
    """Water, any number of exchanging pools and semisolid pools; options `rtol` and `cells` choose the sampling.

    rtol: largest error of the signal by the sampling of pulses, in units of the equilibrium magnetisation
    cells: a fixed number of cells a pulse instead, or `all` for every sample of the file
    """

    requirements = Requirements(
        timeline=frozenset({"rf", "adc"}), subject=frozenset({"tissue"}), lineshapes=SOLVED_LINESHAPES
    )

    def __init__(self, numerics: Numerics) -> None:
        self._numerics = numerics
        self._rtol = _positive(numerics.options.get("rtol", 1e-6))
        self._cells = _cells(numerics.options.get("cells"))

    def simulate(self, timeline: Timeline, subject: Tissue) -> Signal:
        """Play `timeline` on `subject`; differentiable with respect to every parameter of the tissue."""
        tissue = subject.flatten().to(torch.float64, self._numerics.device)
        program = step_program(timeline)
        sampling = self._sampling(program, timeline, tissue)
        chunk = _chunk_size(timeline, tissue)
        parts = [
            self._play(program, timeline, tissue[start : start + chunk], sampling)
            for start in range(0, int(tissue.batch_shape.numel()), chunk)
        ]
        shape = (*subject.batch_shape, program.time.size)
        offsets, note = _offsets_ppm(timeline, tissue)
        return Signal(
            mz=torch.cat([mz for mz, _ in parts]).reshape(shape),
            mxy=torch.cat([mxy for _, mxy in parts]).reshape(shape),
            time=program.time,
            measurement=program.measurement,
            offset_ppm=offsets,
            notes=(*program.notes, sampling.sentence(), *note),
        )

    def _sampling(self, program: StepProgram, timeline: Timeline, tissue: Tissue) -> Sampling:
        if self._cells is None:
            return choose_sampling(program, timeline, tissue, self._rtol)
        return Sampling(None if self._cells == "all" else int(self._cells), float("nan"))

    def _play(
        self, program: StepProgram, timeline: Timeline, tissue: Tissue, sampling: Sampling
    ) -> tuple[Tensor, Tensor]:
        return play(program, timeline, tissue, Propagators(timeline, tissue, sampling.cells), self._numerics.dtype)


def _chunk_size(timeline: Timeline, tissue: Tissue) -> int:
    """Tissues whose propagators fit the budget together."""
    distinct = len({(event.waveform, event.amplitude, event.frequency_offset) for event in timeline.rf}) + 8
    return max(1, PROPAGATOR_BUDGET // (distinct * Layout.of(tissue).size ** 2 * 8))


def _offsets_ppm(timeline: Timeline, tissue: Tissue) -> tuple[np.ndarray, tuple[str, ...]]:
    """Offsets [ppm] of the measurements; the file's own list where it says the same more cleanly."""
    larmor = float(tissue.larmor.detach().mean())
    played = saturation_offsets(timeline, larmor) / (larmor * PPM)
    stated = np.atleast_1d(np.asarray(timeline.definitions.get("offsets_ppm", ()), dtype=object))
    if stated.size != played.size or not all(isinstance(value, float) for value in stated):
        return played, ()
    listed = stated.astype(np.float64)
    silent = np.isnan(played)
    if np.all(np.abs(played - listed)[~silent] <= 1e-3 * np.maximum(1.0, np.abs(listed[~silent]) / 100)):
        return np.where(silent, np.nan, listed), ()
    return played, (
        f"The file lists offsets for another field: its RF plays {np.nanmin(played):.4g} to {np.nanmax(played):.4g} "
        f"ppm of the tissue's {larmor / 1e6:.4f} MHz. Offsets are given for the tissue's field.",
    )


def _positive(value: object) -> float:
    if not isinstance(value, int | float) or not value > 0:
        raise ConfigurationError(f"simulator.rtol is {value!r}; it is a positive number such as 1e-6.")
    return float(value)


def _cells(value: object) -> int | str | None:
    if value is None or value == "all" or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value  # type: ignore[return-value]
    raise ConfigurationError(f"simulator.cells is {value!r}; it is null, 'all' or a positive whole number.")
