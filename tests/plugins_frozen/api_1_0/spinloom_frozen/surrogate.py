"""Water under one sequence, in one pass: T1, T2, field shift and B1 in, Mz at every measurement out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from spinloom import Input, RequirementError, Requirements, Signal, Timeline, Tissue


class FrozenSurrogate:
    """Architecture: `hidden`, the width of the two hidden layers; `measurements`, how many the sequence takes."""

    replaces = "trajectory"
    quantity = "mz_over_m0"
    requirements = Requirements(timeline=frozenset({"rf", "adc"}), subject=frozenset({"tissue"}))
    inputs = (
        Input("water T1", "s", 0.3, 4.0),
        Input("water T2", "s", 0.02, 3.0),
        Input("field shift", "ppm", -1.0, 1.0),
        Input("relative B1", "1", 0.5, 1.5),
    )

    def __init__(self, architecture: Mapping[str, Any]) -> None:
        self._hidden = int(architecture.get("hidden", 32))
        self._measurements = int(architecture.get("measurements", 82))

    def network(self) -> nn.Module:
        """Fresh weights, drawn by torch's generator."""
        first, last = nn.Linear(len(self.inputs), self._hidden), nn.Linear(self._hidden, self._measurements)
        return nn.Sequential(first, nn.SiLU(), nn.Linear(self._hidden, self._hidden), nn.SiLU(), last)

    def features(self, timeline: Timeline, tissue: Tissue) -> Tensor:
        """The inputs of each tissue in their units, shape `(tissues, 4)`."""
        found = int((timeline.block_adc >= 0).sum())
        if tissue.pools or found != self._measurements:
            raise RequirementError(
                f"Surrogate 'frozen' stands for water under {self._measurements} measurements, but '{tissue.name}' has "
                f"{len(tissue.pools)} more pools and {timeline.source} takes {found}; see surrogate.measurements."
            )
        return torch.stack([tissue.water.t1, tissue.water.t2, tissue.b0_shift_ppm, tissue.rel_b1], dim=-1)

    def targets(self, signal: Signal) -> Tensor:
        """Mz at the first sample of each measurement, shape `(tissues, measurements)`."""
        return signal.mz[..., torch.from_numpy(signal.first_samples())]

    def loss(self, network: nn.Module, scaled: Tensor, targets: Tensor) -> Tensor:
        """Mean squared error; inputs are scaled to 0 .. 1 over their ranges."""
        return nn.functional.mse_loss(network(scaled), targets)

    def predict(self, network: nn.Module, scaled: Tensor) -> Tensor:
        """What the network says, of the shape of the targets."""
        found: Tensor = network(scaled)
        return found
