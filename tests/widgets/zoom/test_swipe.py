"""The swipe line at a border of the slice, where there are few pixels to part."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.widgets import resize_canvas, results, settle

from napari_metasr.widgets.viewer.napari_versions import camera_of

SIDE = 400
ZOOM = 8.0
HALF_VIEW = SIDE / ZOOM / 2
WIDTH = 32
SPACING = 1.5
PIXEL = 1 / ZOOM
"""Of the output, in the world, where it follows the camera."""


@pytest.mark.parametrize("orientation", [("up", "left"), ("up", "right")])
@pytest.mark.parametrize("border", ["first", "last"])
@pytest.mark.parametrize("fraction", [0, 50, 100])
def test_both_sides_have_a_pixel_at_the_border(qtbot, viewer, dock, orientation, border, fraction):
    """As many pixels of the slice are in view as are counted, at one of its borders."""
    resize_canvas(viewer, (SIDE, SIDE))
    dock.comparison.setCurrentText("Swipe")
    dock.follow_camera.setChecked(True)
    camera = camera_of(viewer)
    camera.orientation2d = orientation
    dock.swipe.setValue(fraction)
    settle(qtbot, dock)
    camera.zoom = ZOOM
    low, high = -SPACING / 2, (WIDTH - 0.5) * SPACING
    for count in (1, 2, 3, 9):
        seen = (count + 0.1) * PIXEL
        middle = low + seen - HALF_VIEW if border == "first" else high - seen + HALF_VIEW
        camera.center = (0, 12, middle)
        settle(qtbot, dock)
        bicubic, enhanced = (layer.data.shape[-1] for layer in results(dock))
        assert bicubic == count
        assert 1 <= enhanced <= max(count - 1, 1)
        if fraction == 50 and count > 2:
            assert enhanced == pytest.approx(count / 2, abs=1)
    left, right = results(dock)
    ends = [
        (one.translate[-1], one.translate[-1] + one.scale[-1] * (one.data.shape[-1] - 1))
        for one in (left, right)
    ]
    side = 0 if orientation[1] == "left" else 1
    np.testing.assert_allclose(ends[0][side], ends[1][side])
