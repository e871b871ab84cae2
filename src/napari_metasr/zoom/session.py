"""What to encode, which request wins, and which encoded slices to keep; no Qt, no napari.

A viewer tells the session what it shows (`ZoomSession.want`) and is told what to encode for it.
One request runs at a time. When it no longer serves what is shown it is stale, its results are
refused, and what is shown by then is what the next request is for: the newest always wins and
nothing queues up. All methods are called from one thread.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_metasr.geometry.windows import Window

DEFAULT_BYTE_BUDGET = 1 << 30


class Encoded(Protocol):
    """What the session needs to know of an encoded slice."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""

    def is_ready(self, window: Window) -> bool:
        """Return whether the window can be rendered without further encoding."""


AnEncoded = TypeVar("AnEncoded", bound=Encoded)


@dataclass(frozen=True)
class SliceKey:
    """Names one encoded slice: nothing of another layer, plane, slice, time or model is it.

    Attributes
    ----------
    layer
        A number that is given to one layer and never again.
    axes
        The layer's axes that the slice's rows and columns count along.
    index
        The position on each of the layer's other axes, in order.
    model, device
        Which network encodes it, and where.
    is_risk
        Whether it is the error head of that model.
    told
        What is chosen to be told of the acquisition, see ``napari_metasr.trust.told.Words``;
        empty for networks that cannot be told.
    """

    layer: int
    axes: tuple[int, int]
    index: tuple[int, ...]
    model: str
    device: str
    is_risk: bool = False
    told: str = ""


@dataclass(frozen=True)
class Request:
    """Slices to encode, in order, each at least inside its window (low-resolution edges)."""

    windows: tuple[tuple[SliceKey, Window], ...]

    def covers(self, windows: Mapping[SliceKey, Window]) -> bool:
        """Return whether this request, once done, makes all of these windows ready."""
        own = dict(self.windows)
        return all(key in own and own[key].contains(window) for key, window in windows.items())


class ZoomSession(Generic[AnEncoded]):
    """Bookkeeping of encoded slices and of the requests for them.

    Parameters
    ----------
    byte_budget
        Encoded slices beyond it are dropped, the least recently shown first. What is shown now
        is always kept.
    """

    def __init__(self, byte_budget: int = DEFAULT_BYTE_BUDGET) -> None:
        self.byte_budget = byte_budget
        self._encoded: OrderedDict[SliceKey, AnEncoded] = OrderedDict()
        self._wanted: dict[SliceKey, Window] = {}
        self._failed: set[SliceKey] = set()
        self._running: Request | None = None
        self._superseded = self._outdated = False

    @property
    def running(self) -> Request | None:
        """The request that is worked on."""
        return self._running

    @property
    def nbytes(self) -> int:
        """Bytes held by all encoded slices."""
        return sum(encoded.nbytes for encoded in self._encoded.values())

    def __len__(self) -> int:
        return len(self._encoded)

    def want(self, windows: Mapping[SliceKey, Window]) -> Request | None:
        """Tell what is shown now.

        Parameters
        ----------
        windows
            For every slice shown the part of it, in low-resolution edges, most important first.

        Returns
        -------
        Request or None
            Work to start now. None if all is ready or has failed before, or while other work
            runs: once that is `done`, ask again.
        """
        self._wanted = dict(windows)
        missing = {
            key: window
            for key, window in windows.items()
            if key not in self._failed and self.ready(key, window) is None
        }
        if self._running is not None:
            self._superseded = not missing or not self._running.covers(missing)
            return None
        if not missing:
            return None
        self._running = Request(tuple(missing.items()))
        self._superseded = False
        return self._running

    def is_stale(self, request: Request) -> bool:
        """Return whether the results of this request are no longer of use."""
        return self._running is not request or self._superseded or self._outdated

    def accept(self, request: Request, key: SliceKey, encoded: AnEncoded) -> bool:
        """Keep an encoded slice, unless it is no longer waited for or its layer was forgotten.

        Returns
        -------
        bool
            Whether it was kept, that is, may be shown.
        """
        if self._running is not request or self._outdated or key not in self._wanted:
            return False
        self._encoded[key] = encoded
        self._encoded.move_to_end(key)
        self._evict()
        return True

    def done(self, request: Request, failed: bool = False) -> None:
        """Tell that the work on a request has ended.

        Parameters
        ----------
        failed
            Whether it ended with an error: what is still missing of it is not asked for again
            before `retry`, unless a layer of it was forgotten.
        """
        outdated = False
        if self._running is request:
            self._running = None
            outdated, self._outdated = self._outdated, False
        if failed and not outdated:
            self._failed.update(
                key for key, window in request.windows if not self.ready(key, window)
            )

    def retry(self) -> None:
        """Forget that anything failed."""
        self._failed.clear()

    def has_failed(self, key: SliceKey) -> bool:
        """Return whether encoding this slice ended with an error."""
        return key in self._failed

    def cancel(self) -> None:
        """Want nothing more: a running request is stale."""
        self._wanted = {}
        self._superseded = True

    def get(self, key: SliceKey) -> AnEncoded | None:
        """Return the encoded slice, ready or not; None if it is not kept."""
        return self._encoded.get(key)

    def ready(self, key: SliceKey, window: Window) -> AnEncoded | None:
        """Return the encoded slice if the window can be rendered from it at once."""
        encoded = self._encoded.get(key)
        if encoded is None or not encoded.is_ready(window):
            return None
        self._encoded.move_to_end(key)
        return encoded

    def former(self, key: SliceKey, window: Window) -> SliceKey | None:
        """Return the key of the same slice, told otherwise, that can stand in for one to come.

        Of those from which the window can be rendered at once it is the one shown last.
        """
        for other in reversed(self._encoded):
            same = other != key and replace(other, told=key.told) == key
            if same and self._encoded[other].is_ready(window):
                return other
        return None

    def forget_layer(self, layer: int) -> None:
        """Free all that belongs to a layer that is gone or has other numbers.

        Of a running request for it no result is accepted any more.
        """
        running = () if self._running is None else self._running.windows
        self._outdated |= any(key.layer == layer for key, _ in running)
        for key in [key for key in self._encoded if key.layer == layer]:
            del self._encoded[key]
        for key in [key for key in self._wanted if key.layer == layer]:
            del self._wanted[key]
        self._failed = {key for key in self._failed if key.layer != layer}

    def clear(self) -> None:
        """Free everything."""
        self.cancel()
        self.retry()
        self._encoded.clear()

    def _evict(self) -> None:
        for key in [key for key in self._encoded if key not in self._wanted]:
            if self.nbytes <= self.byte_budget:
                return
            del self._encoded[key]
