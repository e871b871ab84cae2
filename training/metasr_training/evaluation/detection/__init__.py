"""Evaluate lesion detectors."""
