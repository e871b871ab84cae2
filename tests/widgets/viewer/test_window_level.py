"""Presets of contrast: what they are worked out from."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_metasr.widgets.viewer.window_level import Preset, WindowLevel

SHAPE = (155, 12, 14)


@pytest.fixture
def viewer():
    return ViewerModel()


def test_full_is_full_wherever_the_extremes_are(viewer):
    data = np.zeros(SHAPE, np.int16)
    data[77, 5, 5], data[33, 1, 1] = 4000, -500
    layer, level = viewer.add_image(data), WindowLevel(viewer)
    level.show(Preset.FULL)
    assert tuple(layer.contrast_limits) == (-500, 4000)
    layer.data = data + 100
    level.show(Preset.FULL)
    assert tuple(layer.contrast_limits) == (-400, 4100)


def test_full_holds_every_time_point_other_presets_the_one_shown(viewer, rng):
    """Volumes of a series of diffusion can be as unlike as 1 and 1000."""
    data = rng.uniform(0, 1, (130, 4, 10, 10)).astype(np.float32)
    data[101] *= 1000
    layer, level = viewer.add_image(data, scale=(5, 3, 1, 1)), WindowLevel(viewer)
    for point, brightest in ((3, 1), (101, 1000), (102, 1)):
        viewer.dims.set_current_step(0, point)
        for preset in (Preset.ROBUST, Preset.BRAIN):
            level.show(preset)
            assert layer.contrast_limits[1] == pytest.approx(brightest, rel=0.1)
        level.show(Preset.FULL)
        assert layer.contrast_limits[1] == data.max()


def test_presets_of_a_constant_and_of_a_flat_image(viewer, rng):
    level = WindowLevel(viewer)
    constant = viewer.add_image(np.full((4, 5, 6), 7.0))
    level.show(Preset.FULL)
    assert tuple(constant.contrast_limits) == (7, 8)
    flat = viewer.add_image(rng.uniform(0, 9, (40, 50)))
    level.target = None
    viewer.layers.selection.active = flat
    level.show(Preset.ROBUST)
    assert flat.contrast_limits[1] == pytest.approx(9, rel=0.1)
