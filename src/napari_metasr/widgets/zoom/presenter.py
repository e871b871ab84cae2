"""Renders bicubic and super-resolved images and puts them into their layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.trust.risk import marked_share, marked_text
from napari_metasr.widgets.viewer.guard import Guard
from napari_metasr.widgets.viewer.napari_versions import arranged_once, grid_shape
from napari_metasr.widgets.viewer.result_layers import (
    ResultPair,
    Signed,
    bicubic_name,
    enhanced_name,
    undisturbed,
)
from napari_metasr.widgets.zoom.beyond import Result
from napari_metasr.widgets.zoom.comparison import Stage
from napari_metasr.widgets.zoom.comparison.box_names import BoxNames
from napari_metasr.widgets.zoom.comparison.side_names import SideNames
from napari_metasr.widgets.zoom.comparison.swipe_line import SwipeLine
from napari_metasr.widgets.zoom.marks import drop_marks, show_marks
from napari_metasr.widgets.zoom.plan import has_pixels
from napari_metasr.widgets.zoom.region_border import drop_border, show_border
from napari_metasr.widgets.zoom.segmentations import Segmentations
from napari_metasr.zoom.baselines import interpolate_pixels
from napari_metasr.zoom.inset import inset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_metasr.trust.correction import Correction
    from napari_metasr.trust.risk import Guarantee, RiskModel
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.zoom.comparison import Mode
    from napari_metasr.widgets.zoom.plan import ZoomPlan
    from napari_metasr.zoom.encoded import EncodedSlice
    from napari_metasr.zoom.engine import ZoomModel

LESION = "lesion"
CONSISTENT = "consistent"
NOTHING = Window(0.0, 0.0, 0.0, 0.0)


@dataclass
class Risk:
    """What marks the results where they may be wrong.

    Attributes
    ----------
    model, guarantee
        The error head, and what its marks mean.
    encoded
        The slices that it has encoded.
    share
        Marked share of the tissue of the first result, once it is shown.
    """

    model: RiskModel
    guarantee: Guarantee
    encoded: dict[LayerSource, EncodedSlice]
    share: float | None = None

    @property
    def text(self) -> str:
        """How much is marked, and what that means."""
        told = "" if self.share is None else f"{marked_text(self.share)} "
        return f"{told}{self.guarantee.sentence}"


class Presenter:
    """Owns the result layers of all sources that are super-resolved, and what lies over them.

    Parameters
    ----------
    viewer
        The viewer.
    changed
        Called when what lies over them, or beside them, is to be shown anew.

    Attributes
    ----------
    result
        What the network has made of the first source, as it is shown; None where it has not.
    """

    def __init__(self, viewer: ViewerModel, changed: Callable[[], None]) -> None:
        spent: list[Layer] = []
        over = Segmentations(viewer, changed, spent)
        names = SideNames(viewer), BoxNames(viewer)
        self.stage = Stage(viewer, [], over, *names, SwipeLine(viewer), spent, changed)
        self._changing = Guard()
        self._axes: tuple[int, int] | None = None
        self._mode: Mode | None = None
        self._boxes = (1, 1)
        self.result: Result | None = None

    @property
    def is_naming(self) -> bool:
        """Whether a layer's name is still to be written."""
        return any(pair.is_naming for pair in self.stage.pairs)

    def owns(self, layer: Layer) -> bool:
        """Return whether a layer is one of the results, and it is not we who take it away."""
        return not self._changing and layer in self.stage.own_layers

    def set_sources(self, sources: list[LayerSource]) -> bool:
        """Have result layers for these sources, in this order, and no others.

        Returns
        -------
        bool
            Whether a pair has been added: the next one is added at the next call.
        """
        pairs = self.stage.pairs
        complete = all(pair.is_complete for pair in pairs)
        if complete and [pair.source for pair in pairs] == sources:
            return False
        kept = [pair for pair in pairs if pair.is_complete and pair.source in sources]
        if [pair.source for pair in kept] != sources[: len(kept)]:
            kept = []  # those of an earlier place would lie above
        with self._changing:
            for pair in pairs:
                if pair not in kept:
                    pair.close()
            pairs[:] = kept
            viewer = self.stage.viewer
            new = sources[len(kept) : len(kept) + 1]
            pairs += [ResultPair(viewer, source) for source in new]
        return bool(new)

    def remove_spent(self) -> None:
        """Remove what is hidden for good, at once: napari collects all garbage each time."""
        viewer, spent = self.stage.viewer, self.stage.spent
        gone = [layer for layer in spent if layer in viewer.layers]
        spent.clear()
        if gone:
            with undisturbed(viewer), arranged_once(viewer):
                for layer in gone:
                    viewer.layers.remove(layer)

    def close(self) -> None:
        """Take all result layers away."""
        self.remove_spent()
        with self._changing:
            for pair in self.stage.pairs:
                pair.close()
            self.stage.pairs.clear()
        self.stage.names.close()
        self.stage.box_names.close()
        self.stage.line.close()
        self._mode = self.result = None

    def show(
        self,
        view: SliceView,
        plan: ZoomPlan,
        images: dict[LayerSource, NDArray[Any] | None],
        encoded: dict[LayerSource, EncodedSlice | None],
        engine: ZoomModel | None,
        *,
        title: str,
        awaited: bool,
        mode: Mode,
        corrections: Mapping[LayerSource, Correction],
        consistent: bool,
        risk: Risk | None = None,
    ) -> None:
        """Render what is planned, of every source.

        Parameters
        ----------
        images
            The slices of the sources that are shown; None for one that is still being read.
        encoded
            The encoded slices; bicubic stands in for one that is not ready.
        title
            The model's.
        awaited
            Whether the network's result is still to come where it is not ready.
        corrections, consistent
            What makes results consistent with the scan, where it is known; whether they are to be.
        risk
            What marks results where they may be wrong, if that is asked for and known.
        """
        boxes = grid_shape(self.stage.viewer)
        if (mode, boxes) != (self._mode, self._boxes):
            self._mode, self._boxes = mode, boxes
            for layer in self.stage.own_layers:
                drop_border(layer)
                drop_marks(layer)
        self.result = None
        for pair in self.stage.pairs:
            if pair.source not in images:
                continue  # napari takes a second to remove a layer: those not shown are hidden
            image, slice_ = images[pair.source], encoded.get(pair.source)
            if image is None:
                self._show_reading(pair, view, plan)
                continue
            windows = mode.windows(plan.window, view, plan.grid)
            made = self._show_pair(
                pair,
                view,
                plan,
                image,
                slice_,
                engine,
                windows,
                title,
                awaited,
                corrections.get(pair.source),
                consistent,
            )
            if made is not None and pair is self.stage.pairs[0]:
                self.result = _result(image, made, plan, windows[1])
            self._mark(pair, view, plan, windows[1], risk)
        self.stage.segmentations.render(view, plan.grid, plan.window, around=mode.source_around)
        if self._axes not in {None, view.axes}:
            for pair in self.stage.pairs:
                pair.tell_viewer()
        self._axes = view.axes

    @staticmethod
    def _mark(
        pair: ResultPair, view: SliceView, plan: ZoomPlan, window: Window, risk: Risk | None
    ) -> None:
        """Mark the super-resolved layer, which shows a window, where it may be wrong."""
        pixels = plan.grid.pixel_range(window)
        part = window.intersection(plan.enhanced or NOTHING)
        encoded = None if risk is None else risk.encoded.get(pair.source)
        if risk is None or encoded is None or part is None or not has_pixels(plan.grid, part):
            show_marks(pair.enhanced, view, None, pixels)
            return
        inside = plan.grid.pixel_range(part)
        estimated = risk.model.render_pixels(encoded, plan.grid, inside)
        found = risk.guarantee.marked(estimated)
        if risk.share is None:
            risk.share = marked_share(found, estimated)
        marked = np.zeros((pixels[2] - pixels[0], pixels[3] - pixels[1]), bool)
        marked[
            inside[0] - pixels[0] : inside[2] - pixels[0],
            inside[1] - pixels[1] : inside[3] - pixels[1],
        ] = found
        show_marks(pair.enhanced, view, marked, pixels)

    @staticmethod
    def _show_reading(pair: ResultPair, view: SliceView, plan: ZoomPlan) -> None:
        """Show black in the place of a slice of which nothing is known yet."""
        black = np.full(view.shape, pair.bicubic.contrast_limits[0], np.float32)
        grid = OutputGrid.at_scale(view.shape, 1)
        image = interpolate_pixels(black, grid, grid.pixel_range(plan.region), "nearest")
        for layer in pair.layers:
            name = f"reading the slice · {pair.source.name}"
            pair.show(layer, view, image, grid, plan.region, "reading", name)
            show_border(layer, pair.source, view, None)

    def _show_pair(
        self,
        pair: ResultPair,
        view: SliceView,
        plan: ZoomPlan,
        image: NDArray[Any],
        encoded: EncodedSlice | None,
        engine: ZoomModel | None,
        windows: tuple[Window, Window],
        title: str,
        awaited: bool,
        correction: Correction | None,
        consistent: bool,
    ) -> NDArray[Any] | None:
        """Show both results of a source; return the network's, if there is one."""
        value_range = encoded.value_range if encoded is not None else None
        scale, name = plan.grid.true_scale, pair.source.name
        low_window, high_window = windows
        part = high_window.intersection(plan.enhanced or NOTHING)
        bicubic = interpolate_pixels(
            image, plan.grid, plan.grid.pixel_range(low_window), value_range=value_range
        )
        label = bicubic_name(name, scale)
        pair.show(pair.bicubic, view, bicubic, plan.grid, low_window, "bicubic", label)
        enhanced = bicubic
        if high_window != low_window and (encoded is None or part != high_window):
            enhanced = interpolate_pixels(
                image, plan.grid, plan.grid.pixel_range(high_window), value_range=value_range
            )
        if encoded is not None and engine is not None:
            what = LESION if plan.enhanced != plan.window else ""
            made = correction if consistent else None
            enhanced = super_resolved(engine, encoded, plan, enhanced, high_window, part, made)
            what = " ".join(filter(None, (what, CONSISTENT if made is not None else "")))
            kind, label = f"{what} {title}", enhanced_name(name, title, scale, what)
        else:
            kind = f"bicubic {awaited}"
            label = bicubic_name(name, scale, waiting_for=title if awaited else "")
        pair.show(pair.enhanced, view, enhanced, plan.grid, high_window, kind, label)
        pair.inferred = None
        if correction is not None and self._mode is not None and self._mode.shows_inferred:
            pair.inferred = inferred_part(correction, plan, high_window, part)
        bordered = plan.region if encoded is not None and plan.enhanced != plan.window else None
        for layer in pair.layers:
            show_border(layer, pair.source, view, bordered)
        return None if encoded is None else enhanced


