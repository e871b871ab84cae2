"""All results of a viewer, the newest shown and the earlier ones hidden, none of them lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_metasr.volume import SIGNS
from napari_metasr.widgets.lesions import messages as words
from napari_metasr.widgets.lesions.layer import LesionLayer
from napari_metasr.widgets.viewer.layer_volume import layer_volume
from napari_metasr.widgets.viewer.result_layers import undisturbed
from napari_metasr.widgets.viewer.shared import shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari.components import ViewerModel
    from napari.layers import Image, Layer

    from napari_metasr.lesions import Lesion
    from napari_metasr.widgets.lesions.detection import SearchResult
    from napari_metasr.widgets.viewer.focus import LesionFocus
    from napari_metasr.widgets.viewer.layer_source import LayerSource


class KeptResults(list["Result"]):
    """The results that a closed dock leaves for the next one."""


def _ignored() -> None:
    """Take no notice of an edit: no dock is open."""


@dataclass(eq=False)
class Result:
    """What was found in an image, and what a person has made of it.

    Attributes
    ----------
    found
        What was found.
    boxes
        The rectangles as they are now.
    chosen
        The number of the lesion that is looked at.
    known
        The numbers that there have been.
    """

    found: SearchResult
    boxes: LesionLayer
    chosen: int | None
    known: set[int]

    @property
    def source(self) -> LayerSource:
        """The image."""
        return self.found.scope.source

    @property
    def leading(self) -> tuple[int, ...]:
        """The position on the image's axes before z, y, x, such as time."""
        return self.found.scope.leading

    @property
    def lesion(self) -> Lesion | None:
        """The lesion that is looked at."""
        return self.boxes.lesions.get(self.chosen) if self.chosen is not None else None

    @property
    def unit(self) -> str:
        """What sizes are measured in, in short."""
        return SIGNS[self.found.scope.volume.source.unit]

    @property
    def rows(self) -> list[words.LesionRow]:
        """The table: as they were found, the best score first; what a person added comes last."""
        scores = [lesion.score for lesion in self.found.lesions]
        word = words.LABELS if self.found.detector is None else ""
        return [
            words.row_of(
                place,
                number,
                lesion,
                [box for box in self.boxes.boxes if box.lesion == number],
                scores[number - 1] if number <= len(scores) else None,
                word,
                self.found.scope.volume.spacing,
            )
            for place, (number, lesion) in enumerate(self.boxes.lesions.items(), start=1)
        ]


class Results:
    """Results in the order in which they came, those of a dock that was closed before among them.

    Parameters
    ----------
    edited
        Called after the current result's rectangles have been edited.
    """

    def __init__(self, viewer: ViewerModel, focus: LesionFocus, edited: Callable[[], None]) -> None:
        self._viewer, self._focus, self._edited = viewer, focus, edited
        kept = shared(viewer, KeptResults, KeptResults)
        self._all = [result for result in kept if result.boxes.layer in viewer.layers]
        kept.clear()
        for result in self._all:
            result.boxes.changed = self._on_edited
        self.current: Result | None = None

    def __iter__(self) -> Iterator[Result]:
        """List them in order."""
        return iter(self._all)

    @property
    def names(self) -> list[str]:
        """What the results are called."""
        return [
            words.result_name(place, result.found, len(result.boxes.lesions))
            for place, result in enumerate(self._all, start=1)
        ]

    @property
    def place(self) -> int:
        """Which of them is the current one, -1 for none."""
        return self._all.index(self.current) if self.current is not None else -1

    def add(self, found: SearchResult) -> Result:
        """Show a new result; earlier ones are hidden."""
        word = words.LABELS if found.detector is None else ""
        scope = found.scope
        boxes = LesionLayer(scope.source, found.lesions, scope.leading, self._on_edited, word)
        numbers = list(boxes.lesions)
        result = Result(found, boxes, next(iter(numbers), None), set(numbers))
        self._all.append(result)
        with undisturbed(self._viewer):
            self._viewer.add_layer(boxes.layer)
        self.choose(len(self._all) - 1)
        return result

    def resume(self) -> None:
        """Show the result that was shown when a dock before was closed."""
        shown = [place for place, result in enumerate(self._all) if result.boxes.layer.visible]
        self.choose(max(shown, default=len(self._all) - 1))

    def image(self, result: Result) -> Image | None:
        """Return the image of a result, while the viewer has it."""
        layer = None if result.source.is_gone else result.source.layer
        return layer if layer in self._viewer.layers else None

    def choose(self, place: int) -> None:
        """Show one of the results, and hide the others."""
        self.current = self._all[place] if 0 <= place < len(self._all) else None
        for result in self._all:
            self._focus.show_layer(result.boxes.layer, result is self.current)
        self.tell()

    def tell(self) -> None:
        """Name the current result's layer, and let the viewer look at its lesion."""
        result = self.current
        if result is None:
            self._focus.choose(None, None)
            return
        if result.lesion is None:
            result.chosen = next(iter(result.boxes.lesions), None)
        result.boxes.choose(result.chosen)
        image = self.image(result)
        if image is None:
            self._focus.choose(None, None)
            return
        result.boxes.layer.name = words.layer_name(len(result.boxes.lesions), image.name)
        self._focus.choose(image, result.lesion, result.leading)

    def follow(self, source: LayerSource) -> bool:
        """Take the results of an image to where it is now; whether there are any.

        An image that they do not fit any more, being rotated or of another shape, leaves them.
        """
        moved = [result for result in self._all if result.source is source]
        for result in moved:
            try:
                volume = layer_volume(source)
                if volume.data.shape == result.found.scope.volume.data.shape:
                    result.boxes.follow(source)
                    scope = replace(result.found.scope, volume=volume)
                    result.found = replace(result.found, scope=scope)
            except ValueError:
                continue
        return bool(moved)

    def owns(self, layer: Layer | None) -> bool:
        """Return whether a layer holds the rectangles of a result."""
        return any(result.boxes.layer is layer for result in self._all)

    def removed(self, layer: Layer) -> bool:
        """Forget the result of boxes that are gone; whether it was a result's boxes or image.

        Without its image a result stays, to be seen and exported, as long as its boxes do.
        """
        gone = [result for result in self._all if result.boxes.layer is layer]
        concerned = bool(gone) or any(self.image(result) is None for result in self._all)
        for result in gone:
            result.boxes.close()
            self._all.remove(result)
        if self.current in gone:
            self.choose(len(self._all) - 1)
        elif concerned:
            self.tell()
        return concerned

    def close(self) -> None:
        """Tell of nothing more; what was found stays with the viewer for the next dock."""
        for result in self._all:
            result.boxes.changed = _ignored
        shared(self._viewer, KeptResults, KeptResults)[:] = self._all

    def _on_edited(self) -> None:
        result = self.current
        if result is not None:
            drawn = set(result.boxes.lesions) - result.known
            result.chosen = max(drawn, default=result.chosen)
            result.known |= drawn
        self.tell()
        self._edited()
