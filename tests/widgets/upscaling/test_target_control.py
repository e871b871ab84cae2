"""The control for the output grid: scales and spacings, typed and shown."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt

from napari_metasr.widgets.upscaling.target import Target, TargetKind
from napari_metasr.widgets.upscaling.target_control import TargetControl


@pytest.fixture
def control(qtbot):
    control = TargetControl()
    qtbot.addWidget(control)
    return control


def typed(qtbot, box, text):
    box.selectAll()
    qtbot.keyClicks(box.lineEdit(), text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


def test_one_number_is_meant_for_all_axes_until_each_may_have_its_own(qtbot, control):
    with qtbot.waitSignal(control.edited):
        typed(qtbot, control.boxes["y"], "2.7")
    assert control.target == Target(TargetKind.SCALE, (2.7, 2.7, 2.7), same=True)
    assert control.target.along((2, 1, 0)) == (2.7,)
    control.same.click()
    typed(qtbot, control.boxes["z"], "1")
    assert control.target == Target(TargetKind.SCALE, (1.0, 2.7, 2.7), same=False)
    assert control.target.along((0, 2, 1)) == (1.0, 2.7, 2.7)
    assert control.target.along((2, 1, 0)) == (2.7, 2.7, 1.0)
    control.same.click()
    assert control.target == Target(TargetKind.SCALE, (2.7, 2.7, 2.7), same=True)


def test_numbers_are_shown_without_needless_zeros_and_kept_exactly(control):
    control.show_target(Target(TargetKind.SPACING, (0.46875, 0.5, 4.0), same=False))
    assert [box.text() for box in control.boxes.values()] == ["x 4", "y 0.5", "z 0.46875"]
    assert control.target.numbers == (0.46875, 0.5, 4.0)


def test_no_scale_below_one_can_be_asked_for(qtbot, control):
    typed(qtbot, control.boxes["x"], "0.5")
    assert control.target.numbers[2] >= 1
