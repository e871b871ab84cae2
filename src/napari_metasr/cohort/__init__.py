"""Whole volumes, from file to file."""
