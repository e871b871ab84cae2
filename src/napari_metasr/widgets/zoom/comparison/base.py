"""What every comparison mode does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from napari.layers import Image

from napari_metasr.widgets.viewer.napari_versions import grid_of
from napari_metasr.widgets.viewer.result_layers import is_result
from napari_metasr.widgets.viewer.snapshot import ViewSnapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.geometry.windows import Window
    from napari_metasr.widgets.viewer.layer_source import SliceView
    from napari_metasr.widgets.viewer.result_layers import ResultPair
    from napari_metasr.widgets.zoom.comparison.box_names import BoxNames
    from napari_metasr.widgets.zoom.comparison.side_names import SideNames
    from napari_metasr.widgets.zoom.comparison.swipe_line import SwipeLine
    from napari_metasr.widgets.zoom.segmentations import Segmentations
    from napari_metasr.widgets.zoom.settings import Compare


RESULTS = "the results"


@dataclass
class Stage:
    """What a comparison mode plays on.

    Attributes
    ----------
    viewer
        The viewer.
    pairs
        The results, the source layer's first.
    segmentations
        What is shown over them.
    names
        Their names, where both are seen at once.
    box_names
        The same, where there are more than two images.
    line
        What parts them where they are swiped.
    spent
        Hidden layers that no mode shows again; napari takes long to remove one.
    changed
        Called when what is shown beside the results is to be shown anew.
    """

    viewer: ViewerModel
    pairs: list[ResultPair]
    segmentations: Segmentations
    names: SideNames
    box_names: BoxNames
    line: SwipeLine
    spent: list[Layer]
    changed: Callable[[], None]

    @property
    def own_layers(self) -> set[Layer]:
        """The result layers."""
        return {layer for pair in self.pairs for layer in pair.layers}


class Mode:
    """One way to see two results together; here both are shown in their full window.

    Attributes
    ----------
    compare
        Which way it is.
    all_contrasts
        Whether it shows every ticked contrast, or the source layer's results alone.
    shows_inferred
        Whether it shows what of the result the source does not determine.
    source_around
        Whether the source is seen around the results.
    """

    compare: ClassVar[Compare]
    all_contrasts: ClassVar[bool] = False
    shows_inferred: ClassVar[bool] = False
    source_around: ClassVar[bool] = True

    def __init__(self) -> None:
        self.snapshot: ViewSnapshot | None = None
        self._segmentations: Segmentations | None = None

    def enter(self, stage: Stage) -> None:
        """Remember how the view is, then take it over."""
        self.snapshot = ViewSnapshot(stage.viewer, stage.own_layers)
        self._segmentations = stage.segmentations
        self.update(stage)

    def windows(self, window: Window, view: SliceView, grid: OutputGrid) -> tuple[Window, Window]:
        """Let both results show all of the window."""
        return window, window

    def update(self, stage: Stage) -> None:
        """Show what the mode shows."""
        raise NotImplementedError

    def single_box(self, stage: Stage) -> None:
        """Show the source under its results in one view box, and segmentations over all of it."""
        if grid_of(stage.viewer).enabled:
            grid_of(stage.viewer).enabled = False
        if not stage.pairs or self.snapshot is None:
            return
        source = stage.pairs[0].source.layer
        for layer in stage.viewer.layers:
            if isinstance(layer, Image) and layer is not source and not is_result(layer):
                self.snapshot.hide(layer)
        set_visible(source, True)
        stage.segmentations.take(self.snapshot, stage.pairs[0].source, [RESULTS], every=False)

    def leave(self) -> None:
        """Put the view back."""
        if self._segmentations is not None:
            self._segmentations.close()
        if self.snapshot is not None:
            self.snapshot.restore()
            self.snapshot = None


def set_visible(layer: Layer, visible: bool) -> None:
    """Show or hide a layer; nothing happens where it is so already."""
    if layer.visible != visible:
        layer.visible = visible
