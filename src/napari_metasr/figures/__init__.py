"""Figures to keep: comparisons, sequences through the scales, animations."""
