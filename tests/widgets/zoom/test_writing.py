"""What files of a region say of lengths and sides: as much as is known of the image."""

from __future__ import annotations

import json
import re

import nibabel as nib
import numpy as np
import pytest
from fakes.acquisition import texture
from napari.components import ViewerModel
from napari.layers import Layer
from PIL import Image as Picture

from napari_metasr.geometry.display import DisplayConvention
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.io.layers import layer_data
from napari_metasr.io.reader import read_layers
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.models import ModelCache, load_zoom_model
from napari_metasr.widgets.zoom.rendition import FileKind, RenderingSpec
from napari_metasr.widgets.zoom.writing import save_steps
from napari_metasr.zoom.session import SliceKey

MODEL = "meta-srgan"


@pytest.fixture
def save(tmp_path):
    """Save a region of what a viewer shows of a layer."""

    def saved(viewer, layer, kind, name):
        source = layer_source(layer)
        view = source.view(viewer.dims)
        spec = RenderingSpec(
            SliceKey(1, view.axes, view.index, MODEL, "cpu"),
            source,
            view,
            OutputGrid.at_scale(view.shape, 2),
            Window(4, 4, 20, 20),
            "scan",
            (0.0, 300.0),
            DisplayConvention.RADIOLOGICAL.orientation2d,
        )
        *_, path = save_steps(tmp_path / name, kind, spec, ModelCache(load_zoom_model))
        return path

    return saved


def page_header(path):
    """What a page knows of what it shows."""
    found = re.search(r'\{"model":.*\}', path.read_text(encoding="utf-8"))
    return json.loads(found[0])


def caption(path):
    with Picture.open(path) as picture:
        return picture.text["Description"]


def test_an_image_of_another_reader_has_its_millimetres_and_no_sides(save):
    viewer = ViewerModel()
    data = np.stack([texture(seed, (24, 26)) for seed in range(3)])
    layer = viewer.add_image(data, scale=(2, 0.5, 0.5), units="mm")
    header = page_header(save(viewer, layer, FileKind.PAGE, "page.html"))
    assert (header["unit"], header["letters"]) == ("mm", {})
    assert "0.25 × 0.25 mm" in caption(save(viewer, layer, FileKind.FIGURE_PNG, "figure.png"))


def test_pixels_without_a_size_stay_pixels(save):
    viewer = ViewerModel()
    layer = viewer.add_image(texture(0, (24, 26)))
    header = page_header(save(viewer, layer, FileKind.PAGE, "page.html"))
    assert (header["unit"], header["letters"]) == ("px", {})


def test_a_flat_file_has_the_millimetres_and_the_sides_of_its_header(save, tmp_path):
    flat = texture(0, (24, 26)).astype(np.float32)
    nib.save(nib.Nifti1Image(flat, np.diag([0.5, 0.5, 1, 1])), tmp_path / "flat.nii")
    viewer = ViewerModel()
    layer = viewer.add_layer(Layer.create(*read_layers(str(tmp_path / "flat.nii"))[0]))
    header = page_header(save(viewer, layer, FileKind.PAGE, "page.html"))
    assert header["unit"] == "mm"
    assert header["letters"] == {"top": "A", "bottom": "P", "left": "R", "right": "L"}


def test_a_scan_has_its_sides(save, phantom_volume):
    viewer = ViewerModel()
    layer = viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    viewer.dims.set_current_step(0, 9)
    header = page_header(save(viewer, layer, FileKind.PAGE, "page.html"))
    assert header["unit"] == "mm"
    assert header["letters"] == {"top": "A", "bottom": "P", "left": "R", "right": "L"}
