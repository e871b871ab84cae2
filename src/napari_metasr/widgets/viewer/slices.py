"""The slices that are shown: their numbers, and what the network makes of them."""

from __future__ import annotations

import re
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.notifications import show_error, show_warning

from napari_metasr.widgets.panels.worker import Task, reason
from napari_metasr.widgets.viewer.encoding import (
    EncodingJob,
    SliceEncoded,
    SliceRead,
    Status,
    encode,
)
from napari_metasr.zoom.session import Request, SliceKey, ZoomSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_metasr.geometry.windows import Window
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.viewer.models import ModelCache
    from napari_metasr.zoom.encoded import EncodedSlice
    from napari_metasr.zoom.engine import ZoomModel


def risk_key(key: SliceKey) -> SliceKey:
    """Name a slice as the error head of its model encodes it, which is told nothing."""
    return replace(key, is_risk=True, told="")


def image_key(key: SliceKey) -> SliceKey:
    """Name a slice by its place, whatever a model is told of it and whether it is its head."""
    return replace(key, is_risk=False, told="")


CANCELLED = "Cancelled: bicubic is shown."

NUMBER = re.compile(r"\d[\d,.]*")


class Slices:
    """Between the session, which knows what is due, and the worker, which does it.

    Parameters
    ----------
    engines
        The models.
    byte_budget
        How much memory encoded slices may take.
    changed
        Called when there is more to be shown than before.
    busy
        Called with what is being done, and whether anything is.
    """

    def __init__(
        self,
        engines: ModelCache[ZoomModel],
        byte_budget: int,
        changed: Callable[[], None],
        busy: Callable[[str, bool], None],
    ) -> None:
        self.session: ZoomSession[EncodedSlice] = ZoomSession(byte_budget)
        self._changed, self._busy = changed, busy
        self._images: dict[SliceKey, NDArray[Any]] = {}
        self._known: weakref.WeakKeyDictionary[Layer, tuple[int, int]] = weakref.WeakKeyDictionary()
        self._sources: dict[SliceKey, LayerSource] = {}
        self._place: object = None
        self._cancelled = False
        self._engines = engines
        self._request: Request | None = None
        self._task = Task(announced=False)
        self._task.step.connect(self._on_step)
        self._task.warned.connect(self._on_warning)
        self._task.failed.connect(self._on_error)
        self._task.finished.connect(self._on_finished)

    @property
    def is_running(self) -> bool:
        """Whether anything is being encoded."""
        return self._task.is_running

    def show(
        self,
        sources: list[LayerSource],
        view: SliceView,
        model: str,
        device: str,
        told: str = "",
        *,
        risk: bool = False,
    ) -> dict[LayerSource, SliceKey]:
        """Tell which slices are shown; those in memory are read, lazy ones by the worker.

        The numbers of a lazy slice that is encoded are at hand. What belongs to a source that has
        changed since it was shown last is freed.

        Parameters
        ----------
        told
            What is chosen to be told of the acquisition; empty for a model that cannot be told.
        risk
            Whether the model's error head is shown too, under `risk_key`.
        """
        for source in sources:
            known = source.token, source.changes
            if self._known.get(source.layer, known) != known:
                self.forget(source.layer)
            self._known[source.layer] = known
        place = (view, model, device)
        if place != self._place:  # what failed elsewhere may be tried again
            self._place = place
            self.session.retry()
            self._images = {}
        keys = {
            source: SliceKey(source.token, view.axes, view.index, model, device, told=told)
            for source in sources
        }
        self._sources = {key: source for source, key in keys.items()}
        if risk:
            self._sources |= {risk_key(key): source for source, key in keys.items()}
        for source, key in keys.items():
            encoded, name = self.session.get(key), image_key(key)
            if name not in self._images and encoded is not None:
                self._images[name] = encoded.source
            elif name not in self._images and not source.is_lazy:
                self._images[name] = source.read(view)
        return keys

    def image(self, key: SliceKey) -> NDArray[Any] | None:
        """Return a slice's numbers; None while it is being read."""
        return self._images.get(image_key(key))

    def encoded(self, key: SliceKey, window: Window) -> EncodedSlice | None:
        """Return an encoded slice whose window can be rendered at once."""
        return self.session.ready(key, window)

    def shown_key(self, key: SliceKey, window: Window) -> SliceKey:
        """Return the key of what is shown: until a slice is there what it was told before stays."""
        if self.session.ready(key, window) is not None or not self.is_awaited(key):
            return key
        return self.session.former(key, window) or key

    def is_awaited(self, key: SliceKey) -> bool:
        """Return whether the network's result of a slice is still to come."""
        return not self.session.has_failed(key)

    def want(self, view: SliceView, windows: dict[SliceKey, Window]) -> None:
        """Start encoding what is missing of these; what else is worked on is stale."""
        request = self.session.want(windows)
        if request is not None:
            self._busy("Encoding …", True)
            self._request = request
            self._task.start(
                encode,
                [
                    EncodingJob(
                        key,
                        window,
                        self._sources[key],
                        view,
                        self._images.get(image_key(key)),
                        self.session.get(key),
                    )
                    for key, window in request.windows
                ],
                self._engines,
            )
        else:
            self._stop_if_stale()

    def rest(self) -> None:
        """Stop: nothing is shown."""
        self.session.want({})
        self._task.cancel()

    def retry(self) -> None:
        """Let what failed or was cancelled be tried again."""
        self.session.retry()

    def forget(self, layer: Layer) -> int | None:
        """Free what belongs to a layer that is gone or has other numbers.

        Returns
        -------
        int or None
            The layer's token, if it was ever shown.
        """
        token, _ = self._known.pop(layer, (None, 0))
        if token is not None:
            self.session.forget_layer(token)
            self._stop_if_stale()
            self._images = {k: image for k, image in self._images.items() if k.layer != token}
            self._sources = {k: source for k, source in self._sources.items() if k.layer != token}
        return token

    def cancel(self) -> None:
        """Stop; what is being encoded now is not tried again until something else is shown."""
        if self._task.is_running:
            self._cancelled = True
            self._task.cancel()

    def close(self) -> None:
        """Stop, hear no more of it, and free the memory."""
        self._task.close()
        self.session.clear()
        self._images.clear()
        self._sources.clear()

    def _on_step(self, step: Status | SliceRead | SliceEncoded) -> None:
        request = self._request
        if request is None:
            return
        if isinstance(step, Status):
            self._busy(f"{step.text} …", True)
        elif isinstance(step, SliceRead):
            if step.key in self._sources:
                self._images[image_key(step.key)] = step.image
                self._changed()
        elif self.session.accept(request, step.key, step.encoded):
            self._changed()
        self._stop_if_stale()

    def _stop_if_stale(self) -> None:
        if self.session.running is not None and self.session.is_stale(self.session.running):
            self._task.cancel()

    def _on_warning(self, text: str) -> None:
        """Tell of the first shown source that is worked on, once whatever its numbers are.

        How many pixels it is of differs from slice to slice. A slice without any value is seen to
        be empty.
        """
        kind = NUMBER.sub("", text)
        windows = self._request.windows if self._request is not None else ()
        for key, _ in windows:
            source, image = self._sources.get(key), self.image(key)
            is_empty = image is not None and not np.isfinite(image).any()
            if source is not None and not is_empty and kind not in source.warned:
                source.warned.add(kind)
                show_warning(f"“{source.name}”: {text}")
                return

    def _on_error(self, error: Exception) -> None:
        request = self._request
        if request is not None and not self.session.is_stale(request):
            self.session.done(request, failed=True)
            show_error(f"Meta-SR Zoom: {reason(error)}")

    def _on_finished(self, cancelled: bool) -> None:
        """Close the request; only what the user cancelled counts as failed."""
        request, self._request = self._request, None
        if request is not None:
            self.session.done(request, failed=self._cancelled)
        self._busy(CANCELLED if self._cancelled else "", False)
        self._cancelled = False
        self._changed()
