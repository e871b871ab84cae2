"""One plane's picture: the network's as soon as it is rendered, and what stands in for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_metasr.geometry.windows import Window
    from napari_metasr.volume import Plane
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.viewer.lens import Lens
    from napari_metasr.widgets.viewer.magnified import Piece
    from napari_metasr.widgets.viewer.magnifier import Magnifier, Sight
    from napari_metasr.widgets.viewer.rendering import Renderings


@dataclass(frozen=True)
class Subject:
    """What a picture is of: a part of a layer's slice, at a resolution, by a network."""

    token: int
    lens: Lens
    model: str
    told: str

    @property
    def slice(self) -> tuple[int, SliceView, str]:
        """The same without the part and the resolution, whatever the network was told."""
        return self.token, self.lens.view, self.model


@dataclass(frozen=True)
class Shown:
    """What a plane shows by now.

    Attributes
    ----------
    sight
        What is known of the slice.
    piece
        The part of it that is shown; None where there is none.
    is_enhanced
        Whether the network has made it.
    """

    sight: Sight
    piece: Piece | None
    is_enhanced: bool


class PlanePicture:
    """Knows what one plane shows, and asks for what it is to show.

    Parameters
    ----------
    plane
        The plane.
    magnifier
        Has the plane's slices encoded.
    renderings
        Renders for all planes.
    """

    def __init__(self, plane: Plane, magnifier: Magnifier, renderings: Renderings) -> None:
        self._plane, self._magnifier, self._renderings = plane, magnifier, renderings
        self._asked: Subject | None = None
        self._enhanced: tuple[Subject, Piece | None] | None = None
        self._plain: tuple[Subject, Piece | None] | None = None

    @property
    def magnifier(self) -> Magnifier:
        """What has the plane's slices encoded."""
        return self._magnifier

    def look(self, source: LayerSource, lens: Lens, device: str, *, enhances: bool) -> Shown | None:
        """Return what is shown of a slice at once; the rest is rendered in the background.

        Returns
        -------
        Shown or None
            None while the slice is being read, and where the lens shows nothing of it.
        """
        sight = self._magnifier.look(source, lens, device)
        window = lens.window()
        if sight is None or window is None:
            return None
        subject = Subject(source.token, lens, sight.network.model, sight.network.told)
        if not enhances or not sight.is_ready:
            self._renderings.drop(self._plane)
            self._asked = None
            return Shown(sight, self._interpolated(sight, subject, window), is_enhanced=False)
        if self._enhanced is not None and self._enhanced[0] == subject:
            return Shown(sight, self._enhanced[1], is_enhanced=True)
        if self._asked != subject:
            self._asked = subject
            self._renderings.ask(self._plane, subject, partial(sight.super_resolved, window))
        former = self._former(subject, window)
        if former is not None:
            return Shown(sight, former, is_enhanced=True)
        return Shown(sight, self._interpolated(sight, subject, window), is_enhanced=False)

    def accept(self, subject: Subject, piece: Piece | None) -> bool:
        """Take what has been rendered; return whether it is what is to be shown."""
        if subject != self._asked:
            return False
        self._enhanced = subject, piece
        return True

    def rest(self) -> None:
        """Show nothing."""
        self._magnifier.rest()
        self._clear()

    def forget(self, layer: Layer) -> None:
        """Free what belongs to a layer that is gone or has other numbers."""
        self._magnifier.forget(layer)
        self._clear()

    def close(self) -> None:
        """Stop, and free the memory."""
        self._magnifier.close()
        self._clear()

    def _clear(self) -> None:
        self._renderings.drop(self._plane)
        self._asked = self._enhanced = self._plain = None

    def _interpolated(self, sight: Sight, subject: Subject, window: Window) -> Piece | None:
        if self._plain is None or self._plain[0] != subject:
            self._plain = subject, sight.interpolated(window)
        return self._plain[1]

    def _former(self, subject: Subject, window: Window) -> Piece | None:
        """Return what the network has made of the same slice, where that covers the window."""
        if self._enhanced is None or self._enhanced[0].slice != subject.slice:
            return None
        piece = self._enhanced[1]
        if piece is None or piece.window.intersection(window) != window:
            return None
        return piece
