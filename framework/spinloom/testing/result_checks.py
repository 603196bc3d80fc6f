"""Shapes, units and bounds of what simulators return, each with what a user of the result would have suffered."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spinloom.interfaces import KSpace, Signal, Subject
from spinloom.sequence.timeline import Timeline
from spinloom.testing.deviation import require
from spinloom.testing.experiments import Result
from spinloom.tissue.phantom import Phantom
from spinloom.tissue.pools import Tissue

ROUNDING = 1.001
"""By how much magnetisation may exceed the equilibrium: errors of solvers, not of physics."""


def check_result(name: str, timeline: Timeline, subject: Subject, result: object) -> None:
    """Raise `Deviation` where `result` is not what simulator `name` owes for `timeline` and `subject`."""
    wanted = KSpace if isinstance(subject, Phantom) else Signal
    require(
        isinstance(result, wanted),
        f"Simulator '{name}' returned {type(result).__name__} for a {type(subject).__name__.lower()}; what follows, "
        f"from the report to the file on disk, takes a `spinloom.{wanted.__name__}`.",
    )
    assert isinstance(result, Signal | KSpace)
    _check_times(name, timeline, result)
    _check_notes(name, result)
    if isinstance(result, Signal):
        assert isinstance(subject, Tissue)
        _check_signal(name, timeline, subject, result)
    else:
        assert isinstance(subject, Phantom)
        _check_kspace(name, timeline, subject, result)


def _check_signal(name: str, timeline: Timeline, tissue: Tissue, signal: Signal) -> None:
    shape = (*tissue.batch_shape, timeline.adc_samples)
    for field in ("mz", "mxy"):
        _check_tensor(name, field, getattr(signal, field), shape, f"a batch of {tuple(tissue.batch_shape)} tissues")
    require(signal.mxy.is_complex(), f"Simulator '{name}' returned a real mxy: its phase would be lost to every user.")
    require(not signal.mz.is_complex(), f"Simulator '{name}' returned a complex mz: reports and metrics take it real.")
    _check_size(name, torch.sqrt(signal.mz.detach() ** 2 + signal.mxy.detach().abs() ** 2), "water's equilibrium")
    readouts = int((timeline.block_adc >= 0).sum())
    require(
        np.shape(signal.offset_ppm) == (readouts,),
        f"Simulator '{name}' gives offset_ppm of shape {np.shape(signal.offset_ppm)} for {readouts} measurements: the "
        "axis of every Z-spectrum would be wrong.",
    )


def _check_kspace(name: str, timeline: Timeline, phantom: Phantom, kspace: KSpace) -> None:
    coils = 1 if phantom.coils is None else phantom.coils.shape[0]
    _check_tensor(name, "samples", kspace.samples, (coils, timeline.adc_samples), f"{coils} coil(s)")
    require(kspace.samples.is_complex(), f"Simulator '{name}' returned real k-space: images would be mirror images.")
    mean = float(phantom.m0.sum()) / phantom.voxels
    _check_size(name, kspace.samples.detach().abs() / mean, "the mean M0 of the field of view")
    require(
        kspace.trajectory.shape == (timeline.adc_samples, 3),
        f"Simulator '{name}' gives a trajectory of shape {kspace.trajectory.shape} for {timeline.adc_samples} samples: "
        "no image could be made of it.",
    )
    require(
        np.allclose(kspace.fov, phantom.fov),
        f"Simulator '{name}' says that the field of view is {kspace.fov}, but that of the phantom is {phantom.fov} m: "
        "images would be scaled.",
    )


def _check_tensor(name: str, field: str, tensor: object, shape: tuple[int, ...], because: str) -> None:
    require(
        isinstance(tensor, Tensor),
        f"Simulator '{name}' returned {field} as {type(tensor).__name__}, not as a torch tensor: devices and gradients "
        "end there.",
    )
    assert isinstance(tensor, Tensor)
    require(
        tuple(tensor.shape) == shape,
        f"Simulator '{name}' returned {field} of shape {tuple(tensor.shape)}, not {shape}, for {because} and "
        f"{shape[-1]} samples: voxels would be taken for samples, or one for the other.",
    )
    require(
        bool(torch.isfinite(tensor.detach()).all()),
        f"Simulator '{name}' returned {field} with numbers that are not finite: every mean and every fit becomes NaN.",
    )


def _check_size(name: str, size: Tensor, unit: str) -> None:
    largest = float(size.max()) if size.numel() else 0.0
    require(
        largest <= ROUNDING,
        f"Simulator '{name}' returned magnetisation of {largest:.3g} in units of {unit}, where 1 is the most that "
        "spins have: it is in another unit, and spectra would be scaled.",
    )


def _check_times(name: str, timeline: Timeline, result: Result) -> None:
    """Samples lie where the file has its ADC events, in seconds."""
    blocks = np.flatnonzero(timeline.block_adc >= 0)
    events = [timeline.adcs[int(timeline.block_adc[block])] for block in blocks]
    owner = np.repeat(np.arange(blocks.size), [event.samples for event in events])
    require(
        np.array_equal(result.measurement, owner),
        f"Simulator '{name}' counts its measurements as {_some(result.measurement)}, but the ADC events of the samples "
        f"are {_some(owner)}: samples would be filed under the wrong offset or line.",
    )
    first = timeline.block_start[blocks]
    last = first + np.array([event.duration for event in events])
    time, slack = np.asarray(result.time), 1e-9 + 1e-9 * timeline.duration
    inside = time.shape == owner.shape and bool(
        np.all((time >= first[owner] - slack) & (time <= last[owner] + slack) & (np.diff(time, prepend=-1) > 0))
    )
    require(
        inside,
        f"Simulator '{name}' gives the times {_some(time)} to samples that {timeline.source} takes from "
        f"{first[0] if first.size else 0:.4g} s to {last[-1] if last.size else 0:.4g} s: times are seconds from the "
        "begin of the sequence, and every axis of time would be wrong.",
    )


def _check_notes(name: str, result: Result) -> None:
    sound = isinstance(result.notes, tuple) and all(isinstance(note, str) for note in result.notes)
    require(sound, f"Simulator '{name}' returned notes that are no tuple of sentences: reports could not print them.")


def _some(values: object) -> str:
    shown = ", ".join(f"{value:.4g}" for value in np.ravel(np.asarray(values))[:4])
    return f"{shown}, ..." if np.size(np.asarray(values)) > 4 else shown
