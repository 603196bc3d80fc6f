"""A whole Z-spectrum of seven pools in one pass: numbers of the tissue and of the pulse train in, spectrum out.

The published network has 31 inputs, two hidden layers of 256 with sigmoids and one output a measurement, and is trained
at 21 settings of the scanner (Nagar et al. 2023, https://doi.org/10.1038/s41598-023-45548-8).  Here settings are inputs
that are drawn densely, so that the network interpolates between them; layers and activation are the configuration's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

FAR_PPM = 100.0
"""Measurements saturated farther off than this are M0 scans."""

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "silu": nn.SiLU, "gelu": nn.GELU, "tanh": nn.Tanh}

_WATER = (Input("water T1", "s", 0.8, 1.6), Input("water T2", "s", 0.04, 0.12), Input("water fraction", "1", 0.0, 1.0))
_POOLS = {
    "amide": ((0.5, 1.5), (0.05, 0.15), (0.00045, 0.0045), (30.0, 90.0)),
    "guanidine": ((0.5, 1.5), (0.05, 0.15), (0.00045, 0.0014), (500.0, 1500.0)),
    "amine": ((0.5, 1.5), (0.05, 0.15), (0.00045, 0.0045), (3000.0, 7000.0)),
    "OH": ((0.5, 1.5), (0.05, 0.15), (0.00045, 0.0045), (2000.0, 5000.0)),
    "NOE": ((0.8, 1.8), (0.003, 0.008), (0.00045, 0.00675), (10.0, 30.0)),
    "mt": ((0.5, 1.5), (2e-5, 6e-5), (0.018, 0.216), (15.0, 45.0)),
}
"""Ranges of T1, T2, fraction and exchange rate of each pool but water."""

_SHIFTS = {"amide": 3.5, "guanidine": 2.0, "amine": 3.0, "OH": 1.0, "NOE": -3.0, "mt": -3.0}
"""Chemical shifts [ppm], which are no inputs."""

_TRAIN = (
    Input("pulse duration", "s", 0.05, 0.1),
    Input("recovery", "s", 2.0, 4.01),
    Input("field", "T", 3.0, 11.7),
    Input("pulses", "1", 10.0, 30.0),
)


def _inputs() -> Iterator[Input]:
    yield from _WATER
    for name, ranges in _POOLS.items():
        for quantity, unit, (low, high) in zip(("T1", "T2", "fraction", "k"), "ss11", ranges, strict=True):
            yield Input(f"{name} {quantity}", "1/s" if quantity == "k" else unit, low, high)
    yield from _TRAIN


class Centred(nn.Module):
    """Numbers between 0 and 1 as numbers between -spread and spread."""

    def __init__(self, spread: float) -> None:
        super().__init__()
        self._spread = spread

    def forward(self, scaled: Tensor) -> Tensor:
        """The numbers, of any shape."""
        return (2 * self._spread) * scaled - self._spread


class TrajectoryMlp:
    """Architecture of the network.

    hidden: widths of the layers
    activation: between them, one of `ACTIVATIONS`
    spread: inputs reach the layers between -spread and spread, 0 for 0 .. 1, as published
    measurements: how many it gives
    """

    replaces = "trajectory"
    quantity = "mz_over_m0"
    requirements = Requirements(
        timeline=frozenset({"rf", "adc"}),
        subject=frozenset({"tissue"}),
        pools=frozenset({"exchanging", "semisolid"}),
        lineshapes=frozenset({"lorentzian"}),
    )
    inputs = tuple(_inputs())

    def __init__(self, architecture: Mapping[str, Any]) -> None:
        self._hidden = tuple(int(width) for width in architecture.get("hidden", (256, 256)))
        self._activation = str(architecture.get("activation", "sigmoid"))
        self._measurements = int(architecture.get("measurements", 34))
        if self._activation not in ACTIVATIONS:
            known = ", ".join(sorted(ACTIVATIONS))
            raise ConfigurationError(f"surrogate.activation is '{self._activation}'; it is one of {known}.")
        self._spread = float(architecture.get("spread", 0.0))
        if not self._hidden or min(self._hidden) < 1 or self._measurements < 1 or self._spread < 0:
            raise ConfigurationError(
                "surrogate.hidden and surrogate.measurements are widths of layers, from 1; surrogate.spread is 0 or "
                "more."
            )

    def network(self) -> nn.Module:
        """The layers, the last of which ends in a sigmoid, for a spectrum lies between 0 and 1."""
        widths = [len(self.inputs), *self._hidden]
        layers: list[nn.Module] = [Centred(self._spread)] if self._spread else []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), ACTIVATIONS[self._activation]()]
        return nn.Sequential(*layers, nn.Linear(widths[-1], self._measurements), nn.Sigmoid())

    def check(self, timeline: Timeline, tissue: Tissue) -> None:
        """Raise `RequirementError` for pools that the network does not know and numbers that are none of its inputs."""
        _named(tissue)

    def features(self, timeline: Timeline, tissue: Tissue) -> Tensor:
        """The 31 inputs of each tissue, shape `(tissues, 31)`."""
        pools = _named(tissue)
        protocol = saturation_protocol(timeline, float(tissue.larmor.detach().mean()))
        if protocol.measurements != self._measurements:
            raise RequirementError(
                f"{timeline.source} takes {protocol.measurements} measurements, but this network gives "
                f"{self._measurements}; it stands for the sequences that it was trained on."
            )
        water = tissue.water
        columns = [water.t1, water.t2, water.f]
        for name in _POOLS:
            columns += [pools[name].t1, pools[name].t2, pools[name].f, pools[name].k]
        settings = (protocol.pulse_duration, protocol.recovery)
        columns += [torch.full_like(water.t1, float(values.mean())) for values in settings]
        columns += [tissue.b0, torch.full_like(water.t1, float(protocol.pulses.mean()))]
        return torch.stack(torch.broadcast_tensors(*columns), dim=-1)

    def targets(self, signal: Signal) -> Tensor:
        """Mz over M0 at the first sample of each measurement."""
        mz = signal.mz[..., torch.from_numpy(signal.first_samples())]
        scans = torch.from_numpy(abs(signal.offset_ppm) > FAR_PPM)
        return mz / mz[..., scans].mean(-1, keepdim=True) if bool(scans.any()) else mz

    def loss(self, network: nn.Module, scaled: Tensor, targets: Tensor) -> Tensor:
        """Mean squared error."""
        return nn.functional.mse_loss(network(scaled), targets)

    def predict(self, network: nn.Module, scaled: Tensor) -> Tensor:
        """The spectra, shape `(tissues, measurements)`."""
        spectra: Tensor = network(scaled)
        return spectra


def _named(tissue: Tissue) -> dict[str, ExchangingPool | SemisolidPool]:
    """The pools that the network knows, the only semisolid one as `mt`; raises for what it does not know."""
    pools: dict[str, ExchangingPool | SemisolidPool] = {pool.name: pool for pool in tissue.exchanging}
    if len(tissue.semisolid) == 1:
        pools["mt"] = tissue.semisolid[0]
    if set(pools) != set(_POOLS):
        raise RequirementError(
            f"Surrogate 'trajectory_mlp' stands for a tissue with the pools {', '.join(_POOLS)} (semisolid), but "
            f"'{tissue.name}' has {', '.join(sorted(pools)) or 'none'}; take wm_3t_7pool as a pattern."
        )
    fixed = {"b0_inhom": (tissue.b0_shift_ppm, 0.0), "rel_b1": (tissue.rel_b1, 1.0)}
    fixed |= {f"dw of {name}": (pool.shift_ppm, _SHIFTS[name]) for name, pool in pools.items()}
    for name, (values, known) in fixed.items():
        others = values.detach()[values.detach() != known].flatten()
        if len(others):
            raise RequirementError(
                f"Surrogate 'trajectory_mlp' knows {name} of {known:g} alone, but '{tissue.name}' has "
                f"{float(others[0]):g}; set it to {known:g} or simulate with cest."
            )
    return pools
