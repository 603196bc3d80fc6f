"""Figures inside a page: SVG taken in as elements, PNG as data, neither fetching anything.

An SVG may come from any room, so its names are made unique to the page, and one that could run a script or reach
out of the page is refused.
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree
from html import escape

from spinloom.evaluation.report_content import Picture, ReportError

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ACTIVE = {f"{{{_SVG}}}{name}" for name in ("script", "foreignObject", "a", "animate", "set", "iframe")}
_REACHES_OUT = re.compile(r"url\(\s*[\"']?(?!#)|@import|javascript:", re.IGNORECASE)

ElementTree.register_namespace("", _SVG)
ElementTree.register_namespace("xlink", _XLINK)


def embedded(picture: Picture, prefix: str) -> str:
    """The picture as HTML; `prefix` sets its names apart from those of other pictures on the page."""
    if picture.image.startswith(_PNG_SIGNATURE):
        data = base64.b64encode(picture.image).decode()
        return f'<img src="data:image/png;base64,{data}" alt="{escape(picture.alternative)}">'
    try:
        root = ElementTree.fromstring(picture.image)
    except ElementTree.ParseError as error:
        raise _refusal(picture, f"is neither PNG nor readable SVG ({error}); export it as one of them") from error
    if root.tag != f"{{{_SVG}}}svg":
        raise _refusal(picture, f"has the root element '{root.tag}'; export it as SVG or PNG")
    for metadata in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(metadata)
    for element in root.iter():
        _refuse_active(picture, element)
        _rename(element, prefix)
    _describe(root, picture.alternative)
    return ElementTree.tostring(root, encoding="unicode")


def _refuse_active(picture: Picture, element: ElementTree.Element) -> None:
    if element.tag in _ACTIVE or any(name.lower().startswith("on") for name in element.attrib):
        raise _refusal(picture, "holds active content; export it as a plain drawing")
    links = [value for name, value in element.attrib.items() if _is_link(name)]
    outside = any(not link.startswith(("#", "data:image/")) for link in links)
    style = element.text or "" if element.tag == f"{{{_SVG}}}style" else ""
    written = [style, *(value for name, value in element.attrib.items() if not _is_link(name))]
    if outside or any(_REACHES_OUT.search(text) for text in written):
        raise _refusal(picture, "refers to something outside itself; embed what it needs")


def _is_link(name: str) -> bool:
    return name in ("href", "src", f"{{{_XLINK}}}href")


def _rename(element: ElementTree.Element, prefix: str) -> None:
    """Put `prefix` before every name that the element bears or refers to."""
    for name, value in element.attrib.items():
        if name == "id":
            element.set(name, f"{prefix}-{value}")
        elif _is_link(name) and value.startswith("#"):
            element.set(name, f"#{prefix}-{value[1:]}")
        elif "url(#" in value:
            element.set(name, value.replace("url(#", f"url(#{prefix}-"))


def _describe(root: ElementTree.Element, alternative: str) -> None:
    """Let the page choose the size, and name the drawing to those who cannot see it."""
    if "viewBox" in root.attrib:
        root.attrib.pop("width", None)
        root.attrib.pop("height", None)
    root.set("role", "img")
    root.set("aria-label", alternative)


def _refusal(picture: Picture, reason: str) -> ReportError:
    return ReportError(f"The figure '{picture.caption or picture.alternative}' {reason}.")
