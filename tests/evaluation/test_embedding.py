"""Figures go into a page under names of their own, and none that could act or reach out of it."""

from __future__ import annotations

import re

import pytest
from matplotlib.figure import Figure

from spinloom.evaluation.canvas import png, svg
from spinloom.evaluation.embedding import embedded
from spinloom.evaluation.report_content import Picture, ReportError


def drawing() -> Figure:
    figure = Figure()
    figure.subplots().plot([0, 1], [0, 1], marker="o")
    return figure


def picture(image: bytes) -> Picture:
    return Picture(image, "Pulses", 'a "line"')


def with_svg(inside: str) -> Picture:
    links = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return picture(f"<svg {links} viewBox='0 0 1 1'>{inside}</svg>".encode())


def test_names_are_apart_and_every_reference_still_meets_its_target() -> None:
    first, second = (embedded(picture(svg(drawing())), prefix) for prefix in ("a", "b"))
    names = [set(re.findall(r'id="([^"]+)"', html)) for html in (first, second)]
    assert names[0].isdisjoint(names[1])
    references = set(re.findall(r'href="#([^"]+)"', first)) | set(re.findall(r"url\(#([^)]+)\)", first))
    assert references
    assert references <= names[0]


def test_the_page_chooses_the_size_and_the_words_stand_for_the_drawing() -> None:
    opening = embedded(picture(svg(drawing())), "a").split(">")[0]
    assert "viewBox=" in opening
    assert "width=" not in opening
    assert 'role="img" aria-label="a &quot;line&quot;"' in opening


def test_a_png_becomes_data_with_its_words() -> None:
    html = embedded(picture(png(drawing(), dpi=30)), "a")
    assert html.startswith('<img src="data:image/png;base64,')
    assert 'alt="a &quot;line&quot;"' in html


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<rect onload='alert(1)'/>",
        "<a href='#x'><rect/></a>",
        "<foreignObject/>",
        "<set attributeName='href'/>",
    ],
)
def test_active_content_is_refused(inside: str) -> None:
    with pytest.raises(ReportError, match="'Pulses' holds active content; export it as a plain drawing"):
        embedded(with_svg(inside), "a")


@pytest.mark.parametrize(
    "inside",
    [
        "<image href='https://example.org/x.png'/>",
        "<use xlink:href='other.svg#x'/>",
        "<image href='data:text/html,x'/>",
        "<style>@import 'x.css';</style>",
        "<rect style='fill: url(x.svg#y)'/>",
        "<use href='#x' style='fill: url(x.svg#y)'/>",
        "<rect fill='url( &quot;https://example.org/x#y&quot;)'/>",
    ],
)
def test_references_to_the_outside_are_refused(inside: str) -> None:
    with pytest.raises(ReportError, match="refers to something outside itself; embed what it needs"):
        embedded(with_svg(inside), "a")


@pytest.mark.parametrize("image", [b"", b"GIF89a", b"<svg", b"<html/>"])
def test_other_formats_are_refused(image: bytes) -> None:
    with pytest.raises(ReportError, match=r"The figure 'Pulses' .*export it as"):
        embedded(picture(image), "a")
