"""Spinloom: simulation and learning for MR, driven by Pulseq sequence files.

This front page is complete and lazy: `import spinloom` imports nothing heavy, and each name brings its home along
at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spinloom.errors import ConfigurationError, RequirementError, SequenceError, SpinloomError
    from spinloom.evaluation.canvas import png, svg
    from spinloom.evaluation.curves import plot_curves
    from spinloom.evaluation.figures import plot
    from spinloom.evaluation.imaging_figures import plot_maps
    from spinloom.evaluation.report_content import Block, Code, Facts, Notes, Picture, Section, Table
    from spinloom.evaluation.wording import span
    from spinloom.family_gradients import differentiable_sequence
    from spinloom.hookspecs import API_VERSION, hookimpl
    from spinloom.interfaces import Input, KSpace, Numerics, Requirements, RunInfo, Signal, Simulator, Surrogate
    from spinloom.kspace_files import read_kspace, write_kspace
    from spinloom.learning.artefact import load_surrogate
    from spinloom.learning.signal_set import open_set
    from spinloom.learning.trained_surrogate import TrainedSurrogate
    from spinloom.phantom_simulator import PhantomSimulator
    from spinloom.physics.changed_timeline import changed_timeline
    from spinloom.physics.engine import PoolSolution, solve_pools
    from spinloom.physics.epg import epg_echo_train, epg_gradient_echoes, epg_steady_state
    from spinloom.physics.imaging.engine import PhantomSolution, solve_phantom
    from spinloom.physics.offsets import offsets_ppm
    from spinloom.physics.sequence_changes import SequenceChanges
    from spinloom.pool_simulator import PoolSimulator
    from spinloom.prepared_simulator import PreparedSimulator
    from spinloom.quantify.asymmetry import mtr_asymmetry
    from spinloom.quantify.bloch_mcconnell_fit import fit_bloch_mcconnell
    from spinloom.quantify.confidence import intervals
    from spinloom.quantify.dictionary import dictionary_of, read_dictionary
    from spinloom.quantify.lorentzian_fit import fit_lorentzians
    from spinloom.quantify.lorentzian_pools import LorentzianPool, Range
    from spinloom.quantify.matching import match
    from spinloom.quantify.mt_series import MtSeries, mt_series
    from spinloom.quantify.posterior import posterior
    from spinloom.quantify.wasabi import fit_wasabi, wasabi_pulse
    from spinloom.reconstruction.image import Image
    from spinloom.reconstruction.image_files import write_complex, write_magnitude
    from spinloom.reconstruction.line_check import check_lines
    from spinloom.reconstruction.raw_data import write_raw_data
    from spinloom.reconstruction.reconstruct import grid_centre, reconstruct
    from spinloom.registry import plugins
    from spinloom.sequence.families import BuiltSequence
    from spinloom.sequence.family import Family
    from spinloom.sequence.parameter import Meaning
    from spinloom.sequence.protocol import saturation_protocol
    from spinloom.sequence.shots import Shot, shots
    from spinloom.sequence.timeline import Timeline
    from spinloom.sequence.trajectory import labels, trajectory
    from spinloom.sequence_sources import (
        build_sequence,
        draw_parameters,
        read_sequence,
        sequence_families,
        write_sequence,
    )
    from spinloom.signal_files import read_parameters, read_signal
    from spinloom.tasks.simulate import simulate
    from spinloom.tissue.files import read_tissue
    from spinloom.tissue.phantom import Phantom
    from spinloom.tissue.phantoms.door import build_phantom
    from spinloom.tissue.phantoms.phantom_files import read_phantom, write_phantom
    from spinloom.tissue.phantoms.resampling import downsample, resample
    from spinloom.tissue.pools import Exchange, ExchangingPool, Isochromats, SemisolidPool, Tissue, Water

__version__ = "0.1.0"

__all__ = [
    "API_VERSION",
    "Block",
    "BuiltSequence",
    "Code",
    "ConfigurationError",
    "Exchange",
    "ExchangingPool",
    "Facts",
    "Family",
    "Image",
    "Input",
    "Isochromats",
    "KSpace",
    "LorentzianPool",
    "Meaning",
    "MtSeries",
    "Notes",
    "Numerics",
    "Phantom",
    "PhantomSimulator",
    "PhantomSolution",
    "Picture",
    "PoolSimulator",
    "PoolSolution",
    "PreparedSimulator",
    "Range",
    "RequirementError",
    "Requirements",
    "RunInfo",
    "Section",
    "SemisolidPool",
    "SequenceChanges",
    "SequenceError",
    "Shot",
    "Signal",
    "Simulator",
    "SpinloomError",
    "Surrogate",
    "Table",
    "Timeline",
    "Tissue",
    "TrainedSurrogate",
    "Water",
    "build_phantom",
    "build_sequence",
    "changed_timeline",
    "check_lines",
    "dictionary_of",
    "differentiable_sequence",
    "downsample",
    "draw_parameters",
    "epg_echo_train",
    "epg_gradient_echoes",
    "epg_steady_state",
    "fit_bloch_mcconnell",
    "fit_lorentzians",
    "fit_wasabi",
    "grid_centre",
    "hookimpl",
    "intervals",
    "labels",
    "load_surrogate",
    "match",
    "mt_series",
    "mtr_asymmetry",
    "offsets_ppm",
    "open_set",
    "plot",
    "plot_curves",
    "plot_maps",
    "plugins",
    "png",
    "posterior",
    "read_dictionary",
    "read_kspace",
    "read_parameters",
    "read_phantom",
    "read_sequence",
    "read_signal",
    "read_tissue",
    "reconstruct",
    "resample",
    "saturation_protocol",
    "sequence_families",
    "shots",
    "simulate",
    "solve_phantom",
    "solve_pools",
    "span",
    "svg",
    "trajectory",
    "wasabi_pulse",
    "write_complex",
    "write_kspace",
    "write_magnitude",
    "write_phantom",
    "write_raw_data",
    "write_sequence",
]

_HOMES = {
    "API_VERSION": "spinloom.hookspecs",
    "Block": "spinloom.evaluation.report_content",
    "BuiltSequence": "spinloom.sequence.families",
    "Code": "spinloom.evaluation.report_content",
    "ConfigurationError": "spinloom.errors",
    "Exchange": "spinloom.tissue.pools",
    "ExchangingPool": "spinloom.tissue.pools",
    "Facts": "spinloom.evaluation.report_content",
    "Family": "spinloom.sequence.family",
    "Image": "spinloom.reconstruction.image",
    "Input": "spinloom.interfaces",
    "Isochromats": "spinloom.tissue.pools",
    "KSpace": "spinloom.interfaces",
    "LorentzianPool": "spinloom.quantify.lorentzian_pools",
    "Meaning": "spinloom.sequence.parameter",
    "MtSeries": "spinloom.quantify.mt_series",
    "Notes": "spinloom.evaluation.report_content",
    "Numerics": "spinloom.interfaces",
    "Phantom": "spinloom.tissue.phantom",
    "PhantomSimulator": "spinloom.phantom_simulator",
    "PhantomSolution": "spinloom.physics.imaging.engine",
    "Picture": "spinloom.evaluation.report_content",
    "PoolSimulator": "spinloom.pool_simulator",
    "PoolSolution": "spinloom.physics.engine",
    "PreparedSimulator": "spinloom.prepared_simulator",
    "Range": "spinloom.quantify.lorentzian_pools",
    "RequirementError": "spinloom.errors",
    "Requirements": "spinloom.interfaces",
    "RunInfo": "spinloom.interfaces",
    "Section": "spinloom.evaluation.report_content",
    "SemisolidPool": "spinloom.tissue.pools",
    "SequenceChanges": "spinloom.physics.sequence_changes",
    "SequenceError": "spinloom.errors",
    "Shot": "spinloom.sequence.shots",
    "Signal": "spinloom.interfaces",
    "Simulator": "spinloom.interfaces",
    "SpinloomError": "spinloom.errors",
    "Surrogate": "spinloom.interfaces",
    "Table": "spinloom.evaluation.report_content",
    "Timeline": "spinloom.sequence.timeline",
    "Tissue": "spinloom.tissue.pools",
    "TrainedSurrogate": "spinloom.learning.trained_surrogate",
    "Water": "spinloom.tissue.pools",
    "build_phantom": "spinloom.tissue.phantoms.door",
    "build_sequence": "spinloom.sequence_sources",
    "changed_timeline": "spinloom.physics.changed_timeline",
    "check_lines": "spinloom.reconstruction.line_check",
    "dictionary_of": "spinloom.quantify.dictionary",
    "differentiable_sequence": "spinloom.family_gradients",
    "downsample": "spinloom.tissue.phantoms.resampling",
    "draw_parameters": "spinloom.sequence_sources",
    "epg_echo_train": "spinloom.physics.epg",
    "epg_gradient_echoes": "spinloom.physics.epg",
    "epg_steady_state": "spinloom.physics.epg",
    "fit_bloch_mcconnell": "spinloom.quantify.bloch_mcconnell_fit",
    "fit_lorentzians": "spinloom.quantify.lorentzian_fit",
    "fit_wasabi": "spinloom.quantify.wasabi",
    "grid_centre": "spinloom.reconstruction.reconstruct",
    "hookimpl": "spinloom.hookspecs",
    "intervals": "spinloom.quantify.confidence",
    "labels": "spinloom.sequence.trajectory",
    "load_surrogate": "spinloom.learning.artefact",
    "match": "spinloom.quantify.matching",
    "mt_series": "spinloom.quantify.mt_series",
    "mtr_asymmetry": "spinloom.quantify.asymmetry",
    "offsets_ppm": "spinloom.physics.offsets",
    "open_set": "spinloom.learning.signal_set",
    "plot": "spinloom.evaluation.figures",
    "plot_curves": "spinloom.evaluation.curves",
    "plot_maps": "spinloom.evaluation.imaging_figures",
    "plugins": "spinloom.registry",
    "png": "spinloom.evaluation.canvas",
    "posterior": "spinloom.quantify.posterior",
    "read_dictionary": "spinloom.quantify.dictionary",
    "read_kspace": "spinloom.kspace_files",
    "read_parameters": "spinloom.signal_files",
    "read_phantom": "spinloom.tissue.phantoms.phantom_files",
    "read_sequence": "spinloom.sequence_sources",
    "read_signal": "spinloom.signal_files",
    "read_tissue": "spinloom.tissue.files",
    "reconstruct": "spinloom.reconstruction.reconstruct",
    "resample": "spinloom.tissue.phantoms.resampling",
    "saturation_protocol": "spinloom.sequence.protocol",
    "sequence_families": "spinloom.sequence_sources",
    "shots": "spinloom.sequence.shots",
    "simulate": "spinloom.tasks.simulate",
    "solve_phantom": "spinloom.physics.imaging.engine",
    "solve_pools": "spinloom.physics.engine",
    "span": "spinloom.evaluation.wording",
    "svg": "spinloom.evaluation.canvas",
    "trajectory": "spinloom.sequence.trajectory",
    "wasabi_pulse": "spinloom.quantify.wasabi",
    "write_complex": "spinloom.reconstruction.image_files",
    "write_kspace": "spinloom.kspace_files",
    "write_magnitude": "spinloom.reconstruction.image_files",
    "write_phantom": "spinloom.tissue.phantoms.phantom_files",
    "write_raw_data": "spinloom.reconstruction.raw_data",
    "write_sequence": "spinloom.sequence_sources",
}


def __getattr__(name: str) -> Any:
    """Import the home of `name` at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
