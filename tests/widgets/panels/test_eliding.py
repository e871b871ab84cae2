"""Long names in choices show both ends, their tip shows all, and the layout stays."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QEvent, QPoint
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QToolTip

from napari_metasr.weights import model_card
from napari_metasr.widgets.panels import parts
from napari_metasr.widgets.panels.eliding import BRIEF
from napari_metasr.widgets.panels.model_choice import choices, model_box

LONG = "sub-0001_ses-preoperative_acq-highres_run-01_T1w-postcontrast"


@pytest.fixture
def combo(qtbot):
    combo = parts.combo_box("What is shown")
    qtbot.addWidget(combo)
    combo.addItems(["T1w", LONG])
    combo.resize(160, combo.sizeHint().height())
    combo.show()
    return combo


def tip(combo):
    place = QPoint(5, 5)
    QApplication.sendEvent(combo, QHelpEvent(QEvent.Type.ToolTip, place, combo.mapToGlobal(place)))
    text = QToolTip.text()
    QToolTip.hideText()
    return text


def test_both_ends_of_a_long_name_are_seen(combo):
    before = combo.sizeHint(), combo.minimumSizeHint()
    assert combo.shown_text == "T1w"
    assert tip(combo) == "What is shown"
    combo.setCurrentIndex(1)
    begin, end = combo.shown_text.split("…")
    assert begin
    assert end
    assert LONG.startswith(begin)
    assert LONG.endswith(end)
    assert combo.fontMetrics().horizontalAdvance(combo.shown_text) < combo.width()
    assert tip(combo) == f"{LONG}\nWhat is shown"
    assert (combo.sizeHint(), combo.minimumSizeHint()) == before


def test_a_shorter_name_is_shown_where_there_is_no_room_for_the_whole_one(combo):
    combo.setItemData(1, "acq-highres", BRIEF)
    combo.setCurrentIndex(1)
    assert combo.shown_text == "acq-highres"
    assert tip(combo) == f"{LONG}\nWhat is shown"
    combo.resize(1000, combo.height())
    assert combo.shown_text == LONG
    combo.setItemData(1, LONG[3:], BRIEF)
    combo.resize(160, combo.height())
    begin, end = combo.shown_text.split("…")
    assert LONG[3:].startswith(begin)
    assert LONG.endswith(end)


def test_models_are_told_apart_in_a_narrow_dock(qtbot):
    """Scales and the like give way first, which several models have in common."""
    cards = {name: model_card(name) for name in ("meta-srgan", "meta-srgan-told", "ms-gan-x4")}
    combo = model_box(choices(cards), "Which network")
    qtbot.addWidget(combo)
    combo.resize(200, combo.sizeHint().height())
    combo.show()
    shown = {}
    for name in cards:
        combo.setCurrentIndex(combo.findData(name))
        shown[name] = combo.shown_text
    assert shown["meta-srgan"] == "Meta-SRGAN · any scale"
    assert shown["meta-srgan-told"] == "Meta-SRGAN… acquisition"
    assert shown["ms-gan-x4"] == "MS-GAN-x4"
    combo.resize(600, combo.height())
    assert combo.shown_text == "MS-GAN-x4 · ×2, ×4 · lesions only"
