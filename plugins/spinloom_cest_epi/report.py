"""What a run of CEST-weighted imaging reports of its own: maps of saturation and asymmetry, and spectra of tissues."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spinloom import (
    Block,
    Image,
    Phantom,
    Picture,
    Section,
    Table,
    Timeline,
    mtr_asymmetry,
    offsets_ppm,
    plot_curves,
    plot_maps,
    png,
    shots,
    svg,
)

WEIGHTED_PPM = 3.5
"""Where amide protons are: the offset that a map shows, or the one nearest to it."""

_FAR_PPM = 100.0
_FAINT = 0.1
"""Voxels of less than this share of the brightest are left out of maps."""


def saturation_sections(timeline: Timeline, subject: Phantom, image: Image) -> tuple[Section, ...]:
    """Maps at amide's offset and the spectra of the tissues; nothing without an M0 scan and offsets on both sides."""
    offsets = image_offsets(timeline, subject)
    scans = np.abs(offsets) > _FAR_PPM
    if image.data.shape[0] != offsets.size or not scans.any() or (~scans).sum() < 2:
        return ()
    magnitude = image.magnitude[:, image.data.shape[2] // 2]
    m0 = magnitude[torch.tensor(scans)].mean(0)
    bright = m0 > _FAINT * m0.max()
    z = magnitude / torch.where(bright, m0, torch.ones_like(m0))
    spectra = torch.movedim(z, 0, -1)
    blocks: list[Block] = []
    pairs, asymmetry = mtr_asymmetry(offsets, spectra, scans)
    if pairs.size:
        blocks.append(_maps(image, offsets, z, bright, pairs, asymmetry))
    blocks += _spectra(subject, image, offsets, spectra, bright, scans)
    return (Section("Saturation", tuple(blocks)),)


def image_offsets(timeline: Timeline, subject: Phantom) -> np.ndarray:
    """Offset of the saturation before each image [ppm], shape `(images,)`."""
    assert subject.pools is not None
    played, _ = offsets_ppm(timeline, subject.pools.tissue)
    first = np.cumsum([0, *(shot.readouts for shot in shots(timeline))])[:-1]
    return played[first]


def _maps(
    image: Image, offsets: np.ndarray, z: Tensor, bright: Tensor, pairs: np.ndarray, asymmetry: Tensor
) -> Picture:
    place = int(np.abs(pairs - WEIGHTED_PPM).argmin())
    nearest = int(np.abs(offsets - pairs[place]).argmin())
    percent = "MTR asymmetry [%]"
    maps = {
        f"Z at {offsets[nearest]:.3g} ppm": _inside(z[nearest], bright),
        percent: _inside(100 * asymmetry[..., place], bright),
    }
    told = f"Saturated image over M0 at {offsets[nearest]:.3g} ppm, and the asymmetry there"
    return Picture(png(plot_maps(maps, image.fov, signed=(percent,))), f"Both at {pairs[place]:.3g} ppm.", told)


def _inside(values: Tensor, bright: Tensor) -> np.ndarray:
    shown: np.ndarray = torch.where(bright, values, float("nan")).detach().cpu().numpy()
    return shown


def _spectra(
    subject: Phantom, image: Image, offsets: np.ndarray, spectra: Tensor, bright: Tensor, scans: np.ndarray
) -> tuple[Block, ...]:
    """The median spectrum of each tissue, where image and phantom share a grid."""
    pools = subject.pools
    assert pools is not None
    index = pools.index[subject.shape[0] // 2]
    if tuple(index.shape) != tuple(spectra.shape[:2]) or image.fov[:2] != subject.fov[:2]:
        return ()
    order = np.flatnonzero(~scans)[np.argsort(offsets[~scans])]
    curves, rows = {}, []
    for number in torch.unique(index[index >= 0]).tolist():
        chosen = (index == number) & bright
        if not bool(chosen.any()):
            continue
        name = pools.names[number] if number < len(pools.names) else f"tissue {number + 1}"
        middle = spectra[chosen].median(0).values[order].double()
        curves[name] = (offsets[order], middle)
        rows.append((name, f"{int(chosen.sum()):,}", f"{float(middle.min()):.3f}"))
    if not curves:
        return ()
    figure = plot_curves(curves, "Z, median of each tissue's voxels", "Saturation offset [ppm]")
    figure.axes[0].invert_xaxis()
    told = "Z-spectrum of each tissue, read from the images"
    return Picture(svg(figure), "", told), Table(("Tissue", "Voxels", "Smallest Z"), tuple(rows))
