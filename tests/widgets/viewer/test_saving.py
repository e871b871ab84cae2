"""Labels drawn over a scan are saved where the scan lies."""

from __future__ import annotations

import napari
import nibabel as nib
import numpy as np
import pytest
from fakes.nifti import affine_with, stored
from napari.components import ViewerModel
from napari.layers import Labels, Layer

from napari_metasr.io.reader import read_layers
from napari_metasr.widgets.viewer.saving import write_labels


@pytest.mark.parametrize("shown", ["over the scan", "elsewhere", "without a viewer"])
def test_labels_drawn_over_an_oblique_scan(monkeypatch, tmp_path, shown):
    scan = np.arange(7 * 6 * 5, dtype=np.int16).reshape(7, 6, 5)
    path = stored(tmp_path / "scan.nii", scan, affine_with("LPS", oblique=True))
    viewer = ViewerModel()
    monkeypatch.setattr(
        napari, "current_viewer", lambda: None if shown == "without a viewer" else viewer
    )
    image = viewer.add_layer(Layer.create(*read_layers(str(path))[0]))
    drawn = Labels(
        np.zeros(image.data.shape, np.uint8), scale=image.scale, translate=image.translate
    )
    drawn.data[1, 2, 3] = 4
    if shown == "elsewhere":
        drawn.translate = drawn.translate + 9
    data, keywords, _ = drawn.as_layer_data_tuple()
    write_labels(str(tmp_path / "drawn.nii"), data, keywords)
    before, after = nib.load(path), nib.load(tmp_path / "drawn.nii")
    if shown == "over the scan":
        np.testing.assert_allclose(after.affine, before.affine, atol=1e-5)
        labelled = np.asarray(before.dataobj)[np.asarray(after.dataobj) == 4]
        assert labelled.tolist() == [image.data[1, 2, 3]]
    else:
        assert not np.allclose(after.affine, before.affine, atol=1e-5)


def test_labels_never_replace_the_scan_under_them(monkeypatch, tmp_path):
    path = stored(tmp_path / "scan.nii", np.ones((4, 5, 6), np.int16), affine_with("RAS"))
    viewer = ViewerModel()
    monkeypatch.setattr(napari, "current_viewer", lambda: viewer)
    image = viewer.add_layer(Layer.create(*read_layers(str(path))[0]))
    labels = Labels(
        np.ones(image.data.shape, np.uint8), scale=image.scale, translate=image.translate
    )
    data, keywords, _ = labels.as_layer_data_tuple()
    with pytest.raises(ValueError, match="would replace the input"):
        write_labels(str(path), data, keywords)
