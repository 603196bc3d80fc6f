"""What a run of CEST-weighted imaging reports of its own: maps of saturation and asymmetry, and spectra of tissues."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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
    span,
    svg,
)

WEIGHTED_PPM = 3.5
"""Where amide protons are: the offset that a map shows, or the one nearest to it."""

_FAR_PPM = 100.0
_FAINT = 0.1
"""Voxels of less than this share of the brightest are left out of maps."""


@dataclass(frozen=True, eq=False)
class Saturation:
    """Images over the M0 scan.

    offsets: of each image [ppm], shape `(images,)`
    scans: which images are M0 scans, shape `(images,)`
    z: of every voxel, shape `(y, x, images)`
    bright: voxels that hold anything, shape `(y, x)`
    """

    offsets: np.ndarray
    scans: np.ndarray
    z: Tensor
    bright: Tensor

    @cached_property
    def pairs(self) -> np.ndarray:
        """Offsets that have a counterpart on the other side [ppm], shape `(pairs,)`."""
        return mtr_asymmetry(self.offsets, self.z, self.scans)[0]

    @cached_property
    def percent(self) -> Tensor:
        """MTR asymmetry at the pair nearest to amide protons [%], shape `(y, x)`."""
        return 100 * mtr_asymmetry(self.offsets, self.z, self.scans)[1][..., self.weighted]

    @property
    def weighted(self) -> int:
        """Number of the pair nearest to amide protons."""
        return int(np.abs(self.pairs - WEIGHTED_PPM).argmin())


def saturation_sections(timeline: Timeline, subject: Phantom, image: Image) -> tuple[Section, ...]:
    """Maps at amide's offset and the spectra of the tissues; nothing without an M0 scan and two offsets beside it."""
    offsets = image_offsets(timeline, subject)
    scans = np.abs(offsets) > _FAR_PPM
    if image.data.shape[0] != offsets.size or not scans.any() or (~scans).sum() < 2:
        return ()
    magnitude = image.magnitude[:, image.data.shape[2] // 2]
    m0 = magnitude[torch.tensor(scans)].mean(0)
    bright = m0 > _FAINT * m0.max()
    z = torch.movedim(magnitude / torch.where(bright, m0, torch.ones_like(m0)), 0, -1)
    saturated = Saturation(offsets, scans, z, bright)
    blocks: list[Block] = []
    if saturated.pairs.size:
        blocks.append(_maps(image, saturated))
    blocks += _spectra(subject, image, saturated)
    return (Section("Saturation", tuple(blocks)),)


def image_offsets(timeline: Timeline, subject: Phantom) -> np.ndarray:
    """Offset of the saturation before each image [ppm], shape `(images,)`."""
    assert subject.pools is not None
    played, _ = offsets_ppm(timeline, subject.pools.tissue)
    first = np.cumsum([0, *(shot.readouts for shot in shots(timeline))])[:-1]
    return played[first]


def _maps(image: Image, saturated: Saturation) -> Picture:
    where = saturated.pairs[saturated.weighted]
    nearest = int(np.abs(saturated.offsets - where).argmin())
    asymmetry = "MTR asymmetry [%]"
    maps = {
        f"Z at {where:.3g} ppm": _inside(saturated.z[..., nearest], saturated.bright),
        asymmetry: _inside(saturated.percent, saturated.bright),
    }
    told = f"Saturated image over M0 at {where:.3g} ppm, and the asymmetry there"
    caption = f"Both at {where:.3g} ppm, which is nearest to amide protons."
    return Picture(png(plot_maps(maps, image.fov, signed=(asymmetry,))), caption, told)


def _inside(values: Tensor, bright: Tensor) -> np.ndarray:
    shown: np.ndarray = torch.where(bright, values, float("nan")).detach().cpu().numpy()
    return shown


def _spectra(subject: Phantom, image: Image, saturated: Saturation) -> tuple[Block, ...]:
    """The median spectrum of each tissue, where image and phantom share a grid, the lowest at the left end first."""
    pools = subject.pools
    assert pools is not None
    index = pools.index[subject.shape[0] // 2]
    if index.shape != saturated.bright.shape or image.fov[:2] != subject.fov[:2]:
        return ()
    order = np.flatnonzero(~saturated.scans)[np.argsort(-saturated.offsets[~saturated.scans])]
    curves, rows = {}, []
    for number in torch.unique(index[index >= 0]).tolist():
        chosen = (index == number) & saturated.bright
        if not bool(chosen.any()):
            continue
        name = pools.names[number] if number < len(pools.names) else f"tissue {number + 1}"
        middle = saturated.z[chosen].median(0).values[order].double()
        curves[name] = (saturated.offsets[order], middle)
        asymmetry = f"{span(saturated.percent[chosen].median(), '.2f')} %" if saturated.pairs.size else ""
        rows.append((name, f"{int(chosen.sum()):,}", f"{float(middle.min()):.3f}", asymmetry))
    if not curves:
        return ()
    curves = dict(sorted(curves.items(), key=lambda item: float(item[1][1][0])))
    figure = plot_curves(curves, "Z, median of each tissue's voxels", "Saturation offset [ppm]")
    figure.axes[0].invert_xaxis()
    told = "Z-spectrum of each tissue, read from the images"
    names = ("Tissue", "Voxels", "Smallest Z", "MTR asymmetry")
    return Picture(svg(figure), "", told), Table(names, tuple(rows), "Medians of each tissue's voxels.")
