"""The check of the built site finds what a reader without a network would miss."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).parents[2] / "docs" / "site" / "check_site.py"
SOUND = '<h1 id="top">Title</h1><a href="other.html#there">on</a><a href="https://pulseq.github.io">out</a>'


def check(folder: Path, page: str, style: str = "") -> subprocess.CompletedProcess[str]:
    """What the check says of a site of two pages and a style sheet."""
    (folder / "index.html").write_text(page, encoding="utf-8")
    (folder / "other.html").write_text('<p id="there">', encoding="utf-8")
    (folder / "style.css").write_text(style, encoding="utf-8")
    return subprocess.run([sys.executable, str(CHECK), str(folder)], capture_output=True, text=True)


def test_a_sound_site_passes_with_links_to_elsewhere(tmp_path: Path) -> None:
    done = check(tmp_path, SOUND)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("page", "style", "sentence"),
    [
        ('<a href="gone.html">', "", "index.html links to gone.html, which is not there."),
        ('<a href="other.html#gone">', "", "index.html links to other.html#gone, which is not there."),
        ('<a href="#gone">', "", "index.html links to #gone, which is not there."),
        ('<img src="gone.png">', "", "index.html links to gone.png, which is not there."),
        ('<script src="https://cdn.example/x.js">', "", "index.html fetches https://cdn.example/x.js."),
        ('<link rel="stylesheet" href="//fonts.example/f">', "", "index.html fetches //fonts.example/f."),
        ("", "@import url('https://fonts.example/f.css');", "style.css fetches https://fonts.example/f.css."),
        ("", "p { background: url(//pictures.example/p.png) }", "style.css fetches //pictures.example/p.png."),
    ],
    ids=["page", "anchor", "own anchor", "picture", "script", "style sheet", "import", "background"],
)
def test_it_complains_of_a_missing_or_foreign(tmp_path: Path, page: str, style: str, sentence: str) -> None:
    done = check(tmp_path, page, style)
    assert done.returncode == 1
    assert done.stdout.strip() == sentence
