"""What is upscaled: files, moved layers, arrays, series; their results lie where they do."""

from __future__ import annotations

import nibabel as nib
import numpy as np
from fakes import dicom as dicom_fakes
from fakes.upscale_dock import run
from fakes.widgets import FakeDialogs
from napari.components import ViewerModel
from napari.layers import Layer

from napari_metasr.io import read_volume
from napari_metasr.io.reader import get_reader, read_layers
from napari_metasr.io.writer import write_volume
from napari_metasr.widgets.upscaling.settings import FOUND
from napari_metasr.widgets.upscaling.target import Target, TargetKind
from napari_metasr.widgets.upscaling.task import file_of
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.layer_volume import layer_volume


def edges(layer):
    """Where a layer begins and ends in the window, along z, y, x."""
    scale, low = np.asarray(layer.scale), np.subtract(layer.translate, np.divide(layer.scale, 2))
    return low, low + scale * layer.data.shape


def test_the_result_of_an_oblique_scan_covers_it_in_the_window(qtbot, make_dock, tmp_path, rng):
    path, tilt = tmp_path / "oblique.nii", np.deg2rad(20)
    affine = np.eye(4)
    affine[1:3, 1:3] = [[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]]
    affine = affine @ np.diag([0.5, 0.5, 5.0, 1.0])
    affine[:3, 3] = (-50, -60, -40)
    nib.save(nib.Nifti1Image(rng.integers(0, 900, (9, 10, 6)).astype(np.int16), affine), path)
    viewer = ViewerModel()
    for data in read_layers(str(path)):
        viewer.add_layer(Layer.create(*data))
    run(qtbot, make_dock(viewer))
    source, result = viewer.layers
    for own, other in zip(edges(source), edges(result), strict=True):
        np.testing.assert_allclose(own, other, atol=1e-4)
    output = read_volume(result.metadata["volume"].source.path)
    assert file_of(result) == output.source.path
    np.testing.assert_allclose(layer_volume(layer_source(result)).affine, output.affine, atol=1e-5)


def test_the_result_of_a_layer_that_was_moved_and_stretched_covers_it(
    qtbot, dock, viewer, work, tmp_path
):
    source = viewer.layers[0]
    source.scale, source.translate = (5.0, 1.0, 0.8), (1.0, 2.0, 3.0)
    assert "voxels of 0.8 × 1 × 5 mm" in dock.plan.text().replace("\N{NO-BREAK SPACE}", " ")
    seg = viewer.add_labels(
        (source.data > 800).astype(np.uint8), scale=source.scale, translate=source.translate
    )
    dock.within.setCurrentIndex(FOUND + 1)
    dock.target.show_target(Target(TargetKind.SPACING, (0.5,) * 3, same=True))
    dock.coordinator.choice.set_output(tmp_path / "out.nii")
    run(qtbot, dock)
    result = viewer.layers[-1]
    assert result is not seg
    np.testing.assert_allclose(work.inputs[0].spacing, (5.0, 1.0, 0.8), rtol=1e-6)
    np.testing.assert_allclose(result.scale, (0.5,) * 3)
    for own, other in zip(edges(source), edges(result), strict=True):
        np.testing.assert_allclose(own, other, atol=0.26)


def test_a_layer_that_is_no_file_is_written_first_in_its_place(
    qtbot, make_dock, work, tmp_path, rng
):
    viewer = ViewerModel()
    data = rng.normal(100, 20, (6, 8, 10))
    viewer.add_image(data, name="made: up", scale=(3, 1, 1), translate=(5, -2, 7), units="mm")
    dock = make_dock(viewer)
    assert dock.settings.output == ""
    dock.coordinator.dialogs = dialogs = FakeDialogs()
    run(qtbot, dock)
    assert not work.jobs
    output = tmp_path / "out.nii.gz"
    dialogs.answer = output
    run(qtbot, dock)
    assert dialogs.suggestions == ["made_ up_res-1mm_desc-metasr.nii.gz"] * 2
    (volume,) = work.inputs
    np.testing.assert_array_equal(volume.data, data.astype(np.float32))
    np.testing.assert_allclose(volume.affine[:3, 3], (7, -2, 5))
    np.testing.assert_allclose(volume.spacing, (3, 1, 1))
    assert work.jobs[0].input.name == "made_ up.nii"
    assert [each.name for each in tmp_path.iterdir()] == ["out.nii.gz"]
    result = viewer.layers[-1]
    np.testing.assert_allclose(result.translate, (4, -2, 7))
    assert dock.settings.output == str(output)


def test_a_layer_whose_numbers_were_changed_is_not_its_file(qtbot, dock, viewer, work, tmp_path):
    viewer.layers[0].data = viewer.layers[0].data + 1000
    dock.coordinator.dialogs = FakeDialogs(tmp_path / "out.nii")
    run(qtbot, dock)
    assert work.inputs[0].data.min() >= 900
    np.testing.assert_allclose(
        nib.load(tmp_path / "out.nii").affine[:3, :3] != 0,
        nib.load(tmp_path / "head.nii.gz").affine[:3, :3] != 0,
    )


def test_a_dicom_series_is_written_first_and_nobody_is_named(qtbot, make_dock, work, tmp_path):
    folder = tmp_path / "Mustermann_Erika"
    folder.mkdir()
    dicom_fakes.save(folder, dicom_fakes.series(dicom_fakes.voxels((5, 9, 8))))
    viewer = ViewerModel()
    for each in get_reader(str(folder))(str(folder)):
        viewer.add_layer(Layer.create(*each))
    dock = make_dock(viewer)
    assert dock.settings.output == ""
    dock.coordinator.dialogs = dialogs = FakeDialogs(tmp_path / "out.nii.gz")
    run(qtbot, dock)
    (source, result), (written,) = viewer.layers, work.inputs
    np.testing.assert_array_equal(written.data, source.data)
    np.testing.assert_allclose(written.affine, source.metadata["volume"].affine, atol=1e-4)
    assert len(result.data) > len(source.data)
    assert not [
        text for text in (*dialogs.suggestions, work.jobs[0].input.name) if "Muster" in text
    ]


def test_time_points_stay(qtbot, make_dock, work, tmp_path, phantom_volume):
    path = tmp_path / "series.nii"
    data = np.stack([phantom_volume.data, phantom_volume.data // 2])
    write_volume(path, data, phantom_volume.affine, phantom_volume.source)
    viewer = ViewerModel()
    for each in read_layers(str(path)):
        viewer.add_layer(Layer.create(*each))
    viewer.dims.set_point(0, 1)
    dock = make_dock(viewer)
    assert "× 2 voxels" in dock.plan.text()
    run(qtbot, dock)
    assert viewer.layers[-1].data.shape[0] == 2
    assert viewer.dims.point[0] == 1
