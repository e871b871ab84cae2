"""*Reset* sets every control back, whatever there is."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from qtpy.QtCore import Qt

from napari_metasr.trust.told import Words
from napari_metasr.weights import DEFAULT_MODEL, model_cards
from napari_metasr.widgets.panels.model_choice import choices
from napari_metasr.widgets.zoom.dock import ZoomDock
from napari_metasr.widgets.zoom.settings import Compare

KEPT = {"source"}


@pytest.fixture
def dock(qtbot):
    cards = model_cards()
    dock = ZoomDock(choices({DEFAULT_MODEL: cards[DEFAULT_MODEL], "srgan-x2": cards["srgan-x2"]}))
    qtbot.addWidget(dock)
    dock.show_contrasts(["T2", "FLAIR"])
    return dock


def test_every_setting_is_set_back(dock):
    first = asdict(dock.settings)
    for combo in (dock.region, dock.model, dock.device):
        combo.setCurrentIndex((combo.currentIndex() + 1) % combo.count())
    dock.comparison.setCurrentEnum(Compare.BLINK)
    dock.scale.set_scale(2.7)
    for box in (dock.consistent, dock.risk, dock.move_camera, dock.follow_camera):
        box.setEnabled(True)
        box.setChecked(not box.isChecked())
    dock.contrasts.item(0).setCheckState(Qt.CheckState.Checked)
    dock.assumed.set_words(Words("box", 0.02))
    changed = asdict(dock.settings)
    same = {name for name in first if changed[name] == first[name]}
    assert same == KEPT
    dock.display.reset.click()
    assert asdict(dock.settings) == first
