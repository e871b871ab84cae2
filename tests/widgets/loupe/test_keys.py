"""The key, the command and the wheel of the loupe."""

from __future__ import annotations

import pytest
from fakes.loupe import (
    middle,
    move,
    point_at,
    settle,
)
from fakes.mouse import turn_wheel
from napari.settings import get_settings
from napari.utils.action_manager import action_manager
from npe2 import PluginManager, PluginManifest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_metasr.widgets.loupe import loupe as loupes
from napari_metasr.widgets.loupe.shortcuts import HELD_MS, LOUPE, register_loupe, toggle_loupe
from napari_metasr.widgets.viewer.key_sheet import sheet
from napari_metasr.widgets.viewer.napari_versions import camera_of, canvas_widget
from napari_metasr.widgets.viewer.shared import real_viewer
from napari_metasr.widgets.viewer.shortcuts import register

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def wheel(viewer, place, notches, modifiers=Qt.KeyboardModifier.NoModifier):
    turn_wheel(canvas_widget(real_viewer(viewer)), place, notches, modifiers)


def test_the_key_held_and_pressed_shortly(qtbot, opened):
    viewer, loupe, _, _ = opened()
    native = canvas_widget(real_viewer(viewer))
    point_at(viewer, middle(viewer))
    QTest.keyPress(native, Qt.Key.Key_G)
    assert loupe.is_open
    qtbot.wait(HELD_MS + 50)  # a timer after that of the key, however busy the window is
    QTest.keyRelease(native, Qt.Key.Key_G)
    assert not loupe.is_open  # it was held
    QTest.keyClick(native, Qt.Key.Key_G)
    assert loupe.is_open  # it stays
    settle(qtbot, loupe)
    assert loupe.pane.isVisible()
    QTest.keyClick(native, Qt.Key.Key_G)
    assert not loupe.is_open
    QTest.keyClick(native, Qt.Key.Key_G)
    QTest.keyClick(native, Qt.Key.Key_Escape)
    assert not loupe.is_open


def test_the_key_can_be_changed_in_napari_s_shortcuts(qtbot, opened):
    viewer, loupe, _, _ = opened()
    native, name = canvas_widget(real_viewer(viewer)), "napari-metasr:loupe"
    shortcuts = get_settings().shortcuts.shortcuts
    try:  # as napari's preferences do
        get_settings().shortcuts.shortcuts = {**shortcuts, name: ["J"]}
        action_manager.unbind_shortcut(name)
        action_manager.bind_shortcut(name, "J")
        assert LOUPE.line[0] == "J"
        QTest.keyClick(native, Qt.Key.Key_G)
        assert not loupe.is_open
        QTest.keyClick(native, Qt.Key.Key_J)
        assert loupe.is_open
    finally:
        get_settings().shortcuts.shortcuts = shortcuts
        action_manager.unbind_shortcut(name)
        action_manager.bind_shortcut(name, LOUPE.key)


def test_the_key_is_known_once_napari_runs_a_command_of_the_plugin(qtbot, opened):
    viewer, loupe, _, _ = opened()
    native, name = canvas_widget(real_viewer(viewer)), "napari-metasr:loupe"
    action_manager.unbind_shortcut(name)
    register.cache_clear()  # as in a session that has just begun
    QTest.keyClick(native, Qt.Key.Key_G)
    assert not loupe.is_open
    plugins = PluginManager()
    plugins.register(PluginManifest.from_distribution("napari-metasr"))
    plugins.activate("napari-metasr")
    QTest.keyClick(native, Qt.Key.Key_G)
    assert loupe.is_open


def test_the_wheel_changes_the_magnification_and_not_the_camera(qtbot, opened):
    viewer, loupe, _, _ = opened()
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    zoom, before = camera_of(viewer).zoom, loupe.magnification
    density = loupe.lens.density[0]
    wheel(viewer, middle(viewer), 2)
    settle(qtbot, loupe)
    assert loupe.magnification > before
    assert loupe.lens.density[0] / density == pytest.approx(loupe.magnification / before)
    assert f"×{loupe.magnification:.1f}" in loupe.pane.look.foot
    wheel(viewer, middle(viewer), -100)
    settle(qtbot, loupe)
    assert loupe.magnification == loupes.LEAST
    assert camera_of(viewer).zoom == zoom
    loupe.close()
    wheel(viewer, middle(viewer), 2)
    QTest.qWait(50)
    assert camera_of(viewer).zoom != zoom


def test_the_sheet_of_keys_lists_it():
    register_loupe()
    assert LOUPE.line in sheet()


def test_the_menu_s_command_opens_and_closes_it(qtbot, opened):
    viewer, loupe, _, _ = opened()
    toggle_loupe(viewer)
    assert loupe.is_open
    toggle_loupe(viewer)
    assert not loupe.is_open
