"""The Shapes layer with one result's rectangles: shown, edited, and read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Shapes

from napari_metasr.lesions.boxes import (
    BY_HAND,
    NEW,
    Box,
    boxes_of,
    lesions_of,
    numbered,
)
from napari_metasr.widgets.lesions.messages import score_text
from napari_metasr.widgets.viewer.guard import Guard
from napari_metasr.widgets.viewer.shapes import box_from, corners

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from napari_metasr.lesions import Lesion
    from napari_metasr.widgets.viewer.layer_source import LayerSource

    State = tuple[list[NDArray[Any]], Any]

CHOSEN_COLOR = "#ffd54a"
COLOR = "#ff9d5c"
LINE_PIXELS = 2.0
NOTICEABLE = 0.2
TEXT_SIZE = 9
MOST_UNDONE = 50
OUTSIDE = "outside the image"
FINISHED = ("added", "changed", "removed")
DRAWN = {"lesion": NEW, "score": BY_HAND, "label": score_text(BY_HAND)}
"""What a rectangle has that a person has just drawn."""


class LesionLayer:
    """Rectangles in the pixels of an image layer, one a slice, each with its lesion's number.

    Parameters
    ----------
    source
        The image.
    lesions
        What was found.
    leading
        The position on the image's axes before z, y, x, such as time.
    changed
        Called after rectangles were drawn, dragged or deleted.
    word
        What to say in place of scores that are no guesses.

    Attributes
    ----------
    layer
        The Shapes layer, to be added to a viewer.
    boxes
        Its rectangles, as they are now; those that lie outside the image are left out.
    lesions
        What they make up, by number.
    changed
        Called after rectangles were drawn, dragged or deleted.
    """

    def __init__(
        self,
        source: LayerSource,
        lesions: Iterable[Lesion],
        leading: tuple[int, ...],
        changed: Callable[[], None],
        word: str = "",
    ) -> None:
        self._shape = tuple(source.layer.data.shape)
        self._leading, self.changed = leading, changed
        self._word = word
        self._chosen: int | None = None
        self._updating = Guard()
        self.boxes = boxes_of(lesions)
        self.lesions = lesions_of(self.boxes)
        self._last, self._count = len(self.lesions), len(self.boxes)
        scale, translate = source.placement
        origin = source.layer
        self.layer = Shapes(
            [corners(box, leading, len(self._shape)) for box in self.boxes] or None,
            ndim=origin.ndim,
            shape_type="rectangle",
            features=self._features(self.boxes),
            feature_defaults=DRAWN,
            text={
                "string": " {label}",  # clear of the corner where it begins
                "size": TEXT_SIZE,
                "color": CHOSEN_COLOR,
                "anchor": "upper_left",
            },
            edge_color=COLOR,
            face_color="transparent",
            edge_width=1.0,
            opacity=1.0,
            scale=scale,
            translate=translate,
            units=origin.units,
            axis_labels=origin.axis_labels,
        )
        self.layer.events.data.connect(self._on_data)
        self.layer.events.features.connect(self._on_features)
        self.layer.bind_key("Control-Z", lambda _: self.undo(), overwrite=True)
        self._history: list[State] = []
        self._state = self._now()

    def undo(self) -> None:
        """Take the last change of rectangles back, if there was one."""
        if not self._history:
            return
        data, features = self._history.pop()
        with self._updating:
            self.layer.data = []
            if data:
                self.layer.add_rectangles(data)
            self.layer.features = features
        self._count = len(data)
        self._read()
        self._state = self._now()
        self.changed()

    def choose(self, number: int | None) -> None:
        """Mark a lesion's rectangles."""
        self._chosen = number
        self._paint()

    def set_line(self, pixels_per_unit: float) -> None:
        """Keep the lines as wide as they are on the screen, at these screen pixels a world unit."""
        per_voxel = pixels_per_unit * float(np.min(np.abs(self.layer.scale[-2:])))
        width = LINE_PIXELS / per_voxel
        if abs(width / self.layer.current_edge_width - 1) > NOTICEABLE:
            self.layer.current_edge_width = width
            if len(self.layer.data):
                self.layer.edge_width = [width] * len(self.layer.data)

    def follow(self, source: LayerSource) -> None:
        """Go where the image is now.

        Raises
        ------
        UnsupportedLayerError
            If it has been rotated or sheared.
        """
        self.layer.scale, self.layer.translate = source.placement

    def close(self) -> None:
        """Listen no more."""
        self.layer.events.data.disconnect(self._on_data)
        self.layer.events.features.disconnect(self._on_features)

    def _on_data(self, event: Any) -> None:
        action = str(getattr(event, "action", ""))
        if self._updating or action not in FINISHED:
            return
        self._read(
            edited=event.data_indices if action == "changed" else (),
            drawn=event.data_indices if action == "added" else (),
        )
        self._remember()
        self.changed()

    def _on_features(self, event: Any = None) -> None:
        """Notice what was pasted: napari says no more of it than that the table has changed."""
        if not self._updating and len(self.layer.data) != self._count:
            self._read()
            self._remember()
            self.changed()

    def _now(self) -> State:
        """Return the rectangles and their table as they are."""
        return [np.array(corners) for corners in self.layer.data], self.layer.features.copy()

    def _remember(self) -> None:
        """Keep what there was before a change, to go back to."""
        self._history.append(self._state)
        del self._history[:-MOST_UNDONE]
        self._state = self._now()

    def _read(self, edited: Iterable[int] = (), drawn: Iterable[int] = ()) -> None:
        """Take over what the layer holds, and number it.

        What was edited has no score any more; what was drawn, or was not there before, has
        nothing of the lesion whose number and score napari gave it.
        """
        numbers = np.array(self.layer.features["lesion"], int)
        scores = np.array(self.layer.features["score"], float)
        new = [*drawn, *range(self._count, len(numbers))]
        numbers[new] = NEW
        scores[[*new, *edited]] = BY_HAND
        self._count = len(numbers)
        found = [
            box_from(data, self._shape, self._leading, int(number), float(score))
            for data, number, score in zip(self.layer.data, numbers, scores, strict=True)
        ]
        self.boxes = numbered([box for box in found if box is not None], self._last)
        self._last = max((self._last, *(box.lesion for box in self.boxes)))
        self.lesions = lesions_of(self.boxes)
        remaining = iter(self.boxes)
        rows = [next(remaining) if box is not None else None for box in found]
        with self._updating:
            self.layer.features = self._features(rows)
            self.layer.feature_defaults = DRAWN
        self._paint()

    def _features(self, boxes: Iterable[Box | None]) -> dict[str, NDArray[Any]]:
        """Return the layer's table: number and score of every shape, and what stands beside it."""
        places = {number: place for place, number in enumerate(self.lesions, start=1)}
        rows = [
            (box.lesion, box.score, f"{places[box.lesion]} · {score_text(box.score, self._word)}")
            if box is not None
            else (NEW, BY_HAND, OUTSIDE)
            for box in boxes
        ]
        return {
            "lesion": np.array([number for number, _, _ in rows], int),
            "score": np.array([score for _, score, _ in rows], float),
            "label": np.array([label for _, _, label in rows], object),
        }

    def _paint(self) -> None:
        """Colour the chosen lesion's rectangles apart from the others."""
        if len(self.layer.data):
            numbers = self.layer.features["lesion"]
            self.layer.edge_color = [CHOSEN_COLOR if n == self._chosen else COLOR for n in numbers]
