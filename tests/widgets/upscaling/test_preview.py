"""Slices before and after, side by side."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor

from napari_metasr.geometry.display import RADIOLOGICAL, DisplayConvention
from napari_metasr.widgets.upscaling.preview import BeforeAfter, Pair, gray

LEFT = Qt.MouseButton.LeftButton

NEUROLOGICAL = DisplayConvention.NEUROLOGICAL.orientation2d


def pair(**options):
    """A slice brighter towards its last row and, more, its last column."""
    before = np.add.outer(np.arange(4), 10 * np.arange(8)).astype(np.float32)
    after = np.repeat(np.repeat(before, 2, 0), 2, 1)
    return Pair(
        **{
            "before": before,
            "after": after,
            "proportion": 2.0,
            "contrast_limits": (0.0, 73.0),
            "orientation2d": RADIOLOGICAL,
            "letters": {"top": "A", "bottom": "P", "left": "R", "right": "L"},
            "text": "axial slice 3 of 9",
        }
        | options
    )


@pytest.mark.parametrize(
    ("orientation", "brightest"),
    [
        (RADIOLOGICAL, (0, 0)),
        (NEUROLOGICAL, (0, -1)),
        (("down", "right"), (-1, -1)),
    ],
)
def test_slices_point_where_the_viewer_s_do(orientation, brightest):
    shown = pair(orientation2d=orientation)
    for image in (shown.before, shown.after):
        pixels = gray(image, shown)
        assert pixels[brightest] == pixels.max() == 255
        assert pixels.min() == 0


def test_both_slices_have_the_layer_s_contrast_and_gaps_are_dark():
    shown = pair(contrast_limits=(20.0, 40.0))
    before, after = gray(shown.before, shown), gray(shown.after, shown)
    np.testing.assert_array_equal(before, after[::2, ::2])
    assert set(np.unique(before[:, :4])) == {255}
    assert set(np.unique(before[:, 6:])) == {0}
    shown.before[0, 7] = np.nan
    assert gray(shown.before, shown)[-1, 0] == 0


@pytest.fixture
def preview(qtbot):
    preview = BeforeAfter()
    qtbot.addWidget(preview)
    preview.resize(310, 190)
    preview.show()
    return preview


def colors(preview):
    """The picture of the widget, (rows, columns)."""
    image = preview.grab().toImage()
    return np.array(
        [[QColor(image.pixel(x, y)).lightness() for x in range(310)] for y in range(190)]
    )


def test_a_preview_takes_as_much_room_whatever_it_shows(preview):
    hint, least = preview.sizeHint(), preview.minimumSizeHint()
    preview.show_pair(pair())
    assert (preview.sizeHint(), preview.minimumSizeHint()) == (hint, least)
    for proportion in (0.3, 1.0, 2.0, 5.0):
        preview.show_pair(pair(proportion=proportion))
        first, second = preview.frames
        assert first.width() / first.height() == pytest.approx(proportion)
        assert (first.size(), first.top()) == (second.size(), second.top())
        assert first.right() < second.left()
        assert preview.rect().toRectF().contains(first)
        assert preview.rect().toRectF().contains(second)


def test_both_slices_are_drawn_side_by_side(preview):
    shown = pair(letters={}, text="")
    preview.show_pair(shown)
    drawn = colors(preview)
    for frame in preview.frames:
        left, right = round(frame.left()) + 4, round(frame.right()) - 4
        row = round(frame.center().y())
        assert drawn[row, left] > 200
        assert drawn[row, right] < 40
    preview.show_pair(None)
    assert preview.pair is None


def test_a_click_looks_closer_and_another_one_at_the_whole(qtbot, preview):
    preview.show_pair(pair(letters={}, text=""))
    whole = colors(preview)
    frame = preview.frames[0]
    place = QPointF(frame.left() + 0.2 * frame.width(), frame.center().y()).toPoint()
    qtbot.mouseClick(preview, LEFT, pos=place)
    row, column = round(frame.center().y()), round(frame.right()) - 4
    assert colors(preview)[row, column] > whole[row, column] + 50
    qtbot.mouseClick(preview, LEFT, pos=place)
    np.testing.assert_array_equal(colors(preview), whole)


def test_nothing_is_looked_at_closer_before_there_is_a_slice(qtbot, preview):
    qtbot.mouseClick(preview, LEFT)
    preview.show_pair(pair(letters={}, text=""))
    before = colors(preview)
    preview.show_pair(pair(letters={}, text=""))
    np.testing.assert_array_equal(colors(preview), before)


def test_letters_stand_at_the_edges(preview):
    preview.show_pair(pair(letters={}, text="", contrast_limits=(100.0, 200.0)))
    without = colors(preview)
    preview.show_pair(pair(text="", contrast_limits=(100.0, 200.0)))
    rows, columns = np.nonzero(colors(preview) != without)
    assert rows.min() < 16 + 14
    assert rows.max() > 190 - 16 - 14
    for left, right in ((0, 153), (157, 310)):
        inside = columns[(columns >= left) & (columns < right)]
        assert inside.min() < left + 14
        assert inside.max() > right - 14
