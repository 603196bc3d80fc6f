"""What a surrogate's network must be: drawn by the seed, trained by a mean, blind to who stands beside in a batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spinloom.interfaces import Surrogate
from spinloom.testing.deviation import require

STEPS = 10
"""Steps of Adam on one batch, after which the loss must have fallen."""


def seeded_network(surrogate: Surrogate, seed: int = 0) -> nn.Module:
    """A network in double precision whose weights `seed` drew."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return surrogate.network().double()


def check_network(name: str, surrogate: Surrogate) -> None:
    """Raise `Deviation` unless torch's seed, and nothing else, decides on the weights."""
    first, same, other = (seeded_network(surrogate, seed).state_dict() for seed in (0, 0, 1))
    require(
        all(torch.equal(first[key], same[key]) for key in first),
        f"Surrogate '{name}' draws other weights with the same seed: nobody could repeat its training. Draw them by "
        "torch's generator alone.",
    )
    require(
        any(not torch.equal(first[key], other[key]) for key in first),
        f"Surrogate '{name}' has the same weights for every seed: repeated trainings would tell nothing of chance.",
    )


def check_loss(name: str, surrogate: Surrogate, scaled: Tensor, targets: Tensor) -> None:
    """Raise `Deviation` unless the loss is the mean of a batch and reaches every weight."""
    network = seeded_network(surrogate)
    one, two = (_loss(surrogate, network, scaled, targets, times) for times in (1, 2))
    require(
        one.ndim == 0 and bool(torch.isfinite(one)),
        f"Surrogate '{name}' has a loss of shape {tuple(one.shape)} with value {one.detach()}; training needs one "
        "finite number.",
    )
    require(
        abs(float(one.detach()) - float(two.detach())) <= 1e-6 * abs(float(one.detach())),
        f"Surrogate '{name}' has the loss {float(one.detach()):.4g} on a batch and {float(two.detach()):.4g} on the "
        "same batch twice: it is no mean, so that the learning rate would depend on the size of batches.",
    )
    one.backward()
    idle = [key for key, weight in network.named_parameters() if weight.requires_grad and weight.grad is None]
    require(
        not idle,
        f"The loss of surrogate '{name}' does not reach the weights {', '.join(idle)}: they would stay as they were "
        "drawn, and predictions would be random there.",
    )


def check_prediction(name: str, surrogate: Surrogate, scaled: Tensor, targets: Tensor) -> None:
    """Raise `Deviation` where predictions have another shape, or depend on anything but the tissue."""
    network = seeded_network(surrogate).eval()
    with torch.no_grad():
        together = surrogate.predict(network, scaled)
        again = surrogate.predict(network, scaled)
        alone = torch.cat([surrogate.predict(network, scaled[n : n + 1]) for n in range(scaled.shape[0])])
    require(
        together.shape == targets.shape and bool(torch.isfinite(together).all()),
        f"Surrogate '{name}' predicts shape {tuple(together.shape)} (or numbers that are not finite) where its targets "
        f"have {tuple(targets.shape)}: it could not stand in the simulator's place.",
    )
    require(
        torch.equal(together, again),
        f"Surrogate '{name}' predicts other numbers the second time: results could not be repeated.",
    )
    apart = float((together - alone).abs().max())
    require(
        apart < 1e-9,
        f"Surrogate '{name}' predicts another signal for a tissue in a batch than alone, by {apart:.2g}: maps would "
        "depend on which voxels are predicted together.",
    )


def check_learning(name: str, surrogate: Surrogate, scaled: Tensor, targets: Tensor) -> None:
    """Raise `Deviation` where the loss does not fall on a batch that is repeated."""
    network = seeded_network(surrogate)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    before = float(_loss(surrogate, network, scaled, targets).detach())
    for _ in range(STEPS):
        optimizer.zero_grad()
        _loss(surrogate, network, scaled, targets).backward()
        optimizer.step()
    after = float(_loss(surrogate, network, scaled, targets).detach())
    require(
        after < before,
        f"Surrogate '{name}' does not learn: {STEPS} steps on one batch leave its loss at {after:.4g}, from "
        f"{before:.4g}. A training of hours would end where it began.",
    )


def _loss(surrogate: Surrogate, network: nn.Module, scaled: Tensor, targets: Tensor, times: int = 1) -> Tensor:
    """The loss of a batch repeated, with the same random numbers each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return surrogate.loss(network, scaled.repeat_interleave(times, 0), targets.repeat_interleave(times, 0))
