"""Layers of any names come along: each has a file of its own, and so has what becomes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes.upscale_dock import run
from fakes.upscaling import small_models
from napari.layers import Labels

from napari_metasr.io.names import labels_name
from napari_metasr.upscaling.sidecar import read_sidecar
from napari_metasr.weights import model_card
from napari_metasr.widgets.upscaling.outlook import files_of_labels
from napari_metasr.widgets.upscaling.settings import FOUND, Setting
from napari_metasr.widgets.upscaling.target import Target, TargetKind
from napari_metasr.widgets.upscaling.widget import UpscaleWidget

OUTPUT = Path("T1_res-2x.nii.gz")


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (["seg", "lesions"], ["seg.nii", "lesions.nii"]),
        (["core/edema", "core:edema", "core*edema"], ["core_edema.nii", "core_edema_2.nii", None]),
        (["Core", "core"], ["Core.nii", "core_2.nii"]),
        (["core", "T1_core"], ["core.nii", "T1_core_2.nii"]),
        (["a", "a_2", "a"], ["a.nii", "a_2.nii", "a_3.nii"]),
        (["", "..."], ["labels.nii", "labels_2.nii"]),
    ],
)
def test_segmentations_have_files_of_their_own(names, files):
    found = files_of_labels(names, OUTPUT)
    assert all(wanted in {None, file} for wanted, file in zip(files, found, strict=True))
    assert len({file.casefold() for file in found}) == len(names)
    assert len({labels_name(OUTPUT, Path(file)).casefold() for file in found}) == len(names)


def test_names_of_layers_hinder_nothing(qtbot, viewer, tmp_path, notes):
    """The mask's and the volume's own name, and two that files cannot tell apart."""
    (source,) = viewer.layers
    source.data = source.data + 1  # so that it has to be written first, as its volume is called
    source.name = "image"
    place = {"scale": source.scale, "translate": source.translate}
    drawn = np.zeros(source.data.shape, np.uint8)
    drawn[7:11, 9:16, 8:15] = 1
    names = ["lesions", "head", "core/edema", "core:edema"]
    for value, name in enumerate(names, start=1):
        viewer.add_labels(value * drawn, name=name, **place)
    cards = {name: model_card(name) for name in small_models(tmp_path).values()}
    dock = UpscaleWidget(viewer, cards=cards)
    qtbot.addWidget(dock)
    dock.device.setCurrentIndex(dock.device.findData("cpu"))
    dock.target.show_target(Target(TargetKind.SCALE, (1.0, 1.5, 1.5), same=False))
    dock.settings_changed.emit(Setting.TARGET)
    dock.within.setCurrentIndex(FOUND + 1)
    assert dock.coordinator.choice.region is viewer.layers["lesions"]
    dock.coordinator.choice.set_output(tmp_path / "out.nii")
    run(qtbot, dock)
    results = [layer for layer in viewer.layers[5:] if isinstance(layer, Labels)]
    made = ["out_lesions", "out_head", "out_core_edema", "out_core_edema_2"]
    assert {layer.name: int(layer.data.max()) for layer in results} == {
        name: value for value, name in enumerate(made, start=1)
    }
    records = read_sidecar(tmp_path / "out.json").labels
    assert [record.output_name for record in records] == [f"{name}.nii" for name in made]
    assert all(any(f"{name}.nii, ml before" in note for note in notes) for name in made)
    assert not list(tmp_path.glob(".*"))
    dock.coordinator.close()
