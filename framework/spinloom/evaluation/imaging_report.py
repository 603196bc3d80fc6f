"""The report of a simulated image: phantom, k-space, image, timing, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spinloom.evaluation.report_content import Block, Code, Facts, Notes, Picture, ReportContent, Section, Table
from spinloom.evaluation.wording import seconds
from spinloom.interfaces import KSpace
from spinloom.reconstruction.image import Image
from spinloom.tissue.phantom import Phantom

_BY = " \N{MULTIPLICATION SIGN} "


def imaging_report(
    *,
    phantom: Phantom,
    kspace: KSpace,
    image: Image | None,
    figures: Mapping[str, bytes],
    sequence: Mapping[str, str],
    notes: Sequence[str],
    metrics: Mapping[str, float],
    timings: Mapping[str, float],
    provenance: Mapping[str, str],
    config: str,
    sections: Sequence[Section] = (),
) -> ReportContent:
    """Compose the report of one simulated image.

    image: None where the samples make up none; `notes` says why
    figures: SVG or PNG by name, of `image`, `kspace`, `phantom`, `sequence` and what it plays as `preparation`
    sequence: facts of the sequence
    notes: what was idealised or approximated, in sentences
    metrics: numbers of the run by name
    timings: duration of each step [s]
    provenance, config: where the run came from, and the resolved configuration as text
    sections: what the simulator itself reports; they follow the image
    """
    headline = describe_image(phantom, kspace, image)
    pictures = {
        "Image": ("image", " ".join(headline)),
        "K-space": ("kspace", "Magnitude of the samples where the trajectory took them"),
        "Phantom": ("phantom", "Maps of the phantom"),
    }
    shown: dict[str, tuple[Block, ...]] = {
        title: (Picture(figures[name], "", alternative),)
        for title, (name, alternative) in pictures.items()
        if name in figures
    }
    played = {
        "preparation": "What is played before a shot.",
        "sequence": "The shot." if "preparation" in figures else "",
    }
    parts: dict[str, tuple[Block, ...]] = {
        "Sequence": (
            *(
                Picture(figures[name], caption, "RF, gradients and ADC against time")
                for name, caption in played.items()
                if name in figures
            ),
            Facts(tuple(sequence.items())),
        ),
        "Metrics": (Table(("Metric", "Value"), tuple((name, f"{value:.4g}") for name, value in metrics.items())),),
        "What was idealised": (Notes(tuple(notes)),) if notes else (),
        "Timings": (Table(("Step", "Time"), tuple((name, seconds(value)) for name, value in timings.items())),),
        "Provenance": (Facts(tuple(provenance.items())), Code("Resolved configuration", config)),
    }
    first = [Section("Image", shown.pop("Image"))] if "Image" in shown else []
    return ReportContent(
        title=f"{'Images' if image is not None and image.data.shape[0] > 1 else 'Image'} of {phantom.name}",
        summary=headline,
        highlights=Facts(tuple(_highlights(phantom, kspace, image).items())),
        sections=(
            *first,
            *sections,
            *(Section(title, blocks) for title, blocks in {**shown, **parts}.items() if blocks),
        ),
        kind="Spinloom simulation",
    )


def describe_image(phantom: Phantom, kspace: KSpace, image: Image | None) -> tuple[str, ...]:
    """What was simulated, in sentences."""
    spins = _BY.join(str(count) for count in reversed(phantom.shape))
    what = (
        f"'{phantom.name}' of {spins} spins, {kspace.samples.shape[-1]:,} samples in {kspace.measurements:,} readouts"
    )
    if image is None:
        return (f"{what}; they make up no image.",)
    frames, coils, *grid = image.data.shape
    size = _BY.join(str(count) for count in reversed(grid))
    several = f"{frames} images" if frames > 1 else "one image"
    received = f" from {coils} coils" if coils > 1 else ""
    return (f"{what}; {several} of {size} voxels{received}.",)


def _highlights(phantom: Phantom, kspace: KSpace, image: Image | None) -> dict[str, str]:
    extent = _BY.join(f"{1e3 * length:.4g}" for length in phantom.fov)
    facts = {"Spins": f"{phantom.voxels:,}", "Field of view of the phantom": f"{extent} mm"}
    if image is not None:
        facts["Image"] = _BY.join(str(count) for count in reversed(image.data.shape[2:]))
    return {**facts, "First to last sample": seconds(float(np.ptp(kspace.time))) if kspace.time.size else "none"}


def image_metrics(kspace: KSpace, image: Image | None) -> dict[str, float]:
    """Numbers of a run: of the samples, and of the image's magnitude."""
    strength = kspace.samples.detach().abs()
    metrics = {"kspace_max": float(strength.max()), "kspace_rms": float(np.sqrt(float(strength.square().mean())))}
    if image is not None:
        magnitude = image.magnitude.detach()
        metrics |= {"image_max": float(magnitude.max()), "image_mean": float(magnitude.mean())}
    return metrics
