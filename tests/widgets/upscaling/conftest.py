"""A dock for whole volumes over the phantom's file, with work that waits to be let go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes.upscale_dock import FakeWork
from napari.components import ViewerModel
from napari.layers import Layer

from napari_metasr.io.reader import read_layers
from napari_metasr.io.writer import write_volume
from napari_metasr.widgets.upscaling.widget import UpscaleWidget


@pytest.fixture
def work():
    return FakeWork()


@pytest.fixture
def path(tmp_path, phantom_volume):
    """The phantom's file, in an order of its own: 2.5 mm slices, 0.8 x 1 mm in plane."""
    path = tmp_path / "head.nii.gz"
    affine = np.array([[0, 0, -0.8, 7], [-1.0, 0, 0, 9], [0, 2.5, 0, 21], [0, 0, 0, 1]])
    source = replace(phantom_volume.source, affine=affine)
    return write_volume(path, phantom_volume.data, phantom_volume.affine, source)


@pytest.fixture
def make_dock(qtbot, work):
    docks = []

    def make(viewer, prepare=work, measure=lambda model, device: 1e-8, **options):
        dock = UpscaleWidget(viewer, prepare, measure=measure, **options)
        qtbot.addWidget(dock)
        dock.device.setCurrentIndex(dock.device.findData("cpu"))
        docks.append(dock)
        return dock

    yield make
    work.go()
    for dock in docks:
        dock.coordinator.close()


@pytest.fixture
def viewer(path):
    viewer = ViewerModel()
    for data in read_layers(str(path)):
        viewer.add_layer(Layer.create(*data))
    return viewer


@pytest.fixture
def dock(make_dock, viewer):
    return make_dock(viewer)
