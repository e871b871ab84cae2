"""The documentation site: `make docs` builds it into docs/_build/html, without a network."""

from __future__ import annotations

from importlib.metadata import version as version_of
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

project = "napari-metasr"
author = "the napari-metasr developers"
version = release = version_of("napari-metasr")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build", "results/*/table.md"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]  # links into the repository are checked by a test

autosummary_generate = True
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_typehints = "signature"
napoleon_google_docstring = False
default_role = "py:obj"
highlight_language = "none"  # what has no language is what a command prints

html_theme = "furo"
html_title = "napari-metasr"
html_favicon = "../src/napari_metasr/icon.svg"
html_logo = "../src/napari_metasr/icon.svg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_extra_path = ["examples"]
html_math_renderer = "mathml"
html_copy_source = False
copyright = "the napari-metasr developers"  # noqa: A001


def inline_math(translator: Any, node: nodes.math) -> None:
    """Write a formula as MathML, which browsers draw without a script."""
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def display_math(translator: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own."""
    translator.body.append(convert(node.astext(), display="block"))
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """Register the renderer of formulas."""
    app.add_html_math_renderer("mathml", (inline_math, None), (display_math, None))
