"""How much of a slice renderers hold at a time where they keep no codes."""

STRIP = 32
"""Rows of cells."""
