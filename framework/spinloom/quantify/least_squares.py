"""Least squares of many voxels at once: what a fit takes and gives; the search is in `levenberg_marquardt`.

Standard errors follow from the Jacobian J at the best parameters, `s^2 (J'J)^-1` with
`s^2 = |residual|^2 / (measurements - parameters)`.  They hold for white noise so small that the model is straight over
it, and reach the Cramer-Rao bound there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import jvp, vmap

from spinloom.errors import SpinloomError
from spinloom.quantify.levenberg_marquardt import Model, Problem, search, uncertainty

NUMBERS_IN_FLIGHT = 8_000_000
"""Numbers that the Jacobian of one chunk of voxels may hold: 64 MB."""


class FitError(SpinloomError):
    """Data or bounds that a model cannot be fitted to."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What was found in each voxel; NaN in voxels that were left out because their data are not finite.

    names: of the parameters
    parameters, errors: best values and their standard errors, NaN for a parameter on its bound or without
        influence, shape `(*batch, parameters)`
    residual: root mean square of model minus data, shape `(*batch,)`
    converged, left_out: boolean, shape `(*batch,)`
    """

    names: tuple[str, ...]
    parameters: Tensor
    errors: Tensor
    residual: Tensor
    converged: Tensor
    left_out: Tensor

    def __getitem__(self, name: str) -> Tensor:
        """The parameter `name`, of the batch shape."""
        return self.parameters[..., self.names.index(name)]

    def error(self, name: str) -> Tensor:
        """Standard error of the parameter `name`, of the batch shape."""
        return self.errors[..., self.names.index(name)]

    def maps(self) -> dict[str, Tensor]:
        """Every parameter, its standard error as `NAME_error`, and the residual, by name, of the batch shape."""
        values = {name: self[name] for name in self.names}
        errors = {f"{name}_error": self.error(name) for name in self.names}
        return {**values, **errors, "residual": self.residual}


def least_squares(
    model: Model,
    data: Tensor,
    start: Tensor,
    lower: Tensor,
    upper: Tensor,
    names: Sequence[str],
    *,
    jacobian: Model | None = None,
    steps: int = 100,
    tolerance: float = 1e-8,
) -> Fit:
    """Fit `model` to every curve of `data`, in float64.

    data: shape `(*batch, measurements)`
    start: first guess, moved inside the bounds, shape `(*batch, parameters)` or `(parameters,)`
    lower, upper: bounds, shape `(parameters,)`, -inf or inf for none; a parameter whose bounds are the same stays there
    jacobian: derivative of `model`, shape `(n, measurements, parameters)`; without it by forward differentiation
    steps: voxels that have not converged after so many keep their best parameters and say so
    tolerance: relative change of the residual, or of the parameters in units of their influence, that ends the search

    Raises `FitError` where measurements do not outnumber parameters.
    """
    *batch, measurements = data.shape
    check_counts(measurements, [name for name, span in zip(names, upper - lower, strict=True) if span > 0])
    flat = data.detach().reshape(-1, measurements).double()
    first = start.detach().expand(*batch, len(names)).reshape(-1, len(names)).double()
    usable = flat.isfinite().all(dim=-1) & first.isfinite().all(dim=-1)
    problem = Problem(model, jacobian or forward_jacobian(model), flat, lower.double(), upper.double())
    best, errors = torch.full_like(first, torch.nan), torch.full_like(first, torch.nan)
    residual, converged = torch.full_like(flat[:, 0], torch.nan), torch.zeros_like(usable)
    for voxels in usable.nonzero()[:, 0].split(max(1, NUMBERS_IN_FLIGHT // (measurements * len(names)))):
        best[voxels], converged[voxels] = search(problem, first[voxels], voxels, steps, tolerance)
        errors[voxels], residual[voxels] = uncertainty(problem, best[voxels], voxels)
    by_parameter = (values.reshape(*batch, len(names)) for values in (best, errors))
    by_voxel = (values.reshape(batch) for values in (residual, converged, ~usable))
    return Fit(tuple(names), *by_parameter, *by_voxel)


def check_counts(measurements: int, names: Sequence[str]) -> None:
    """Raise `FitError` where `measurements` do not outnumber the parameters `names`."""
    if measurements <= len(names):
        raise FitError(
            f"{measurements} offsets cannot determine {len(names)} parameters ({', '.join(names)}) and their errors; "
            f"give at least {len(names) + 1} offsets or fit fewer parameters."
        )


def forward_jacobian(model: Model) -> Model:
    """Derivative of `model` by forward differentiation, one direction a parameter, all at once."""

    def jacobian(parameters: Tensor, voxels: Tensor) -> Tensor:
        def along(direction: Tensor) -> Tensor:
            curves: Tensor = jvp(lambda at: model(at, voxels), (parameters,), (direction.expand_as(parameters),))[1]
            return curves

        directions = torch.eye(parameters.shape[-1], dtype=parameters.dtype, device=parameters.device)
        columns: Tensor = vmap(along, out_dims=-1)(directions)
        return columns

    return jacobian
