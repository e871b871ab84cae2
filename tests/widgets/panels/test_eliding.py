"""Long names in choices show both ends, their tip shows all, and the layout stays."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QEvent, QPoint
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QToolTip

from napari_metasr.widgets.panels import parts

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
