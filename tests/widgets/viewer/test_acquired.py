"""The readout counts scales from what was acquired."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from fakes.acquisition import texture, zero_filled
from fakes.widgets import CARD, FakeEngine
from napari.components import ViewerModel

from napari_metasr.trust.told import Words
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.viewer.acquired import acquired, measure_acquired
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.telling import found_acquisition, known_told
from napari_metasr.widgets.viewer.viewport import RegionMode


def stack(axis=1, shape=(96, 104)):
    return np.stack([zero_filled(texture(k, shape), 0.75, axis) for k in range(6)])


def told(viewer, layer):
    source = layer_source(layer)
    view = source.view(viewer.dims)
    measure_acquired(source, view)
    return acquired(source, view)


@pytest.mark.parametrize("ahead", [(), (1,)])
def test_each_plane_is_measured_once_until_the_data_change(ahead):
    viewer = ViewerModel()
    layer = viewer.add_image(stack().reshape(*ahead, 6, 96, 104))
    rows, columns = told(viewer, layer)
    assert (rows.stored, rows.acquired) == (96, 96)
    assert columns.acquired == pytest.approx(78, abs=2)
    assert told(viewer, layer)[1] is columns
    viewer.dims.order = (*range(len(ahead)), *(len(ahead) + axis for axis in (1, 0, 2)))
    rows, columns = told(viewer, layer)  # 6 x 104
    assert rows.acquired is None
    assert columns.acquired == pytest.approx(78, abs=2)


def test_each_volume_of_a_series_is_measured_for_itself():
    viewer = ViewerModel()
    whole = np.stack([texture(k, (96, 104)) for k in range(6)])
    layer = viewer.add_image(np.stack([whole, stack()]))
    for time, columns in ((0, 104), (1, 78), (0, 104)):
        viewer.dims.set_current_step(0, time)
        assert told(viewer, layer)[1].acquired == pytest.approx(columns, abs=2)


def test_what_is_told_and_assumed_is_of_the_time_point():
    viewer = ViewerModel()
    weak, (real, imaginary) = 0.02 * stack(), np.random.default_rng(0).normal(0, 5, (2, 6, 96, 104))
    noisy = np.hypot(weak + real, imaginary)
    layer = viewer.add_image(np.stack([stack(), noisy]))
    alone = viewer.add_image(noisy)
    expected = found_acquisition(layer_source(alone), layer_source(alone).view(viewer.dims))
    source, found = layer_source(layer), []
    for time in (0, 1):
        viewer.dims.set_current_step(0, time)
        view = source.view(viewer.dims)
        assert known_told(source, view, Words()) is None
        found.append(found_acquisition(source, view))
        assert known_told(source, view, Words()) is not None
    assert found[1] == expected
    assert found[0].noise != found[1].noise


def test_what_is_slow_to_read_is_not_looked_at():
    viewer = ViewerModel()
    layer = viewer.add_image(da.from_array(stack(), chunks=50))
    assert told(viewer, layer) is None


def shown(qtbot, data, scale):
    viewer = ViewerModel()
    viewer.add_image(data, name="t1c")
    dock = MetaSRZoomWidget(viewer, FakeEngine().factory, {"fake": CARD})
    qtbot.addWidget(dock)
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
    dock.scale.set_scale(scale)
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=20_000)
    text = dock.readout.values["acquired"].text()
    dock.coordinator.close()
    return text


def test_the_readout_tells_the_true_scale(qtbot):
    pixels, scales = shown(qtbot, stack(0, (104, 96)), 2.0).split(": ")
    assert pixels.startswith("≈ 7")
    assert pixels.endswith(" × 96")
    rows, columns = (float(one) for one in scales.replace("×", "").split(" · "))
    assert rows == pytest.approx(1.5, abs=0.04)
    assert columns == 2


def test_the_readout_of_what_was_not_interpolated_or_cannot_be_told(qtbot):
    whole = np.stack([texture(k, (60, 70)) for k in range(4)])
    assert shown(qtbot, whole, 2.0) == "60 × 70, as stored"
    assert shown(qtbot, whole[:, :20, :20], 2.0) == "cannot tell"
