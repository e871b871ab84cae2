"""Text that others chose, such as names of folders and people, in tables that programs open."""

from __future__ import annotations

import html
from typing import Any

__all__ = ["csv_cell", "markdown_cell"]

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheet programs take text for a formula by (OWASP, CSV injection)."""


def csv_cell(value: Any) -> Any:
    """Give a value that no spreadsheet program runs as a formula; numbers stay as they are."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_SIGNS) else value


def markdown_cell(value: Any) -> str:
    """Give text that stays within its cell and its line, and is no HTML."""
    text = " ".join(str(value).split())
    return html.escape(text, quote=False).replace("|", "\\|")
