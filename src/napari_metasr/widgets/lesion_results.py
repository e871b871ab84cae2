"""All results of a viewer, the newest shown and the earlier ones hidden, none of them lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.widgets import lesion_words as words
from napari_metasr.widgets.lesion_layer import LesionLayer
from napari_metasr.widgets.result_layers import undisturbed

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_metasr.lesions import Lesion
    from napari_metasr.widgets.focus import LesionFocus
    from napari_metasr.widgets.layer_source import LayerSource
    from napari_metasr.widgets.lesion_worker import Found


@dataclass
class Result:
    """What was found in an image, and what a person has made of it.

    Attributes
    ----------
    source
        The image.
    found
        What was found.
    earlier
        The position on the image's axes before z, y, x, such as time.
    boxes
        The rectangles as they are now.
    chosen
        The number of the lesion that is looked at.
    known
        The numbers that there have been.
    """

    source: LayerSource
    found: Found
    earlier: tuple[int, ...]
    boxes: LesionLayer
    chosen: int | None
    known: set[int]

    @property
    def lesion(self) -> Lesion | None:
        """The lesion that is looked at."""
        return self.boxes.lesions.get(self.chosen) if self.chosen is not None else None

    @property
    def rows(self) -> list[words.Row]:
        """The table: as they were found, the best score first; what a person added comes last."""
        scores = [lesion.score for lesion in self.found.lesions]
        word = words.LABELS if self.found.detector is None else ""
        return [
            words.row_of(
                number,
                lesion,
                [box for box in self.boxes.boxes if box.lesion == number],
                scores[number - 1] if number <= len(scores) else None,
                word,
                self.found.scope.volume.spacing,
            )
            for number, lesion in self.boxes.lesions.items()
        ]


class Results:
    """Results in the order in which they came.

    Parameters
    ----------
    edited
        Called after the current result's rectangles have been edited.
    """

    def __init__(self, viewer: ViewerModel, focus: LesionFocus, edited: Callable[[], None]) -> None:
        self._viewer, self._focus, self._edited = viewer, focus, edited
        self._all: list[Result] = []
        self.current: Result | None = None

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

    def add(self, source: LayerSource, found: Found, earlier: tuple[int, ...]) -> Result:
        """Show a new result; earlier ones are hidden."""
        word = words.LABELS if found.detector is None else ""
        boxes = LesionLayer(source, found.lesions, earlier, self._on_edited, word)
        numbers = list(boxes.lesions)
        result = Result(source, found, earlier, boxes, next(iter(numbers), None), set(numbers))
        self._all.append(result)
        with undisturbed(self._viewer):
            self._viewer.add_layer(boxes.layer)
        self.choose(len(self._all) - 1)
        return result

    def choose(self, place: int) -> None:
        """Show one of the results, and hide the others."""
        self.current = self._all[place] if 0 <= place < len(self._all) else None
        for result in self._all:
            self._focus.show_layer(result.boxes.layer, result is self.current)
        self.tell()

    def tell(self) -> None:
        """Name the current result's layer, and let the viewer look at its lesion."""
        result = self.current
        if result is None or result.source.is_gone:
            self._focus.choose(None, None)
            return
        if result.lesion is None:
            result.chosen = next(iter(result.boxes.lesions), None)
        result.boxes.layer.name = words.layer_name(len(result.boxes.lesions), result.source.name)
        result.boxes.choose(result.chosen)
        self._focus.choose(result.source.layer, result.lesion, result.earlier)

    def owns(self, layer: Layer | None) -> bool:
        """Whether a layer holds the rectangles of a result."""
        return any(result.boxes.layer is layer for result in self._all)

    def removed(self, layer: Layer) -> bool:
        """Forget what belongs to a layer that is gone, boxes or image; whether anything did."""
        gone = [
            result
            for result in self._all
            if result.boxes.layer is layer or result.source.is_gone or result.source.layer is layer
        ]
        for result in gone:
            result.boxes.close()
            self._all.remove(result)
        if self.current in gone:
            self.choose(len(self._all) - 1)
        return bool(gone)

    def close(self) -> None:
        """Listen no more; the layers stay."""
        for result in self._all:
            result.boxes.close()

    def _on_edited(self) -> None:
        result = self.current
        if result is not None:
            drawn = set(result.boxes.lesions) - result.known
            result.chosen = max(drawn, default=result.chosen)
            result.known |= drawn
        self.tell()
        self._edited()
