"""Files and samples open upright, in whichever viewer."""

from __future__ import annotations

import napari
import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer

from napari_metasr.io.writer import write_volume
from napari_metasr.widgets import opening
from napari_metasr.widgets.viewer.napari_versions import camera_of


def test_the_viewer_that_opens_is_upright_though_another_is_current(
    monkeypatch, tmp_path, phantom_volume
):
    one, other = ViewerModel(), ViewerModel()
    monkeypatch.setattr(napari.Viewer, "_instances", {one, other})
    monkeypatch.setattr(napari, "current_viewer", lambda: other)
    path = str(
        write_volume(
            tmp_path / "scan.nii.gz", phantom_volume.data, phantom_volume.affine,
            phantom_volume.source, description="",
        )
    )  # fmt: skip
    [layer] = opening.get_reader(path)(path)
    one.add_layer(Layer.create(*layer))
    before = camera_of(other).orientation2d
    assert camera_of(one).orientation2d == ("up", "left") != before
    other.add_image(np.zeros((3, 4, 5)))
    assert camera_of(other).orientation2d == before


def test_without_a_viewer(monkeypatch, tmp_path):
    monkeypatch.setattr(napari.Viewer, "_instances", set())
    assert opening.get_reader(str(tmp_path / "notes.txt")) is None
    assert len(opening.phantom_layers()) > 0
