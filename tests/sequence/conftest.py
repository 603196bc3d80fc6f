"""Fixtures of the sequence room: a small file that uses every table, and files written from text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pypulseq as pp
import pytest


@pytest.fixture
def seq_file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes text (or bytes) as a `.seq` file and returns its path."""

    def write(text: str | bytes) -> Path:
        path = tmp_path / "test.seq"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture(scope="session")
def whole_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of version 1.5 with every table that Spinloom reads, as pypulseq writes it."""
    return written_everything(tmp_path_factory.mktemp("everything"), older=False)


@pytest.fixture(scope="session")
def whole_text_141(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same sequence in version 1.4.1, without what only 1.5 knows."""
    return written_everything(tmp_path_factory.mktemp("everything141"), older=True)


def written_everything(folder: Path, older: bool) -> str:
    """Text of a sequence of a few blocks that uses RF, gradients of every kind, ADC, labels, triggers and delays."""
    system = pp.Opts(rf_dead_time=100e-6, rf_ringdown_time=30e-6, adc_dead_time=10e-6)
    sequence = pp.Sequence(system)
    sequence.set_definition("Name", "everything")
    sequence.set_definition("FOV", [0.2, 0.2, 0.005])
    sequence.add_block(pp.make_delay(1e-3))
    block = pp.make_block_pulse(
        np.pi / 2, duration=2e-3, delay=1e-4, freq_offset=200.0, system=system, use="saturation"
    )
    sequence.add_block(block, pp.make_label("SLC", "SET", 3))
    sinc, slice_gradient, rewinder = pp.make_sinc_pulse(
        np.pi / 6, duration=1e-3, slice_thickness=5e-3, return_gz=True, system=system, use="excitation", delay=1e-4
    )
    sequence.add_block(sinc, slice_gradient)
    sequence.add_block(rewinder, pp.make_trapezoid("x", area=-100.0, duration=1e-3, system=system))
    readout = pp.make_trapezoid("x", flat_area=200.0, flat_time=1.28e-3, system=system)
    adc = pp.make_adc(16, dwell=8e-5, delay=readout.rise_time, phase_offset=0.5, system=system)
    sequence.add_block(readout, adc, pp.make_label("LIN", "INC", 1), pp.make_label("SLC", "SET", 0))
    times = np.array([0.0, 1e-4, 4e-4, 5e-4])
    sequence.add_block(pp.make_extended_trapezoid("y", amplitudes=np.array([0.0, 1e5, 1e5, 0.0]), times=times))
    hump = 1e5 * np.sin(np.linspace(0, np.pi, 40)) ** 2
    sequence.add_block(
        pp.make_arbitrary_grad("z", hump, system=system), pp.make_digital_output_pulse("osc0", 0.0, 1e-4)
    )
    sequence.add_block(pp.make_trigger("physio1", duration=2e-3))
    if not older:
        sequence.add_block(pp.make_soft_delay("TE", default_duration=5e-3))
    path = folder / "everything.seq"
    sequence.write(str(path), v141_compat=older)
    return path.read_text()
