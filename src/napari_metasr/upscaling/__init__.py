"""Upscale one volume, from file to file."""
