"""Bloch-McConnell fit: parameters of a tissue from a Z-spectrum that a known sequence has played.

    minimise |Z(tissue(p), sequence) - Z_measured|^2

by Levenberg-Marquardt, with the exact solution of the sequence and its derivatives by forward differentiation
through the torch path.  All voxels, and all directions of the derivative, are one batch of tissues.

Fractions and rates of slow exchange are told apart only where B1 or the offsets leave the regime in which their
product alone counts; standard errors show where they are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from spinloom.physics.engine import solve_pools
from spinloom.physics.offsets import offsets_ppm
from spinloom.quantify.least_squares import Fit, FitError, check_counts, least_squares
from spinloom.quantify.levenberg_marquardt import Model
from spinloom.quantify.tissue_parameters import (
    check_parameters,
    from_line,
    is_shift,
    reach,
    read_parameter,
    to_line,
    with_parameters,
)
from spinloom.quantify.zspectrum import find_m0_scans
from spinloom.sequence.timeline import Timeline
from spinloom.tissue.pools import Tissue

STEPS = 30


def fit_bloch_mcconnell(
    timeline: Timeline,
    tissue: Tissue,
    z: Tensor,
    names: Sequence[str],
    *,
    given: Mapping[str, Tensor] | None = None,
    rtol: float = 1e-5,
) -> Fit:
    """Parameters `names` of the tissue in every voxel.

    timeline: the sequence that was played
    tissue: a single one; where the fit begins, and everything that it does not move
    z: Mz / M0 of every measurement but the M0 scans, in the file's order, shape `(*batch, measurements)`; a voxel with
        NaN is left out
    names: such as `amide.k`, `amide.f`, `water.t2`, `b0_shift_ppm`
    given: parameters that are known in each voxel, such as `rel_b1` from WASABI, shape `(*batch,)` each
    rtol: largest error of the solution by the sampling of pulses, as for a simulation

    Raises `FitError` for an unknown parameter, for a spectrum that the sequence does not measure, or where offsets
    are too few.
    """
    known = dict(given or {})
    check_parameters(tissue, names)
    check_parameters(tissue, [*names, *known])
    measured = measured_scans(timeline, tissue)
    if z.shape[-1] != measured.sum():
        raise FitError(
            f"The spectrum has {z.shape[-1]} offsets, but {timeline.source} measures {measured.sum()} beside its M0 "
            "scans; name the sequence that measured it."
        )
    check_counts(z.shape[-1], names)
    model = _model(timeline, tissue, names, _flat(known, z.shape[:-1]), measured, rtol)
    start = torch.stack([to_line(name, read_parameter(tissue, name)).double().reshape(()) for name in names])
    spread = start.new_tensor([reach(name) for name in names])
    unknown = torch.stack([torch.zeros(z.shape[:-1]), *(values.double() for values in known.values())]).sum(dim=0)
    first = start + 0.0 * unknown[..., None]
    fit = least_squares(model, z, first, start - spread, start + spread, names, jacobian=_forward(model), steps=STEPS)
    return _in_units(fit)


def fitted_spectra(timeline: Timeline, tissue: Tissue, fit: Fit, given: Mapping[str, Tensor] | None = None) -> Tensor:
    """What a fit explains of each voxel's spectrum, shape `(*batch, offsets)`; arguments as they were for the fit."""
    shape = fit.residual.shape
    model = _model(timeline, tissue, fit.names, _flat(dict(given or {}), shape), measured_scans(timeline, tissue), 1e-5)
    values = torch.stack([to_line(name, fit[name]).reshape(-1) for name in fit.names], dim=-1)
    curves = values.new_full((values.shape[0], int(measured_scans(timeline, tissue).sum())), torch.nan)
    solved = values.isfinite().all(dim=-1).nonzero()[:, 0]
    curves[solved] = model(values[solved], solved)
    return curves.reshape(*shape, -1)


def measured_scans(timeline: Timeline, tissue: Tissue) -> np.ndarray:
    """Which measurements of the sequence saturate and are no M0 scans, boolean, shape `(measurements,)`."""
    offsets, _ = offsets_ppm(timeline, tissue)
    return ~find_m0_scans(offsets, timeline.definitions)[0] & np.isfinite(offsets)


def _flat(known: Mapping[str, Tensor], shape: torch.Size) -> dict[str, Tensor]:
    for name, values in known.items():
        if values.shape != shape:
            raise FitError(f"{name} has shape {tuple(values.shape)}, the spectra {tuple(shape)}; give one a voxel.")
    return {name: values.double().reshape(-1) for name, values in known.items()}


def _model(
    timeline: Timeline,
    tissue: Tissue,
    names: Sequence[str],
    known: Mapping[str, Tensor],
    measured: np.ndarray,
    rtol: float,
) -> Model:
    """Z-spectra of voxels as a function of the numbers that the fit moves."""
    m0_scans, _ = find_m0_scans(offsets_ppm(timeline, tissue)[0], timeline.definitions)

    def model(numbers: Tensor, voxels: Tensor) -> Tensor:
        moved = {name: from_line(name, column) for name, column in zip(names, numbers.unbind(-1), strict=True)}
        here = {name: values[voxels] for name, values in known.items()}
        batch = tissue.to(torch.float64).map(lambda value: value.reshape(()).expand(voxels.numel()))
        solution = solve_pools(timeline, with_parameters(batch, {**here, **moved}), rtol=rtol)
        mz = solution.mz[:, np.flatnonzero(np.diff(solution.measurement, prepend=-1))]
        m0 = mz[:, m0_scans].mean(dim=-1, keepdim=True) if m0_scans.any() else 1.0
        return mz[:, measured] / m0

    return model


def _forward(model: Model) -> Model:
    """Derivative of `model`: one forward pass over a batch that holds every voxel once a direction.

    The numbers also ask for gradients, by which the engine knows that only the torch path will do.
    """

    def jacobian(numbers: Tensor, voxels: Tensor) -> Tensor:
        count = numbers.shape[-1]
        directions = torch.eye(count, dtype=numbers.dtype).repeat_interleave(voxels.numel(), dim=0)
        with forward_ad.dual_level():
            every = numbers.repeat(count, 1).requires_grad_()
            curves = model(forward_ad.make_dual(every, directions), voxels.repeat(count))
            columns: Tensor = forward_ad.unpack_dual(curves).tangent
        return columns.reshape(count, voxels.numel(), -1).permute(1, 2, 0)

    return jacobian


def _in_units(fit: Fit) -> Fit:
    """The fit with values in place of the numbers that it moved; errors follow to first order."""
    values = torch.stack([from_line(name, fit[name]) for name in fit.names], dim=-1)
    logarithmic = torch.tensor([not is_shift(name) for name in fit.names])
    return replace(fit, parameters=values, errors=torch.where(logarithmic, fit.errors * values, fit.errors))