def _result(
    image: NDArray[Any], made: NDArray[Any], plan: ZoomPlan, window: Window
) -> Result | None:
    """Return what the network made of a window, without what is interpolated around it."""
    part = window.intersection(plan.enhanced or NOTHING)
    if part is None or not has_pixels(plan.grid, part):
        return None
    (top, left, _, _), inside = plan.grid.pixel_range(window), plan.grid.pixel_range(part)
    i0, j0, i1, j1 = inside
    return Result(image, made[i0 - top : i1 - top, j0 - left : j1 - left], plan.grid, inside)


def super_resolved(
    engine: ZoomModel,
    encoded: EncodedSlice,
    plan: ZoomPlan,
    surroundings: NDArray[Any],
    window: Window,
    part: Window | None,
    correction: Correction | None = None,
) -> NDArray[Any]:
    """Return a window, super-resolved where it is to be and interpolated elsewhere.

    Parameters
    ----------
    surroundings
        The whole window, interpolated.
    part
        What of the window is super-resolved, if anything.
    correction
        What makes it consistent with the scan, if it is to be.
    """
    added = () if correction is None else (correction,)
    if part == window:
        return engine.render_pixels(encoded, plan.grid, plan.grid.pixel_range(window), *added)
    if part is None or not has_pixels(plan.grid, part):
        return surroundings
    rendered = engine.render_pixels(encoded, plan.grid, plan.grid.pixel_range(part), *added)
    return inset(surroundings, rendered, plan.grid, window, part)


def inferred_part(
    correction: Correction, plan: ZoomPlan, window: Window, part: Window | None
) -> Signed:
    """Return what of a window the scan does not determine; 0 where it is interpolated."""
    if part == window:
        image = correction.inferred(plan.grid.pixel_range(window))
    else:
        i0, j0, i1, j1 = plan.grid.pixel_range(window)
        image = np.zeros((i1 - i0, j1 - j0), np.float32)
        if part is not None and has_pixels(plan.grid, part):
            rendered = correction.inferred(plan.grid.pixel_range(part))
            image = inset(image, rendered, plan.grid, window, part)
    return Signed(image / correction.unit, correction.unit, correction.unit_name)
