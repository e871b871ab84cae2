"""Interpolation of ranges of output pixels, block by block."""

from __future__ import annotations

import numpy as np
import pytest

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.zoom.resampled import resample


@pytest.mark.parametrize("method", ["bicubic", "nearest"])
def test_blocks_of_large_results_join(rng, method):
    image = 100 + 800 * rng.random((20, 24), dtype=np.float32)
    grid = OutputGrid.at_scale(image.shape, 3.3)

    def resampled(**options):
        out = np.full(grid.output_shape, np.nan, np.float32)
        resample(lambda y, x: image[y, x], grid, grid.pixel_range(), method, out, **options)
        return out

    whole = resampled()
    assert np.isfinite(whole).all()
    assert np.array_equal(resampled(block=13), whole)
