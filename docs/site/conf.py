"""The documentation site: Sphinx builds it from the guides in `docs/` and the docstrings of the public names.

    make docs

Everything that a page needs is in the built folder: no font, script or picture comes from elsewhere.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # the extensions beside this file

import spinloom  # noqa: E402

project = "Spinloom"
author = "The Spinloom developers"
version = release = spinloom.__version__
copyright = author  # Sphinx asks for this name

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "commands",
    "docstrings",
    "equations",
    "contents",
]
exclude_patterns = ["site"]

html_theme = "furo"
html_title = f"Spinloom {version}"
html_static_path = ["static"]
html_css_files = ["spinloom.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style, pygments_dark_style = "friendly", "monokai"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

smartquotes = False  # -- is an option
default_role = "code"  # docstrings mark code as Markdown does
autosummary_generate = False
add_module_names = False
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 90
toc_object_entries_show_parents = "hide"
