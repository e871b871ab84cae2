"""Brings what is planned onto the screen, and what it is into the dock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from napari_metasr.io.contrast import guess_contrast
from napari_metasr.trust.correction import Correction
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom import messages
from napari_metasr.widgets.zoom.corrections import Wanted
from napari_metasr.zoom.cost import EncodingCost

if TYPE_CHECKING:
    from napari_metasr.weights import ModelCard
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.viewer.models import ModelCache
    from napari_metasr.widgets.viewer.slices import Slices
    from napari_metasr.widgets.zoom.comparison import Mode
    from napari_metasr.widgets.zoom.corrections import Corrections
    from napari_metasr.widgets.zoom.dock import ZoomDock
    from napari_metasr.widgets.zoom.lesion_region import LesionRegion
    from napari_metasr.widgets.zoom.plan import ZoomPlan
    from napari_metasr.widgets.zoom.presenter import Presenter
    from napari_metasr.widgets.zoom.settings import ZoomSettings
    from napari_metasr.zoom.session import SliceKey

    Shown = tuple[SliceKey, LayerSource, SliceView, ZoomPlan]


class Display:
    """Asks for what must be encoded, renders what is, and says so.

    Parameters
    ----------
    dock, engines, slices, presenter, lesion
        The controls, the models, the encoded slices, the result layers, the lesion.
    cards
        The models' cards, by name.
    corrections
        What makes results consistent with the scan.
    """

    def __init__(
        self,
        dock: ZoomDock,
        engines: ModelCache,
        slices: Slices,
        presenter: Presenter,
        lesion: LesionRegion,
        cards: dict[str, ModelCard],
        corrections: Corrections,
    ) -> None:
        self._corrections = corrections
        self._dock, self._engines, self._slices = dock, engines, slices
        self._presenter, self._lesion, self._cards = presenter, lesion, cards
        self._cost = EncodingCost()

    def show(
        self, settings: ZoomSettings, view: SliceView, plan: ZoomPlan, mode: Mode
    ) -> Shown | None:
        """Show a plan.

        Returns
        -------
        Shown or None
            What can be kept or saved; None where the network is run on nothing of a lesion.
        """
        stage = self._presenter.stage
        slices, card, part = self._slices, self._cards[settings.model], plan.enhanced
        shown = stage.pairs if mode.all_contrasts else stage.pairs[:1]
        sources = [pair.source for pair in shown]
        keys = slices.show(sources, view, settings.model, settings.device)
        slices.want(view, dict.fromkeys(keys.values(), part) if part is not None else {})
        engine = self._engines.loaded(settings.model, settings.device)
        encoded = {
            source: slices.encoded(key, part) if part is not None else None
            for source, key in keys.items()
        }
        found = self._corrected(settings, view, plan, keys, encoded, engine)
        corrections = {source: one for source, one in found.items() if isinstance(one, Correction)}
        started = time.perf_counter()
        self._presenter.show(
            view,
            plan,
            {source: slices.image(key) for source, key in keys.items()},
            encoded,
            engine,
            title=card.title,
            awaited=part is not None and all(map(slices.is_awaited, keys.values())),
            mode=mode,
            corrections=corrections,
            consistent=settings.consistent,
        )
        seconds = time.perf_counter() - started
        mode.update(stage)
        refusals = [str(one) for one in found.values() if isinstance(one, Exception)]
        self._tell(settings, view, plan, sources, refusals)
        saving = self._cost.saving(
            {keys[source]: one for source, one in encoded.items() if one is not None}
        )
        times: list[Any] = list(encoded.values())
        self._dock.readout.show_reading(
            messages.reading(
                sources[0],
                view,
                plan,
                times,
                engine,
                card,
                seconds,
                saving,
                corrections.get(sources[0]),
                consistent=settings.consistent,
            )
        )
        focused = settings.region is RegionMode.LESION
        return None if focused and part is None else (keys[sources[0]], sources[0], view, plan)

    def _corrected(
        self,
        settings: ZoomSettings,
        view: SliceView,
        plan: ZoomPlan,
        keys: dict[LayerSource, SliceKey],
        encoded: dict[LayerSource, Any],
        engine: Any,
    ) -> dict[LayerSource, Correction | Exception]:
        """Return what is known of corrections, and ask for those that are still to come."""
        if not settings.assumes or engine is None:
            return {}
        wanted = [
            Wanted(keys[source], one, engine, plan.grid, settings.acquisition, source, view)
            for source, one in encoded.items()
            if one is not None
        ]
        self._corrections.want(wanted)
        found = {each.source: self._corrections.get(each) for each in wanted}
        return {source: one for source, one in found.items() if one is not None}

    def _tell(
        self,
        settings: ZoomSettings,
        view: SliceView,
        plan: ZoomPlan,
        sources: list[LayerSource],
        refusals: list[str],
    ) -> None:
        """Say what to know about the result, and which scales the model gives."""
        dock, source = self._dock, sources[0]
        dock.show_contrast(source.contrast, guess_contrast(source.name))
        card = self._cards[settings.model]
        if card.fixed_scales:
            dock.scale.slider.set_fixed(*card.fixed_scales)
        else:
            dock.scale.slider.set_trained(*card.trained_scales)
        notices = [*refusals[:1], messages.notice(plan, card, sources, view)]
        if settings.region is RegionMode.LESION or self._lesion.is_editing:
            notices.insert(0, self._lesion.notice(sources[0], view, plan))
        dock.show_notice(" ".join(filter(None, notices)))
