"""The scale control by mouse and keyboard."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QStyle, QStyleOptionSlider

from napari_metasr.widgets.zoom.scale_control import (
    PRESETS,
    STEPS,
    ScaleControl,
    scale_of_step,
    step_of_scale,
)


@pytest.fixture
def control(qtbot):
    control = ScaleControl()
    qtbot.addWidget(control)
    control.resize(300, 90)
    control.show()
    qtbot.waitExposed(control)
    return control


def test_the_slider_runs_from_1_to_8_and_grows_by_equal_factors():
    assert scale_of_step(0) == 1
    assert scale_of_step(STEPS) == pytest.approx(8)
    assert scale_of_step(STEPS // 2) ** 2 == pytest.approx(8)
    for step in (0, 17, 500, STEPS):
        assert step_of_scale(scale_of_step(step)) == step


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_button_sets_slider_and_number(control, qtbot, preset):
    control.set_scale(1.23)
    with qtbot.waitSignal(control.scale_changed) as signal:
        qtbot.mouseClick(control.presets[preset], Qt.MouseButton.LeftButton)
    assert signal.args == [preset]
    assert control.number.value() == preset
    assert scale_of_step(control.slider.value()) == pytest.approx(preset, rel=2e-3)


def test_dragging_the_handle_changes_the_scale_continuously(control, qtbot):
    control.set_scale(1)
    seen = []
    control.scale_changed.connect(seen.append)
    option = QStyleOptionSlider()
    control.slider.initStyleOption(option)
    handle = control.slider.style().subControlRect(
        QStyle.ComplexControl.CC_Slider,
        option,
        QStyle.SubControl.SC_SliderHandle,
        control.slider,
    )
    y = handle.center().y()
    QTest.mousePress(control.slider, Qt.MouseButton.LeftButton, pos=handle.center())
    for x in range(10, control.slider.width() - 10, 7):
        QTest.mouseMove(control.slider, QPoint(x, y))
    QTest.mouseRelease(control.slider, Qt.MouseButton.LeftButton, pos=QPoint(140, y))
    assert len(seen) > 5
    assert seen == sorted(seen)
    assert control.number.value() == control.scale == seen[-1]


def test_arrow_keys_move_the_slider(control, qtbot):
    before = control.scale
    QTest.keyClick(control.slider, Qt.Key.Key_Right)
    assert control.scale > before
    QTest.keyClick(control.slider, Qt.Key.Key_Home)
    assert control.scale == 1
    QTest.keyClick(control.slider, Qt.Key.Key_End)
    assert control.scale == 8


def test_a_typed_number_counts_when_it_is_finished(control, qtbot):
    edit = control.number.lineEdit()
    edit.selectAll()
    QTest.keyClicks(edit, "3.7")
    assert control.scale != 3.7
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert control.scale == 3.7


def test_scales_beyond_the_range_are_brought_to_its_end(control):
    control.set_scale(1e9)
    assert control.scale == 8
    control.set_scale(-3)
    assert control.scale == 1


def test_the_trained_range_is_painted_in_another_colour(control, qtbot):
    def greens():
        image = control.slider.grab().toImage()
        y = image.height() - 20 + 2
        colors = [image.pixelColor(x, y) for x in range(image.width())]
        return [x for x, c in enumerate(colors) if c.green() > c.red() + 50]

    control.slider.set_trained(1.1, 4.0)
    wide = greens()
    control.slider.set_trained(2.0, 3.0)
    narrow = greens()
    assert len(wide) > len(narrow) > 0
    assert min(narrow) > min(wide)
    assert max(narrow) < max(wide)
