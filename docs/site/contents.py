"""Guides that no table of contents names are listed at the end of that of the front page."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

PLACE = "FURTHER GUIDES"


def setup(app: Sphinx) -> dict[str, bool]:
    """Fill the place in `index.md`."""
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True}


def _fill(app: Sphinx, page: str, source: list[str]) -> None:
    if page == "index":
        named = set(re.findall(r"^([\w/-]+)$", source[0], flags=re.MULTILINE))
        guides = sorted(path.stem for path in Path(app.srcdir).glob("*.md"))
        source[0] = source[0].replace(PLACE, "\n".join(name for name in guides if name not in {*named, "index"}))
