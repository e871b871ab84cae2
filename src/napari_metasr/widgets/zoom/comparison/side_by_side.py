"""Bicubic left, super-resolved right, for each contrast; the cameras move together."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from napari.layers import Image, Labels
from napari.utils.notifications import show_info

from napari_metasr.widgets.viewer.anatomical_view import anatomical_view
from napari_metasr.widgets.viewer.edge_letters import MOST_LINES
from napari_metasr.widgets.viewer.napari_versions import (
    HIDDEN_LAYERS_TAKE_BOXES,
    canvas_size,
    set_grid,
)
from napari_metasr.widgets.viewer.result_layers import (
    SUPER_RESOLVED,
    is_result,
    lay_over_images,
    reorder,
    undisturbed,
)
from napari_metasr.widgets.viewer.subscriptions import Subscriptions
from napari_metasr.widgets.zoom.comparison.base import Mode, set_visible
from napari_metasr.widgets.zoom.settings import Compare

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_metasr.widgets.zoom.comparison.base import Stage

SPACING = 4
HIDDEN = "“{name}” is hidden while images are compared side by side, and shown when that ends."


def boxes_of(count: int, size: tuple[float, float]) -> tuple[int, int]:
    """Return how many rows and columns of view boxes show images largest, a pair side by side.

    Parameters
    ----------
    count
        Images to show, the two of a pair after each other.
    size
        Height and width of the canvas, in pixels.

    Examples
    --------
    >>> boxes_of(2, (800, 1000)), boxes_of(8, (800, 1000)), boxes_of(8, (1000, 400))
    ((1, 2), (2, 4), (4, 2))
    """
    height, width = size
    shapes = [(-(-count // columns), columns) for columns in range(2, max(count, 2) + 2, 2)]
    return max(shapes, key=lambda shape: min(height / shape[0], width / shape[1]))


class SideBySide(Mode):
    """Uses napari's grid, where every visible layer has a view box, as large as the canvas allows.

    Other layers are hidden on entering. An image that is opened or shown meanwhile gets a view box
    of its own. A segmentation is shown in every box, by copies.
    """

    compare: ClassVar[Compare] = Compare.SIDE_BY_SIDE
    all_contrasts: ClassVar[bool] = True
    source_around: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._stage: Stage | None = None
        self._is_new = True
        self._panes: list[Image] = []
        self._order: list[Layer] = []
        self._watched: list[Image] = []
        self._eyes = Subscriptions()

    def enter(self, stage: Stage) -> None:
        """Hide all but the results and segmentations."""
        self._stage = stage
        super().enter(stage)

    def update(self, stage: Stage) -> None:
        """Give each result its box."""
        panes = [layer for pair in stage.pairs for layer in pair.layers]
        sources = [pair.source.layer for pair in stage.pairs]
        for layer in [layer for layer in stage.viewer.layers if not is_result(layer)]:
            if self.snapshot is None or not layer.visible or isinstance(layer, Labels):
                continue
            if self._is_new or layer in sources:
                self.snapshot.hide(layer)
            elif not isinstance(layer, Image):
                self.snapshot.hide(layer)
                show_info(HIDDEN.format(name=layer.name))
        self._is_new = False
        others = [
            layer
            for layer in stage.viewer.layers
            if isinstance(layer, Image) and layer.visible and not is_result(layer)
        ]
        self._watch(stage)
        shape = boxes_of(len(panes) + len(others), canvas_size(stage.viewer))
        for layer in panes:
            set_visible(layer, True)
        self._label(stage, panes, others)
        in_box = 1 + len(stage.segmentations.copies)
        set_grid(
            stage.viewer,
            enabled=True,
            stride=-in_box if HIDDEN_LAYERS_TAKE_BOXES else in_box,
            shape=shape,
            spacing=SPACING,
        )
        self._name(stage, is_one_pair=shape == (1, 2))

    def leave(self) -> None:
        """Put the view back, with the results over the images again."""
        stage, self._stage = self._stage, None
        self._eyes.close()
        if stage is not None:
            stage.names.hide()
            stage.box_names.hide()
            anatomical_view(stage.viewer).keep_below(MOST_LINES)
        are_first = HIDDEN_LAYERS_TAKE_BOXES or (
            stage is not None and bool(stage.segmentations.copies)
        )
        super().leave()
        if stage is not None:
            self._put_in_order(stage)
        if stage is not None and are_first:
            self._lay_over_images(stage)

    def _watch(self, stage: Stage) -> None:
        """Have what is shown arranged anew once an image beside the results is shown or hidden."""
        sources = [pair.source.layer for pair in stage.pairs]
        images = [
            layer
            for layer in stage.viewer.layers
            if isinstance(layer, Image) and not is_result(layer) and layer not in sources
        ]
        if images != self._watched:
            self._eyes.close()
            self._watched = images
            for layer in images:
                self._eyes.add(layer.events.visible, lambda event: stage.changed())

    def _name(self, stage: Stage, *, is_one_pair: bool) -> None:
        """Name one pair at the corners of the view, several images in their view boxes."""
        if is_one_pair and stage.pairs:
            stage.box_names.hide()
            stage.names.show(stage.pairs[0])
            lines = MOST_LINES
        else:
            stage.names.hide()
            for pair in stage.pairs:
                for layer in pair.layers:
                    layer.name_overlay.visible = False
            lines = stage.box_names.show()
        anatomical_view(stage.viewer).keep_below(lines)

    def _label(self, stage: Stage, panes: list[Image], others: list[Image]) -> None:
        """Have each image followed by the segmentations that are shown over it.

        A box holds as many layers as any other.
        """
        if self.snapshot is None or not panes:
            return
        segmentations, layers = stage.segmentations, stage.viewer.layers
        over = [name for _ in stage.pairs for name in ("bicubic", SUPER_RESOLVED)]
        over += [layer.name for layer in others]
        changed = segmentations.take(self.snapshot, stage.pairs[0].source, over, every=True)
        are_others = panes != self._panes
        self._panes = panes
        if not changed and not are_others and not HIDDEN_LAYERS_TAKE_BOXES:
            return
        if not segmentations.copies and not HIDDEN_LAYERS_TAKE_BOXES:
            self._lay_over_images(stage)
            return
        boxes = {
            image: (image, *(copies[place] for copies in segmentations.copies.values()))
            for place, image in enumerate((*panes, *others))
        }
        own = {each for box in boxes.values() for each in box}
        rest = [each for each in layers if each not in own]
        self._remember_order([each for each in layers if each in others or each in rest])
        if HIDDEN_LAYERS_TAKE_BOXES:  # boxes are counted off from the last layer
            order = [*rest, *(each for image in (*others, *panes[::-1]) for each in boxes[image])]
        else:  # from the first
            order = [*(each for image in (*panes, *others) for each in boxes[image]), *rest]
        with undisturbed(stage.viewer):
            reorder(layers, order)

    def _remember_order(self, layers: list[Layer]) -> None:
        """Remember how the layers that are not the dock's own were ordered."""
        known = [layer for layer in self._order if layer in layers]
        self._order = [*known, *(layer for layer in layers if layer not in known)]

    def _put_in_order(self, stage: Stage) -> None:
        """Give the layers that are not the dock's own their order again."""
        layers, remembered = stage.viewer.layers, set(self._order)
        before = iter([layer for layer in self._order if layer in layers])
        with undisturbed(stage.viewer):
            reorder(layers, [next(before) if each in remembered else each for each in layers])
        self._order = []

    def _lay_over_images(self, stage: Stage) -> None:
        layers = stage.viewer.layers
        panes = [layer for layer in self._panes if layer in layers]
        with undisturbed(stage.viewer):
            if HIDDEN_LAYERS_TAKE_BOXES:  # from above segmentations to below them
                for layer in panes:
                    layers.move(layers.index(layer), 0)
            for layer in panes:
                lay_over_images(stage.viewer, layer)
