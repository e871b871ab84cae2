"""The plugin's docks that a viewer has open: one of a kind, whatever opens them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from napari.plugins import menu_item_template
from npe2 import PluginManager
from qtpy.QtCore import QSize

from napari_metasr.widgets.panels.dock import enclosing
from napari_metasr.widgets.viewer.dock_keys import DockKeys, listen_for_sheet
from napari_metasr.widgets.viewer.preferences import PLUGIN
from napari_metasr.widgets.viewer.shared import real_viewer, shared

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_metasr.widgets.panels.dock import Dock


class OpenDocks:
    """The open docks of a viewer, by kind.

    Parameters
    ----------
    viewer
        The viewer itself.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = weakref.ref(viewer)
        self._open: weakref.WeakValueDictionary[str, Dock] = weakref.WeakValueDictionary()

    def add(self, dock: Dock) -> None:
        """Take a new dock in; an older one of its kind is closed."""
        kind = dock.objectName()
        older = self._open.get(kind)
        if older is not None:
            self._close(older)
        self._open[kind] = dock
        window = getattr(self._viewer(), "window", None)
        if window is not None:
            _, _, width, height = window.geometry()
            dock.window_size = QSize(width, height)
            dock.end_with(window._qt_window)
            DockKeys(dock, window._qt_window)
            listen_for_sheet(window._qt_window)
        reference = weakref.ref(dock)
        dock.closed.connect(lambda: self._forget(kind, reference()))

    def get(self, kind: str) -> Dock | None:
        """Return the open dock of a kind."""
        return self._open.get(kind)

    def _forget(self, kind: str, dock: Dock | None) -> None:
        if self._open.get(kind) is dock:
            self._open.pop(kind, None)

    def _close(self, dock: Dock) -> None:
        viewer, frame = self._viewer(), enclosing(dock)
        window = getattr(viewer, "window", None)
        if window is not None and frame is not None:
            window.remove_dock_widget(frame)
        else:
            dock.close()


def open_docks(viewer: ViewerModel) -> OpenDocks:
    """Return the open docks of a viewer."""
    real = real_viewer(viewer)
    return shared(real, OpenDocks, lambda: OpenDocks(real))


def open_dock(viewer: ViewerModel, command: str) -> QWidget | None:
    """Open one of the plugin's docks under the name that napari's menus know it by.

    Parameters
    ----------
    command
        Its command in the manifest, such as ``napari-metasr.zoom``.

    Returns
    -------
    QWidget or None
        None for a viewer without a window.
    """
    window = getattr(viewer, "window", None)
    if window is None:
        return None
    plugins = PluginManager.instance()
    manifest = plugins.get_manifest(PLUGIN)
    title = next(
        each.display_name
        for each in manifest.contributions.widgets or ()
        if each.command == command
    )
    dock: QWidget = plugins.commands.get(command)(real_viewer(viewer))
    window.add_dock_widget(dock, name=menu_item_template.format(manifest.display_name, title))
    return dock


def reveal(widget: QWidget) -> None:
    """Show the dock that a widget is in, if it was hidden; a tab stays behind the one in use."""
    frame = enclosing(widget)
    if frame is not None and frame.isHidden():
        frame.show()
        frame.raise_()
