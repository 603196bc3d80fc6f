"""Links within the repository lead to files and headings that are there, on the pages as they are."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\(([^)\s]+)\)")
NAMED = re.compile(r"(?<=[` ])((?:\w+/)+\w+\.py|(?:tests|conf)/[\w/]+)(?=[` ])")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def test_every_link_of_the_page_leads_somewhere(linking_page: Path) -> None:
    page = linking_page
    text = page.read_text(encoding="utf-8")
    targets = [link for link in LINK.findall(CODE.sub("`", text)) if not re.match(r"[a-z]+:", link)]
    for target in targets:
        path, _, anchor = target.partition("#")
        file = (page.parent / unquote(path)).resolve() if path else page
        assert file.exists(), f"{page.name} links to {target}, which is not there"
        assert not anchor or anchor in anchors(file), f"{page.name} links to {target}, a heading that is not there"


def test_every_file_of_the_repository_that_the_page_names_is_there(linking_page: Path) -> None:
    """Programs, modules and folders in code, as they are named from the top, from `framework/spinloom` or from here."""
    text = linking_page.read_text(encoding="utf-8")
    for path in NAMED.findall(text):
        places = (ROOT, ROOT / "framework", ROOT / "framework" / "spinloom", linking_page.parent)
        assert any((place / path).exists() for place in places), f"{linking_page.name} names {path}, which is not there"


def anchors(page: Path) -> set[str]:
    """The headings of a page as anchors: small letters, hyphens for blanks, and no other marks."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
