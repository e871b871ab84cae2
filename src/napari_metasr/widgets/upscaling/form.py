"""Which volume of the viewer is chosen, and what the dock says is to become of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from napari.utils.notifications import show_warning
from qtpy.QtCore import QObject, Signal

from napari_metasr.io.names import WRITTEN_SUFFIXES
from napari_metasr.widgets.panels.dialogs import with_ending
from napari_metasr.widgets.upscaling import messages as words
from napari_metasr.widgets.upscaling.masks import holds_regions
from napari_metasr.widgets.upscaling.outlook import likely, outlook, output_name
from napari_metasr.widgets.upscaling.settings import FOUND, Setting
from napari_metasr.widgets.upscaling.target import Target
from napari_metasr.widgets.upscaling.task import file_of
from napari_metasr.widgets.viewer.layer_choice import LayerChoice
from napari_metasr.widgets.viewer.layer_grid import SPACE, has_grid_of
from napari_metasr.widgets.viewer.layer_source import MOST_AXES, check_supported, layer_source
from napari_metasr.widgets.viewer.layer_volume import layer_volume
from napari_metasr.widgets.viewer.preferences import remember
from napari_metasr.widgets.viewer.result_layers import is_result
from napari_metasr.widgets.viewer.subscriptions import Subscriptions

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_metasr.volume import Volume
    from napari_metasr.widgets.upscaling.contents import Contents
    from napari_metasr.widgets.upscaling.dock import UpscaleDock
    from napari_metasr.widgets.upscaling.outlook import Outlook
    from napari_metasr.widgets.upscaling.target import TargetKind

NO_SPACING = (1.0, 1.0, 1.0)


class UpscaleChoice(QObject):
    """Keeps the dock's form in step with the viewer's layers, and reads it.

    Signals
    -------
    changed
        Another layer, other numbers or another place of it, or another setting.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, dock: UpscaleDock) -> None:
        super().__init__(dock)
        self._viewer, self._dock = viewer, dock
        self._seen: Image | None = None
        self._is_set = False
        self._own_output: str | None = None
        self._images = LayerChoice(viewer, dock.show_sources, changed=lambda _: self.changed.emit())
        self._regions = LayerChoice(
            viewer,
            dock.show_regions,
            belongs=lambda layer: holds_regions(layer, self.image),
            first=lambda _: None,
        )
        dock.source_chosen.connect(self._on_source)
        dock.settings_changed.connect(self._on_settings)
        dock.kind_chosen.connect(self._on_kind)
        dock.isotropic_requested.connect(self._on_isotropic)
        events = viewer.layers.events
        self._subscriptions = Subscriptions(
            [(events.inserted, self._on_layers), (events.removed, self._on_layers)]
        )

    def close(self) -> None:
        """Listen to the viewer no more."""
        self._subscriptions.close()
        self._images.close()
        self._regions.close()

    def refresh(self) -> None:
        """List the viewer's layers anew; what a person has not set becomes what is likely."""
        self._images.refresh()
        is_within = self._dock.settings.within > FOUND
        self._regions.refresh()
        if is_within and self.region is None:
            show_warning(f"Upscale volume: {words.NOT_WITHIN}")
        try:
            volume = self.volume()
        except ValueError:
            return
        if self.image is not self._seen:
            self._seen, self._own_output = self.image, None
            self._set_likely(volume)

    @property
    def image(self) -> Image | None:
        """The chosen layer."""
        layer = self._images.layer
        return layer if isinstance(layer, Image) else None

    @property
    def region(self) -> Layer | None:
        """The layer with the lesions that networks are to work round, if one is chosen."""
        return self._regions.layer if self._dock.settings.within > FOUND else None

    @property
    def segmentations(self) -> list[Labels]:
        """The labels layers that come along: those on the chosen layer's grid, in space alone."""
        image = self.image
        if image is None or not self._dock.settings.labels:
            return []
        return [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Labels)
            and layer.ndim == SPACE
            and not is_result(layer)
            and has_grid_of(layer, image)
        ]

    @property
    def file(self) -> Path | None:
        """The chosen layer's, if it has one."""
        return None if self.image is None else file_of(self.image)

    def volume(self) -> Volume:
        """Return the chosen layer's volume.

        Raises
        ------
        ValueError
            With what to tell the user, if it cannot be made finer.
        """
        layer = self.image
        if layer is None:
            raise ValueError(words.NO_IMAGE)
        check_supported(layer)
        if layer.ndim < 3:
            raise ValueError(words.NO_VOLUME.format(name=layer.name))
        if layer.ndim > MOST_AXES:
            raise ValueError(words.TOO_MANY_AXES.format(name=layer.name, count=layer.ndim))
        return layer_volume(layer_source(layer))

    def outlook(self, contents: Contents) -> Outlook:
        """Return what is going to be done.

        Parameters
        ----------
        contents
            Knows where the chosen layer holds more than background, or begins to look.

        Raises
        ------
        ValueError
            With what to tell the user, if it cannot be done.
        """
        volume = self.volume()
        return outlook(volume, self._dock.settings, contents.of(volume))

    @property
    def default_output(self) -> str:
        """Where the output goes if a person has not said it; nothing where that is to be asked."""
        if self._own_output is not None:
            return self._own_output
        path = self.file
        return "" if path is None else str(path.with_name(self.suggestion))

    @property
    def suggestion(self) -> str:
        """What the output is called by default."""
        try:
            return output_name(self.volume(), self._dock.settings)
        except ValueError:
            return ""

    @property
    def output(self) -> Path | None:
        """Where the output goes; None where that is to be asked.

        Raises
        ------
        ValueError
            If it lies in the home of a user that does not exist.
        """
        text = self._dock.settings.output.strip()
        try:
            path = Path(text).expanduser().absolute()
        except RuntimeError:
            raise ValueError(f"{text}: expected a user's home, found no such user") from None
        return with_ending(path, WRITTEN_SUFFIXES) if text and path.name else None

    def set_output(self, path: Path) -> None:
        """Take where the user wants the output."""
        self._own_output = str(path)
        self._dock.show_output(self._own_output)
        self.changed.emit()

    def _set_likely(self, volume: Volume) -> None:
        self._dock.target.show_finest(words.finest(volume))
        if not self._is_set:
            plane, target = likely(volume.spacing)
            self._dock.show_plane(plane)
            self._dock.target.show_target(target)

    def _on_layers(self, event: Any = None) -> None:
        self.changed.emit()

    def _on_source(self, place: int) -> None:
        self._images.choose(place)
        self.changed.emit()

    def _on_settings(self, setting: Setting) -> None:
        if setting in {Setting.PLANE, Setting.TARGET}:
            self._is_set = True
        elif setting is Setting.OUTPUT:
            self._own_output = self._dock.settings.output
        elif setting is Setting.ASSUMED:
            remember(assumed=str(self._dock.settings.assumed))
        elif setting is Setting.WITHIN:
            self._regions.choose(self._dock.settings.within - FOUND - 1)
        self.changed.emit()

    def _on_kind(self, kind: TargetKind) -> None:
        target = self._dock.settings.target
        self._want(target.as_kind(kind, self._spacing or NO_SPACING))

    def _on_isotropic(self) -> None:
        if self._spacing is not None:
            self._want(Target.isotropic(self._spacing))

    @property
    def _spacing(self) -> tuple[float, float, float] | None:
        """Spacing of the chosen volume, along z, y, x."""
        try:
            z, y, x = self.volume().spacing
        except ValueError:
            return None
        return z, y, x

    def _want(self, target: Target) -> None:
        self._dock.target.show_target(target)
        self._on_settings(Setting.TARGET)
