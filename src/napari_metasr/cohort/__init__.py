"""Upscale many volumes: cohorts over the workers of a Dask cluster."""
