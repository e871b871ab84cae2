"""What stands below a text does not move as texts come and go."""

from __future__ import annotations

import pytest
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_metasr.widgets.panels import parts

LINES = 2


@pytest.fixture
def words(qtbot):
    """A text of two lines, with a label below."""
    host = QWidget()
    qtbot.addWidget(host)
    column = QVBoxLayout(host)
    words = parts.Words(LINES, "A tip")
    column.addWidget(words)
    words.below = QLabel("below")
    column.addWidget(words.below)
    column.addStretch(1)
    host.resize(200, 400)
    with qtbot.waitExposed(host):
        host.show()
    yield words
    host.close()  # and until here it is held


def place(words):
    words.window().layout().activate()
    return words.below.y()


def test_texts_come_and_go_in_their_room(words):
    before = place(words)
    for text in ("one", "one\ntwo", ""):
        words.setText(text)
        assert place(words) == before


def test_a_longer_text_is_seen_whole_and_its_room_stays(words):
    before = place(words)
    words.setText("a notice of some words " * 8)
    moved = place(words)
    assert moved >= before + words.fontMetrics().lineSpacing()
    assert words.height() >= words.heightForWidth(words.width())
    words.setText("short")
    assert place(words) == moved
    words.window().resize(600, 400)
    assert place(words) == before
