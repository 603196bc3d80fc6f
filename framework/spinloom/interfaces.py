"""The nouns that pass between rooms and plugins: what a simulator needs, what it is given, what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from spinloom.errors import RequirementError
from spinloom.sequence.timeline import Label, Timeline
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.pools import Tissue

if TYPE_CHECKING:
    from spinloom.evaluation.report_content import Section
    from spinloom.reconstruction.image import Image

Subject = Tissue | Phantom
"""What is simulated: a batch of tissues (voxels without a place), or a phantom (a grid)."""


@dataclass(frozen=True, eq=False)
class Signal:
    """What a simulator returns: the magnetisation of water at every ADC sample, in the file's order.

    mz: longitudinal magnetisation, in units of the water's equilibrium, shape `(*batch, samples)`; may be negative
    mxy: complex transverse magnetisation in the Larmor frame, same units, shape `(*batch, samples)`
    time: of each sample from the start of the sequence [s], shape `(samples,)`
    measurement: index of the ADC event that took each sample, shape `(samples,)`
    offset_ppm: frequency offset of the saturation before each measurement, in ppm of the subject's Larmor
        frequency, NaN where no RF was played; shape `(measurements,)`
    notes: sentences on what was idealised or approximated, for the report
    """

    mz: Tensor
    mxy: Tensor
    time: np.ndarray
    measurement: np.ndarray
    offset_ppm: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def measurements(self) -> int:
        """Number of ADC events."""
        return self.offset_ppm.size

    def first_samples(self) -> np.ndarray:
        """Index of the first sample of each measurement, shape `(measurements,)`."""
        return np.flatnonzero(np.diff(self.measurement, prepend=-1))


@dataclass(frozen=True, eq=False)
class KSpace:
    """What a simulator returns for a phantom: transverse magnetisation at every ADC sample, in the file's order.

    samples: complex, mean over the phantom's field of view of the magnetisation weighted by each coil's sensitivity,
        demodulated by the phase and frequency of its ADC event; shape `(coils, samples)`
    time: of each sample from the start of the sequence [s], shape `(samples,)`
    measurement: index of the ADC event that took each sample, shape `(samples,)`
    trajectory: gradient moment since the last excitation, its sign turned by refocusing [cycles/m], along x, y, z;
        shape `(samples, 3)`
    labels: of each ADC event, by Pulseq's names such as LIN, shape `(measurements,)`
    fov: of the phantom along x, y, z [m]
    notes: sentences on what was idealised or approximated, for the report
    """

    samples: Tensor
    time: np.ndarray
    measurement: np.ndarray
    trajectory: np.ndarray
    labels: Mapping[str, np.ndarray]
    fov: tuple[float, float, float]
    notes: tuple[str, ...] = ()

    @property
    def measurements(self) -> int:
        """Number of ADC events."""
        return int(self.measurement[-1]) + 1 if self.measurement.size else 0


@dataclass(frozen=True)
class Requirements:
    """What a simulator needs, in data, so that the host refuses a mismatch before any work.

    timeline: parts that the sequence must have, of `rf`, `adc`, `gradients`, `labels`
    subject: kinds of subject that the simulator takes, of `tissue`, `phantom`
    pools: kinds of pools that a tissue must have, of `exchanging`, `semisolid`
    lineshapes: lineshapes of semisolid pools that it solves
    maps: maps that a phantom must have beside those that all have, of `coils`, `pools`
    """

    timeline: frozenset[str] = frozenset()
    subject: frozenset[str] = frozenset({"tissue"})
    pools: frozenset[str] = frozenset()
    lineshapes: frozenset[str] = frozenset()
    maps: frozenset[str] = frozenset()

    def check(self, simulator: str, timeline: Timeline, subject: Subject) -> None:
        """Raise `RequirementError` with a sentence that says what `simulator` misses."""
        for part in sorted(self.timeline - timeline_parts(timeline)):
            raise RequirementError(
                f"Simulator '{simulator}' needs a sequence with {_PARTS[part]}, but {timeline.source} has none."
            )
        kind = "phantom" if isinstance(subject, Phantom) else "tissue"
        if kind not in self.subject:
            raise RequirementError(
                f"Simulator '{simulator}' takes a {' or a '.join(sorted(self.subject))}, but '{subject.name}' is a "
                f"{kind}; choose {sorted(self.subject)[0]}=NAME or another simulator."
            )
        if isinstance(subject, Phantom):
            self._check_phantom(simulator, subject)
        else:
            self._check_tissue(simulator, subject)

    def _check_phantom(self, simulator: str, subject: Phantom) -> None:
        for name in sorted(self.maps):
            if getattr(subject, name) is None:
                raise RequirementError(
                    f"Simulator '{simulator}' needs a phantom with {_MAPS[name]}, but '{subject.name}' has none."
                )
        if subject.pools is not None and "pools" in self.maps:
            self._check_tissue(simulator, subject.pools.tissue)

    def _check_tissue(self, simulator: str, subject: Tissue) -> None:
        for kind in sorted(self.pools):
            if not getattr(subject, kind):
                raise RequirementError(
                    f"Simulator '{simulator}' needs a tissue with {_POOLS[kind]}, but '{subject.name}' has none."
                )
        for pool in subject.semisolid:
            if pool.lineshape not in self.lineshapes:
                raise RequirementError(
                    f"Simulator '{simulator}' does not solve the lineshape '{pool.lineshape}' of pool '{pool.name}' "
                    f"in tissue '{subject.name}'; it solves: {', '.join(sorted(self.lineshapes))}."
                )


_POOLS = {
    "exchanging": "an exchanging pool (`cest_pool: {amide: {f: 0.001, t1: 1, t2: 0.1, k: 50, dw: 3.5}}`)",
    "semisolid": "a semisolid pool (`mt_pool: {f: 0.1, t1: 1, t2: 1e-5, k: 30, dw: 0, lineshape: SuperLorentzian}`)",
}
_MAPS = {"coils": "coil sensitivities (coils=8)", "pools": "pools of saturation transfer (phantom=brain_pools)"}
_PARTS = {"rf": "RF pulses", "adc": "ADC events", "gradients": "gradients", "labels": "labels"}


def timeline_parts(timeline: Timeline) -> frozenset[str]:
    """Which of `rf`, `adc`, `gradients` and `labels` the blocks of a timeline play."""
    played = {int(index) for index in timeline.block_extension if index >= 0}
    present = {
        "rf": bool((timeline.block_rf >= 0).any()),
        "adc": bool((timeline.block_adc >= 0).any()),
        "gradients": bool((timeline.block_gradient >= 0).any()),
        "labels": any(isinstance(item, Label) for index in played for item in timeline.extensions[index]),
    }
    return frozenset(part for part, there in present.items() if there)


@dataclass(frozen=True)
class Numerics:
    """How to compute, never what: everything physical comes from the sequence and the subject.

    dtype, device: of the computation
    options: the simulator's own settings, from the configuration group `simulator`
    progress: called now and then with the tissues of a batch that are done and their number
    """

    dtype: torch.dtype = torch.float64
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    options: Mapping[str, Any] = field(default_factory=dict)
    progress: Callable[[int, int], None] | None = None


@runtime_checkable
class Simulator(Protocol):
    """Exact physics behind one name: a plugin registers a class that is built as `cls(numerics)`."""

    requirements: Requirements

    def __init__(self, numerics: Numerics) -> None: ...

    def simulate(self, timeline: Timeline, subject: Any) -> Signal | KSpace:
        """Play `timeline` on `subject`: the `Signal` of a tissue, or the `KSpace` of a phantom."""
        ...


@runtime_checkable
class Checker(Protocol):
    """A simulator that asks more of a sequence or a subject than `Requirements` can say."""

    def check(self, timeline: Timeline, subject: Any) -> None:
        """Raise `RequirementError` with a sentence that says what is missing and the way out."""
        ...


@runtime_checkable
class Reconstructor(Protocol):
    """A simulator of phantoms that makes images of its k-space in a way of its own."""

    def reconstruct(self, timeline: Timeline, kspace: KSpace) -> Image:
        """The image of `kspace`, which `timeline` measured."""
        ...


@runtime_checkable
class Reporter(Protocol):
    """A simulator that has something of its own to say in the report of a run."""

    def report(self, timeline: Timeline, subject: Any, signal: Any) -> tuple[Section, ...]:
        """Sections that follow the picture of the signal."""
        ...


@dataclass(frozen=True)
class Input:
    """A number that a network is given, and the range within which it may be trusted.

    low, high: ends of the range of training in `unit`; they are also what scales the number to 0 .. 1
    logarithmic: whether it is scaled by its logarithm, so that every ratio counts alike; `low` is above 0 then
    """

    name: str
    unit: str
    low: float
    high: float
    logarithmic: bool = False


@runtime_checkable
class Surrogate(Protocol):
    """A neural network that stands in for a simulator: a plugin registers a class that is built as `cls(architecture)`.

    replaces: `step` (one measurement after another), `trajectory` (all measurements at once), `image` or `inverse`
    quantity: what it predicts of each measurement, `mz_over_m0` or `mxy_abs`
    requirements: what sequences and subjects it can stand in for
    inputs: numbers that it is given, in the order of the last axis of `features`
    """

    replaces: str
    quantity: str
    requirements: Requirements
    inputs: tuple[Input, ...]

    def __init__(self, architecture: Mapping[str, Any]) -> None: ...

    def network(self) -> torch.nn.Module:
        """A network with fresh weights, drawn by torch's generator."""
        ...

    def features(self, timeline: Timeline, tissue: Tissue) -> Tensor:
        """The inputs in their units, for each tissue of a flat batch.

        Shape `(tissues, inputs)` where a trajectory is replaced, `(tissues, measurements, inputs)` where a step is;
        differentiable with respect to the tissue
        """
        ...

    def targets(self, signal: Signal) -> Tensor:
        """What the network learns to give, shape `(tissues, measurements)`, from an exact signal of a flat batch."""
        ...

    def loss(self, network: torch.nn.Module, scaled: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of a batch; `scaled` are features of which each input is scaled to 0 .. 1 over its range."""
        ...

    def predict(self, network: torch.nn.Module, scaled: Tensor) -> Tensor:
        """Signals as `targets` has them, running free on the network's own output, shape `(tissues, measurements)`."""
        ...


@dataclass(frozen=True)
class RunInfo:
    """A tracked run as plugins observe it.

    task: what runs, such as `simulate`
    run_id: of the tracking store, or None where the run is not tracked
    output: the folder that will hold the results
    config: the resolved configuration as plain containers
    """

    task: str
    run_id: str | None
    output: Path
    config: Mapping[str, Any]
