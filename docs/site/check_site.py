"""Check a built site: every link within it leads somewhere, and no page fetches anything from elsewhere.

python docs/site/check_site.py build/site
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHING = {"img": "src", "script": "src", "iframe": "src", "source": "src", "object": "data", "link": "href"}
"""Elements whose address a browser fetches by itself."""

FETCHED_BY_STYLE = re.compile(r"(?:@import\s+(?:url\()?|url\()\s*['\"]?((?:https?:)?//[^'\")]+)")


@dataclass
class Page(HTMLParser):
    """What a page links to, what it fetches, and the anchors that it has."""

    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses and anchors of one element."""
        given = {name: value for name, value in attrs if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if FETCHING.get(tag) in given:
            self.fetched.append(given[FETCHING[tag]])


def complaints(site: Path) -> Iterator[str]:
    """A sentence for each link that leads nowhere and each address that is fetched from elsewhere."""
    pages = {path.resolve(): _read(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        for address in page.fetched:
            if urlsplit(address).netloc:
                yield f"{name} fetches {address}."
        for address in (*page.links, *page.fetched):
            if not _leads_somewhere(path, address, pages):
                yield f"{name} links to {address}, which is not there."
    for style in sorted(site.rglob("*.css")):
        for address in FETCHED_BY_STYLE.findall(style.read_text(encoding="utf-8")):
            yield f"{style.relative_to(site)} fetches {address}."


def _read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _leads_somewhere(source: Path, address: str, pages: dict[Path, Page]) -> bool:
    """Whether a link within the site has its file and its anchor; links to other places count as leading there."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return True
    target = (source.parent / unquote(parts.path)).resolve() if parts.path else source
    if not parts.fragment or target not in pages:
        return target.exists()
    return unquote(parts.fragment) in pages[target].anchors


if __name__ == "__main__":
    found = list(complaints(Path(sys.argv[1])))
    print("\n".join(found) or "Every link within the site leads somewhere, and nothing is fetched from elsewhere.")
    sys.exit(bool(found))
