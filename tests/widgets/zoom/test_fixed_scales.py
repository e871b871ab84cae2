"""Networks of fixed scales in the dock and on the command line: what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fakes.widgets import CARD, FakeEngine, settle
from napari.components import ViewerModel
from PIL import Image

from napari_metasr.cli import main
from napari_metasr.cli.models import scales_text
from napari_metasr.networks import build
from napari_metasr.weights import model_card, save_weights
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.scale_control import TrainedRangeSlider

FIXED = CARD.model_copy(
    update={"name": "ms", "title": "MS", "fixed_scales": (2, 4), "trained_scales": (2.0, 4.0)}
)


@pytest.fixture
def dock(qtbot, rng):
    viewer = ViewerModel()
    viewer.add_image(rng.normal(100, 20, (3, 20, 30)), name="t1c")
    dock = MetaSRZoomWidget(viewer, FakeEngine().factory, {"fake": CARD, "ms": FIXED})
    qtbot.addWidget(dock)
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
    settle(qtbot, dock)
    yield dock
    dock.coordinator.close()


def test_the_readout_says_from_which_scale_it_is_resampled(qtbot, dock):
    def shown(scale):
        dock.scale.set_scale(scale)
        settle(qtbot, dock)
        return dock.readout.values["scale"].text(), dock.notice.text()

    assert shown(3.0)[0] == "×3.000"
    dock.model.setCurrentIndex(dock.model.findData("ms"))
    assert shown(3.0) == ("×3.000, from ×4", "")
    assert shown(2.5) == ("×2.500, from ×2", "")
    assert shown(4.0) == ("×4.000", "")
    text, notice = shown(6.0)
    assert text == "×6.000, from ×4"
    assert "Beyond ×4 the network's image is upscaled by bicubic interpolation." in notice


def test_fixed_scales_are_marks_on_the_slider(qtbot):
    slider = TrainedRangeSlider()
    qtbot.addWidget(slider)
    slider.resize(300, 42)

    def greens():
        image = slider.grab().toImage()
        y = image.height() - 18
        row = [image.pixelColor(x, y) for x in range(image.width())]
        return np.array([color.green() > color.red() + 50 for color in row])

    slider.set_fixed(2, 4)
    marks = greens()
    assert np.count_nonzero(np.diff(marks.astype(int)) == 1) == 2  # two marks, apart
    slider.set_trained(2, 4)
    assert marks[greens()].mean() < 0.5


def about(name, network, options):
    card = model_card("meta-srgan").model_dump()
    return card | {"name": name, "title": name, "network": network, "options": options}


def test_only_networks_that_super_resolve_are_offered(qtbot, tmp_path, monkeypatch):
    detector = {"widths": (2,), "grid": 1}
    small = {"scale": 4, "blocks": 1, "features": 2}
    save_weights(
        build("lesion-detector", **detector), tmp_path, **about("ld", "lesion-detector", detector)
    )
    save_weights(build("srresnet", **small), tmp_path, **about("sr", "srresnet", small))
    monkeypatch.setattr("napari_metasr.weights.store.FOLDER", tmp_path)
    dock = MetaSRZoomWidget(ViewerModel(), FakeEngine().factory)
    qtbot.addWidget(dock)
    offered = [dock.model.itemData(k) for k in range(dock.model.count())]
    dock.coordinator.close()
    assert offered == ["sr"]


def test_the_list_of_models_says_which_scales_each_gives():
    assert scales_text(CARD) == "every one; ×1.1 to ×4 trained"
    assert scales_text(FIXED) == "×2 and ×4; others are resampled from the nearest"
    detector = CARD.model_copy(update={"network": "lesion-detector"})
    assert scales_text(detector) == "none: it is a lesion-detector"


def test_zoom_by_a_network_of_fixed_scale(tmp_path, rng, capsys):
    torch.manual_seed(0)
    options = {"scale": 4, "blocks": 1, "features": 4}
    save_weights(build("srresnet", **options), tmp_path, **about("sr", "srresnet", options))
    source = tmp_path / "slice.png"
    Image.fromarray(rng.integers(0, 255, (18, 20), dtype=np.uint8)).save(source)
    model = ["--model", str(tmp_path / "sr.safetensors"), "--device", "cpu"]
    for scale, words in (("3", "sr (resampled from its ×4) on cpu"), ("4", "sr on cpu")):
        output = tmp_path / f"x{scale}.nii"
        asked = ["zoom", str(source), "--scale", scale, "--output", str(output), *model]
        assert main(asked) == 0
        assert words in capsys.readouterr().out
        assert output.exists()
