"""Sphinx: the site that `make docs` builds from this folder."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "docs/_ext")]

from syn2real.version import __version__  # noqa: E402

project = "syn2real"
author = "The syn2real authors"
copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinxarg.ext",
    "generated",
]
source_suffix = {".md": "markdown", ".ipynb": "markdown"}
exclude_patterns = ["_build", "_ext"]
smartquotes = False  # options are typed with two hyphens

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
myst_ref_domains = ["std", "py"]
numpydoc_show_class_members = False
autodoc_typehints = "none"

html_theme = "furo"
html_title = f"syn2real {version}"
html_copy_source = False
html_show_sphinx = False
