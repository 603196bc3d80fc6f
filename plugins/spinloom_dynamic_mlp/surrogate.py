"""One step of a two-pool saturation protocol: tissue, step and signal before in, signal after out.

    S(i + 1) = network(tissue, step i, S(i)),   S(0) = 1

The published network has 14 inputs and two hidden layers of 256 with sigmoids, and learns with the true signal before
(teacher forcing), while it runs free on its own output in use (Nagar et al. 2023,
https://doi.org/10.1038/s41598-023-45548-8).  Layers and parameters are the published ones here too, 69,889.  What
differs by default is how numbers reach them: relaxation times, fraction and rate by their logarithm, all centred.
`unrolled` adds to the loss that of running free over a number of steps, so that it learns from its own errors too.

The magnitude at the readout is all that a step is told of the one before: the transverse phase is not among the inputs,
nor what the solute remembers.  So saturations should end on whole turns of their offset (`cest_fingerprint`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from spinloom import (
    ConfigurationError,
    ExchangingPool,
    Input,
    RequirementError,
    Requirements,
    SemisolidPool,
    Signal,
    Timeline,
    Tissue,
    saturation_protocol,
)

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "silu": nn.SiLU, "gelu": nn.GELU, "tanh": nn.Tanh}


class Centred(nn.Module):
    """Numbers between 0 and 1 as numbers between -spread and spread."""

    def __init__(self, spread: float) -> None:
        super().__init__()
        self._spread = spread

    def forward(self, scaled: Tensor) -> Tensor:
        """The numbers, of any shape."""
        return (2 * self._spread) * scaled - self._spread


class DynamicMlp:
    """Architecture of the network.

    hidden: widths of the layers
    activation: between them, one of `ACTIVATIONS`
    unrolled: steps of running free in the loss, 0 for teacher forcing alone, as published
    spread: inputs reach the layers between -spread and spread, 0 for 0 .. 1, as published
    logarithmic: names of inputs that are scaled by their logarithm, none as published
    ranges: of inputs by name, where training covers less than was published
    """

    replaces = "step"
    quantity = "mxy_abs"
    requirements = Requirements(
        timeline=frozenset({"rf", "adc"}),
        subject=frozenset({"tissue"}),
        lineshapes=frozenset({"lorentzian", "superlorentzian", "gaussian"}),
    )
    inputs: tuple[Input, ...] = (
        Input("water T1", "s", 1.3, 3.4),
        Input("water T2", "s", 0.04, 1.2),
        Input("solute T1", "s", 1.3, 3.4),
        Input("solute T2", "s", 1e-5, 0.04),
        Input("solute fraction", "1", 20 / 111e3, 30e3 / 110e3),
        Input("exchange rate", "1/s", 5.0, 1500.0),
        Input("B1", "uT", 0.0, 6.0),
        Input("saturation", "s", 0.0, 10.0),
        Input("recovery", "s", 0.0, 10.0),
        Input("field", "T", 3.0, 11.7),
        Input("flip angle", "deg", 60.0, 90.0),
        Input("solute shift", "ppm", -3.5, 4.3),
        Input("RF offset", "ppm", -3.5, 20.0),
    )

    def __init__(self, architecture: Mapping[str, Any]) -> None:
        self._hidden = tuple(int(width) for width in architecture.get("hidden", (256, 256)))
        self._activation = str(architecture.get("activation", "sigmoid"))
        self._unrolled = int(architecture.get("unrolled", 0))
        if self._activation not in ACTIVATIONS:
            known = ", ".join(sorted(ACTIVATIONS))
            raise ConfigurationError(f"surrogate.activation is '{self._activation}'; it is one of {known}.")
        self._spread = float(architecture.get("spread", 0.0))
        if not self._hidden or min(self._hidden) < 1 or self._unrolled < 0 or self._spread < 0:
            raise ConfigurationError(
                "surrogate.hidden are widths of layers from 1, surrogate.unrolled steps from 0, surrogate.spread is 0 "
                "or more."
            )
        self.inputs = _inputs(self.inputs, architecture.get("ranges") or {}, architecture.get("logarithmic") or ())

    def network(self) -> nn.Module:
        """The layers; the output ends in a sigmoid, for a magnitude lies between 0 and 1."""
        widths = [len(self.inputs) + 1, *self._hidden]
        layers: list[nn.Module] = [Centred(self._spread)] if self._spread else []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), ACTIVATIONS[self._activation]()]
        return nn.Sequential(*layers, nn.Linear(widths[-1], 1), nn.Sigmoid())

    def check(self, timeline: Timeline, tissue: Tissue) -> None:
        """Raise `RequirementError` where the steps of a tissue do not follow from each other, from equilibrium on."""
        _solute(tissue)
        if tissue.reset:
            raise RequirementError(
                f"Surrogate 'dynamic_mlp' plays each step on the one before, but '{tissue.name}' begins anew after "
                "each readout; set tissue.reset_init_mag=false."
            )
        if not bool((tissue.initial_scale == 1).all()):
            raise RequirementError(
                f"Surrogate 'dynamic_mlp' begins at equilibrium, but '{tissue.name}' does not; set tissue.scale=1."
            )
        _refuse_field_shift(tissue)

    def features(self, timeline: Timeline, tissue: Tissue) -> Tensor:
        """The 13 inputs of each step but the signal before, shape `(tissues, measurements, 13)`.

        B1 and flip angle are those that the tissue's relative B1 leaves.
        """
        water, solute = tissue.water, _solute(tissue)
        _refuse_field_shift(tissue)
        larmor = float(tissue.larmor.detach().mean())
        protocol = saturation_protocol(timeline, larmor)
        own = torch.stack(torch.broadcast_tensors(water.t1, water.t2, solute.t1, solute.t2, solute.f, solute.k), dim=-1)
        offset = torch.from_numpy(protocol.frequency).to(own) / (tissue.larmor.to(own)[:, None] * 1e-6)
        steps = {
            "b1": torch.from_numpy(protocol.b1).to(own),
            "saturation": torch.from_numpy(protocol.saturation).to(own),
            "recovery": torch.from_numpy(protocol.recovery).to(own),
            "flip": torch.from_numpy(protocol.flip).to(own) * (180 / math.pi),
        }
        tissues, count = own.shape[0], protocol.measurements

        def of_steps(name: str) -> Tensor:
            return steps[name].expand(tissues, count)

        def of_tissue(values: Tensor) -> Tensor:
            return values.to(own).reshape(-1, 1).expand(tissues, count)

        rel_b1 = of_tissue(tissue.rel_b1)

        columns = [
            *(own[:, None, number].expand(tissues, count) for number in range(own.shape[1])),
            of_steps("b1") * rel_b1,
            of_steps("saturation"),
            of_steps("recovery"),
            of_tissue(tissue.b0),
            of_steps("flip") * rel_b1,
            of_tissue(solute.shift_ppm),
            offset,
        ]
        return torch.stack(columns, dim=-1)

    def targets(self, signal: Signal) -> Tensor:
        """Magnitude of the transverse magnetisation at each measurement."""
        return signal.mxy[..., torch.from_numpy(signal.first_samples())].abs()

    def loss(self, network: nn.Module, scaled: Tensor, targets: Tensor) -> Tensor:
        """Mean squared error with the true signal before each step, and of running free where that is asked for."""
        before = torch.cat([torch.ones_like(targets[:, :1]), targets[:, :-1]], dim=1)
        forced = nn.functional.mse_loss(network(torch.cat([scaled, before[..., None]], dim=-1))[..., 0], targets)
        if not self._unrolled:
            return forced
        length = min(self._unrolled, targets.shape[1])
        start = int(torch.randint(targets.shape[1] - length + 1, ()))
        window = slice(start, start + length)
        free = self._run(network, scaled[:, window], before[:, start])
        return forced + nn.functional.mse_loss(free, targets[:, window])

    def predict(self, network: nn.Module, scaled: Tensor) -> Tensor:
        """The signals, each step on what the network gave for the one before, shape `(tissues, measurements)`."""
        return self._run(network, scaled, torch.ones_like(scaled[:, 0, 0]))

    def _run(self, network: nn.Module, scaled: Tensor, before: Tensor) -> Tensor:
        found = []
        for step in scaled.unbind(1):
            before = network(torch.cat([step, before[:, None]], dim=-1))[:, 0]
            found.append(before)
        return torch.stack(found, dim=1)


def _solute(tissue: Tissue) -> ExchangingPool | SemisolidPool:
    """The only pool beside water; `RequirementError` where there are others."""
    pools: list[ExchangingPool | SemisolidPool] = [*tissue.exchanging, *tissue.semisolid]
    if len(pools) != 1:
        raise RequirementError(
            f"Surrogate 'dynamic_mlp' stands for water and one solute, but '{tissue.name}' has {len(pools)} pools "
            "beside water; choose a two-pool tissue."
        )
    return pools[0]


def _refuse_field_shift(tissue: Tissue) -> None:
    """A shift is more than another offset of the saturation: what a saturation leaves also turns before the readout."""
    shifted = tissue.b0_shift_ppm.detach()[tissue.b0_shift_ppm.detach() != 0].flatten()
    if len(shifted):
        raise RequirementError(
            f"Surrogate 'dynamic_mlp' knows no field shift, but '{tissue.name}' has b0_inhom={float(shifted[0]):g} "
            "ppm; set tissue.b0_inhom=0 or simulate with cest."
        )


def _inputs(
    known: Sequence[Input], ranges: Mapping[str, Sequence[float]], logarithmic: Sequence[str]
) -> tuple[Input, ...]:
    """The inputs in `ranges` of their own, some of them logarithmic."""
    names = [entry.name for entry in known]
    for name in (*ranges, *logarithmic):
        if name not in names:
            raise ConfigurationError(f"There is no input '{name}'. It is one of {', '.join(names)}.")
    found = tuple(
        replace(entry, low=float(low), high=float(high), logarithmic=entry.name in logarithmic)
        for entry in known
        for low, high in [ranges.get(entry.name, (entry.low, entry.high))]
    )
    for entry in found:
        if not entry.low <= entry.high or (entry.logarithmic and entry.low <= 0):
            raise ConfigurationError(
                f"surrogate.ranges has {entry.name} from {entry.low:g} to {entry.high:g}; a range rises, and one on a "
                "logarithmic scale begins above 0."
            )
    return found
