"""Samples off the grid give an object its place and size, within what their density tells."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from spinloom.errors import ConfigurationError, SequenceError
from spinloom.reconstruction.nonuniform import sample_areas
from spinloom.reconstruction.reconstruct import reconstruct
from spinloom.testing.fourier_sum import FOV, centred, grid_line, kspace_of, random_maps

N = 32
SQUARE = (FOV[0], FOV[0], FOV[2])


def disc(radius: float = 9.0, x: float = 3.0, y: float = -4.0) -> np.ndarray:
    """A disc of 0.7 in a map of 32 x 32 isochromats a side, off centre [voxels]."""
    rows, columns = np.meshgrid(centred(N), centred(N), indexing="ij")
    return 0.7 * (np.hypot(rows - y, columns - x) < radius)[None, None].astype(complex)


def spokes(count: int = 64) -> list[np.ndarray]:
    """Radial lines through the centre, twice as densely sampled as they need."""
    angles, along = np.arange(count) * np.pi / count, (np.arange(2 * N) + 0.5 - N) / 2
    return [np.outer(along, [np.cos(angle), np.sin(angle), 0]) / FOV[0] for angle in angles]


def spiral() -> list[np.ndarray]:
    """Sixteen interleaves out to the edge, half a cycle apart."""
    turn = np.sqrt(np.linspace(0, 1, 1200)) * N / 2
    waves = [np.stack([np.cos(turn * np.pi / 4 + a), np.sin(turn * np.pi / 4 + a)]) for a in np.arange(16) * np.pi / 8]
    return [np.pad((turn * wave).T / FOV[0], ((0, 0), (0, 1))) for wave in waves]


@pytest.mark.parametrize("lines", [spokes(), spiral()], ids=["radial", "spiral"])
def test_a_disc_has_its_place_and_size(lines: list[np.ndarray]) -> None:
    """Inside, away from its ringing edge, to the 3 % that 16 + 1/4 instead of 16 cells to the rim are in area."""
    image = reconstruct(kspace_of(disc(), lines, fov=SQUARE))
    assert image.data.shape == (1, 1, 1, N, N)
    inside = disc(6.0)[0, 0].real > 0
    found = image.data[0, 0, 0].numpy()
    assert found[inside].mean() == pytest.approx(0.7, rel=0.03)
    assert np.abs(found[disc(12.0)[0, 0].real == 0]).max() < 0.1
    assert any("samples off any grid" in note for note in image.notes)


def test_areas_of_a_grid_are_its_cells() -> None:
    """Away from the rim, where each sample has its neighbours; psi ends 1 / FOV away but for its side lobes."""
    grid = np.stack(np.meshgrid(centred(24), centred(24)), axis=-1).reshape(-1, 2) / 0.2
    areas = sample_areas(grid, np.array([0.2, 0.2])).reshape(24, 24)
    np.testing.assert_allclose(areas[4:-4, 4:-4], 1 / 0.2**2, rtol=0.01)


def test_a_grid_is_gridded_as_it_is_transformed() -> None:
    """An independent way to the same image: what is left is the density at the rim."""
    maps = disc()
    kspace = kspace_of(maps, [grid_line(centred(N), row, axes=(0, 1, 2)) for row in centred(N)])
    exact, gridded = (reconstruct(kspace, method=method).data for method in ("cartesian", "nufft"))
    assert (exact - gridded).abs().max() < 0.02 * exact.abs().max()


def test_frames_coils_and_the_origin_mean_what_they_mean_on_a_grid() -> None:
    """An object that turns along x has the k-space of one that does not, elsewhere."""
    maps = np.concatenate([disc(), 1j * disc()])
    lines = [line + np.array([3 / FOV[0], 0.0, 0.0]) for line in spokes()] * 2
    turning = maps * np.exp(-2j * np.pi * 3 * centred(N) / N)
    kspace = kspace_of(turning, lines, {"REP": [0] * 64 + [1] * 64}, fov=SQUARE)
    image = reconstruct(kspace, origin=(3 / FOV[0], 0.0, 0.0))
    assert image.data.shape == (2, 2, 1, N, N)
    assert image.frames["REP"].tolist() == [0, 1]
    plain = reconstruct(kspace_of(maps, spokes(), fov=SQUARE)).data[0]
    np.testing.assert_allclose(image.data[1], plain, atol=1e-6)  # transforms are good to 1e-9, areas iterate it


def test_volumes_are_gridded_in_three_dimensions() -> None:
    maps = np.zeros((1, 9, 9, 9), dtype=complex)
    maps[0, 5, 3, 6] = 1
    grid = np.stack(np.meshgrid(*[np.arange(18) / 2 - 4.25] * 3), axis=-1).reshape(-1, 3)
    k = (grid + np.random.default_rng(0).uniform(-0.2, 0.2, grid.shape)) / FOV
    image = reconstruct(kspace_of(maps, [k]), matrix=(9, 9, 9))
    found = image.data[0, 0].real
    assert np.unravel_index(int(found.argmax()), found.shape) == (5, 3, 6)
    assert float(found.max()) == pytest.approx((9.5 / 9) ** 3, rel=0.02)  # a quarter of a cell beyond either rim


def test_samples_at_one_point_make_no_image() -> None:
    with pytest.raises(SequenceError, match="lie at one point of k-space"):
        reconstruct(kspace_of(random_maps(1, 1, 4, 4), [np.zeros((5, 3))]))


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "finufft", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'spinloom\[nufft\]'"):
        reconstruct(kspace_of(disc(), spokes(), fov=SQUARE))
