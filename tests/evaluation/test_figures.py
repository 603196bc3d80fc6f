"""Figures show what was measured, on the axis that the field expects, and come out the same every time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from spinloom.errors import OutputError
from spinloom.evaluation.canvas import png, save, svg
from spinloom.evaluation.figures import plot
from spinloom.interfaces import Signal
from spinloom.quantify.zspectrum import z_spectrum

MEASURED = np.loadtxt(Path(__file__).parents[1] / "data" / "seven_pool_aptw_reference.csv")
OFFSETS = np.concatenate([[-300.0], np.arange(-4, 4.25, 0.25)])


def signal(mz: torch.Tensor, offsets: np.ndarray = OFFSETS, mxy: float = 0.0) -> Signal:
    count = offsets.size
    transverse = torch.full(mz.shape, mxy, dtype=torch.complex128)
    return Signal(mz, transverse, np.arange(count, dtype=float), np.arange(count), offsets)


@pytest.fixture
def apt() -> Signal:
    return signal(torch.from_numpy(MEASURED))


def words(figure: Figure) -> str:
    return svg(figure).decode()


def test_the_spectrum_is_drawn_without_its_m0_scan_on_a_reversed_axis(apt: Signal) -> None:
    upper, _ = plot(apt).axes
    offsets, z = upper.lines[0].get_data()
    np.testing.assert_array_equal(offsets, OFFSETS[1:])
    np.testing.assert_array_equal(z, MEASURED[1:] / MEASURED[0])
    left, right = upper.get_xlim()
    assert left > 4 > -4 > right > -10


def test_asymmetry_lies_below_on_the_same_axis_with_its_largest_value_written(apt: Signal) -> None:
    upper, lower = plot(apt).axes
    assert lower.get_shared_x_axes().joined(upper, lower)
    assert [text.get_text() for text in lower.texts] == ["0.60 % at 1.75 ppm"]
    assert "M₀ 0.988 at \N{MINUS SIGN}300 ppm" in words(plot(apt))


def test_axes_name_quantity_and_unit(apt: Signal) -> None:
    text = words(plot(apt))
    for name in ("Mz / M₀", "Saturation offset [ppm]", "MTR asymmetry"):
        assert name in text


def test_the_order_of_measurements_does_not_change_the_curve(apt: Signal) -> None:
    order = np.random.default_rng(0).permutation(OFFSETS.size)
    shuffled = plot(signal(torch.from_numpy(MEASURED[order]), OFFSETS[order]))
    np.testing.assert_array_equal(shuffled.axes[0].lines[0].get_xydata(), plot(apt).axes[0].lines[0].get_xydata())


def test_one_sided_offsets_get_no_asymmetry_panel() -> None:
    assert len(plot(signal(torch.ones(4), np.array([1.0, 2.0, 3.0, 4.0]))).axes) == 1


def test_negative_magnetisation_is_inside_the_panel() -> None:
    upper = plot(signal(torch.linspace(-1, 1, 34))).axes[0]
    assert upper.get_ylim()[0] < upper.lines[0].get_ydata().min() < 0


def test_rounding_noise_does_not_fill_the_asymmetry_panel() -> None:
    noise = torch.from_numpy(1 - 1 / (1 + OFFSETS**2) + 1e-14 * np.sin(np.arange(34)))
    low, high = plot(signal(noise)).axes[1].get_ylim()
    assert low < -0.04 < 0.04 < high


def test_a_fingerprint_is_drawn_by_measurement() -> None:
    mz = torch.linspace(0.2, 0.6, 30)
    (axes,) = plot(signal(mz, np.array([-300.0] + [3.0] * 20 + [np.nan] + [3.0] * 8))).axes
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), np.arange(1, 31))
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), mz.double())
    assert axes.get_xlabel() == "Measurement"


def test_a_fingerprint_with_a_readout_pulse_shows_transverse_magnetisation_by_name() -> None:
    (axes,) = plot(signal(torch.linspace(0.2, 0.6, 30), np.full(30, 3.0), mxy=0.4)).axes
    np.testing.assert_allclose(axes.lines[1].get_ydata(), 0.4)
    assert [text.get_text() for text in axes.texts] == ["Mz", "|Mxy|"]


def test_a_sequence_of_m0_scans_alone_is_still_drawn() -> None:
    (axes,) = plot(signal(torch.ones(3), np.full(3, np.nan))).axes
    assert axes.lines[0].get_xdata().tolist() == [1, 2, 3]


def test_a_batch_is_drawn_as_median_band_and_few_tissues() -> None:
    factors = torch.linspace(0.5, 1.0, 101, dtype=torch.float64)[:, None]
    batch = torch.cat([torch.ones(101, 1), factors * torch.from_numpy(MEASURED[1:])], dim=1)
    upper = plot(signal(batch)).axes[0]
    np.testing.assert_allclose(upper.lines[-1].get_ydata(), 0.75 * MEASURED[1:])
    assert len(upper.lines) == 6
    (band,) = upper.collections
    edges = band.get_paths()[0].vertices
    at_edge = edges[edges[:, 0] == -4.0, 1]
    assert (at_edge.min(), at_edge.max()) == pytest.approx((0.525 * MEASURED[1], 0.975 * MEASURED[1]))
    assert "median and 5 to 95 % of 101 tissues" in words(plot(signal(batch)))


def test_a_z_spectrum_draws_as_its_signal_does(apt: Signal) -> None:
    assert svg(plot(z_spectrum(apt))) == svg(plot(apt))


@pytest.mark.parametrize("export", [svg, png])
def test_the_same_signal_gives_the_same_bytes(apt: Signal, export: object) -> None:
    assert callable(export)
    assert export(plot(apt)) == export(plot(apt))


@pytest.mark.parametrize(("name", "begin"), [("z.svg", b"<?xml"), ("z.PNG", b"\x89PNG")])
def test_the_ending_of_the_path_chooses_the_format(apt: Signal, tmp_path: Path, name: str, begin: bytes) -> None:
    plot(apt, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(begin)


def test_an_unknown_ending_is_refused_with_the_known_ones(apt: Signal, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"z\.jpeg'.*Known: \.png, \.svg\."):
        plot(apt, tmp_path / "z.jpeg")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_refused_by_name(apt: Signal, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"z\.svg cannot be written to .*nowhere: No such file or directory"):
        save(plot(apt), tmp_path / "nowhere" / "z.svg")


def test_drawing_needs_no_pyplot_and_leaves_settings_alone() -> None:
    script = (
        "import sys, matplotlib, torch, numpy as np\n"
        "from spinloom.evaluation.figures import plot\n"
        "from spinloom.evaluation.canvas import svg\n"
        "from spinloom.interfaces import Signal\n"
        "names = [name for name in matplotlib.rcParams if name.startswith(('svg.', 'font.', 'axes.'))]\n"
        "before = [matplotlib.rcParams[name] for name in names]\n"
        "svg(plot(Signal(torch.ones(3), torch.zeros(3), np.arange(3.), np.arange(3), np.array([-1., 0., 1.]))))\n"
        "assert [matplotlib.rcParams[name] for name in names] == before\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
