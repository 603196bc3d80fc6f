"""Levenberg-Marquardt inside bounds for many voxels at once: every step is one batched solve.

    minimise |r(p)|^2,  r = model(p) - data,  lower <= p <= upper
    (C + damping) s = -S J'r,  C = S J'J S,  S = 1 / sqrt(diag J'J),  p <- p + S s

Parameters are scaled by their influence S, so that units do not matter.  A step is cut off at the bounds; a parameter
that lies on a bound and is pushed outwards, by the gradient or by the others, stands still, as does one without
influence.  Each voxel has its own damping, and leaves the batch when it has converged.

Levenberg, Q Appl Math 1944;2:164; Marquardt, SIAM J Appl Math 1963;11:431; scaling and criteria as in More's MINPACK.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Model = Callable[[Tensor, Tensor], Tensor]
"""`model(parameters, voxels)`: parameters of shape `(n, parameters)` of the voxels with the numbers `(n,)` in, curves
of shape `(n, measurements)` out, each voxel's from its own parameters alone."""

_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-3, 1e-12, 1e12


@dataclass(frozen=True, eq=False)
class Problem:
    """A model with its derivative, the data `(voxels, measurements)` and the bounds `(parameters,)`, float64."""

    model: Model
    jacobian: Model
    data: Tensor
    lower: Tensor
    upper: Tensor

    def residual(self, parameters: Tensor, voxels: Tensor) -> Tensor:
        """Model minus data, shape `(n, measurements)`."""
        return self.model(parameters, voxels).detach() - self.data[voxels]


def search(problem: Problem, start: Tensor, voxels: Tensor, steps: int, tolerance: float) -> tuple[Tensor, Tensor]:
    """Best parameters `(n, parameters)` of the `voxels` (numbers, `(n,)`), and which of them converged `(n,)`."""
    best = start.clamp(problem.lower, problem.upper)
    residual = problem.residual(best, voxels)
    cost = residual.square().sum(dim=-1)
    damping = torch.full_like(cost, _FIRST_DAMPING)
    active = torch.arange(voxels.numel(), device=voxels.device)
    for _ in range(steps):
        if active.numel() == 0:
            break
        at, who = best[active], voxels[active]
        step, relative = _step(problem, at, residual[active], who, damping[active])
        trial = (at + step).clamp(problem.lower, problem.upper)
        trial_residual = problem.residual(trial, who)
        trial_cost = trial_residual.square().sum(dim=-1)
        better = trial_cost < cost[active]
        gain = (cost[active] - trial_cost) / cost[active].clamp_min(torch.finfo(cost.dtype).tiny)
        taken = active[better]
        best[taken], residual[taken], cost[taken] = trial[better], trial_residual[better], trial_cost[better]
        damping[active] = torch.where(better, damping[active] / 5, damping[active] * 4).clamp(
            _LEAST_DAMPING, _MOST_DAMPING
        )
        done = (relative <= tolerance) | (better & (gain <= tolerance) & (damping[active] <= 1))
        active = active[~done]
    converged = torch.ones_like(cost, dtype=torch.bool)
    converged[active] = False
    return best, converged


def _step(problem: Problem, at: Tensor, residual: Tensor, voxels: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
    """The damped step `(n, parameters)`, and its length relative to the parameters in units of influence `(n,)`."""
    columns = problem.jacobian(at, voxels).detach()
    gradient = (columns.mT @ residual[..., None])[..., 0]
    at_lower, at_upper = at <= problem.lower, at >= problem.upper
    free = ~((at_lower & (gradient > 0)) | (at_upper & (gradient < 0)))
    for _ in range(2):
        scaled, curvature, influence = _scaled(columns, free)
        slope = (scaled.mT @ residual[..., None])[..., 0]
        step = -torch.linalg.solve_ex(curvature + torch.diag_embed(damping[:, None].expand_as(slope)), slope)[0]
        free = free & ~((at_lower & (step < 0)) | (at_upper & (step > 0)))
    length = (at * influence).norm(dim=-1).clamp_min(torch.finfo(at.dtype).tiny)
    return step * _inverse(influence), step.norm(dim=-1) / length


def uncertainty(problem: Problem, best: Tensor, voxels: Tensor) -> tuple[Tensor, Tensor]:
    """Standard errors `(n, parameters)`, NaN on bounds and without influence, and root mean square residual `(n,)`."""
    columns = problem.jacobian(best, voxels).detach()
    inside = (best > problem.lower) & (best < problem.upper)
    _, curvature, influence = _scaled(columns, inside)
    fixed = torch.diag_embed((influence == 0).to(best.dtype))
    inverse, failed = torch.linalg.inv_ex(curvature + fixed)
    power = problem.residual(best, voxels).square().sum(dim=-1)
    freedom = columns.shape[-2] - int((problem.lower < problem.upper).sum())
    variance = power[:, None] / freedom * inverse.diagonal(dim1=-2, dim2=-1) * _inverse(influence) ** 2
    known = (influence > 0) & (failed == 0)[:, None] & (variance >= 0)
    errors = torch.where(known, variance.clamp_min(0).sqrt(), torch.nan)
    return errors, (power / columns.shape[-2]).sqrt()


def _scaled(columns: Tensor, free: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """J S, C, and the influence 1/S of each parameter, zero where it is not free."""
    influence = columns.norm(dim=-2) * free
    scaled = columns * _inverse(influence)[:, None, :]
    return scaled, scaled.mT @ scaled, influence


def _inverse(influence: Tensor) -> Tensor:
    return torch.where(influence > 0, 1 / influence, 0.0)
