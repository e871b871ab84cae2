"""Brings what is planned onto the screen, and what it is into the dock."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_metasr.io.contrast import guess_contrast
from napari_metasr.trust.assumption import AUTO, NOTHING
from napari_metasr.trust.correction import Correction
from napari_metasr.trust.risk import guarantee
from napari_metasr.trust.told import Words
from napari_metasr.weights.risk import has_risk
from napari_metasr.widgets.viewer.acquired import acquired
from napari_metasr.widgets.viewer.slices import risk_key
from napari_metasr.widgets.viewer.telling import known_told, told_text, words_for
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom import messages
from napari_metasr.widgets.zoom.beyond import Beyond
from napari_metasr.widgets.zoom.contrasts import contrast_of
from napari_metasr.widgets.zoom.corrections import WantedCorrection
from napari_metasr.widgets.zoom.presenter import Risk
from napari_metasr.zoom.cost import EncodingCost

if TYPE_CHECKING:
    from napari_metasr.trust.risk import Guarantee
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
    from napari_metasr.zoom.encoded import EncodedSlice
    from napari_metasr.zoom.engine import ZoomModel
    from napari_metasr.zoom.session import SliceKey


@dataclass(frozen=True)
class Displayed:
    """A result on the screen, and how it came about.

    Attributes
    ----------
    key, source, view, plan
        The slice and its model, the source layer, where its slice lies, what is rendered.
    title
        The model's title.
    mode
        How it is compared.
    acquisition
        The acquisition with which it is made consistent; None where it is not.
    guarantee
        What marks it; None where it is not marked.
    """

    key: SliceKey
    source: LayerSource
    view: SliceView
    plan: ZoomPlan
    title: str
    mode: Mode
    acquisition: str | None
    guarantee: Guarantee | None


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

    Attributes
    ----------
    beyond
        Counts how much of the result lies beyond the local range of the scan.
    """

    def __init__(
        self,
        dock: ZoomDock,
        engines: ModelCache[ZoomModel],
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
        self.beyond = Beyond(dock.readout.show_beyond)

    def show(
        self, settings: ZoomSettings, view: SliceView, plan: ZoomPlan, mode: Mode
    ) -> Displayed | None:
        """Show a plan.

        Returns
        -------
        Displayed or None
            What can be kept or saved; None where the network is run on nothing of a lesion.
        """
        stage = self._presenter.stage
        card = self._cards[settings.model]
        if card.lesions_only and not settings.is_marked:
            plan = replace(plan, enhanced=None)
        slices, part = self._slices, plan.enhanced
        shown = stage.pairs if mode.all_contrasts else stage.pairs[:1]
        sources = [pair.source for pair in shown]
        risky = settings.risk and has_risk(settings.model)
        self._dock.offer_risk(has_risk(settings.model))
        told = words_for(card, settings.assumed)
        keys = slices.show(sources, view, settings.model, settings.device, told, risk=risky)
        wanted = [*keys.values(), *(map(risk_key, keys.values()) if risky else ())]
        slices.want(view, dict.fromkeys(wanted, part) if part is not None else {})
        engine = self._engines.loaded(settings.model, settings.device)
        at_hand = {
            source: slices.shown_key(key, part) if part is not None else key
            for source, key in keys.items()
        }
        encoded = {
            source: slices.encoded(key, part) if part is not None else None
            for source, key in at_hand.items()
        }
        found = self._corrected(settings, view, plan, at_hand, encoded, engine)
        corrections = {source: one for source, one in found.items() if isinstance(one, Correction)}
        risk = self._risk(settings, view, plan, keys) if risky else None
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
            risk=risk,
        )
        seconds = time.perf_counter() - started
        mode.update(stage)
        self.beyond.want(self._presenter.result)
        refusals = [str(one) for one in found.values() if isinstance(one, Exception)]
        if risk is not None:
            refusals = [*refusals[:1], risk.text]
        self._dock.assumed.told = told_text(at_hand[sources[0]].told, sources[0], view)
        if len(stage.pairs) > len(shown):
            refusals.append(messages.ONE_CONTRAST.format(name=sources[0].name))
        self._tell(settings, view, plan, sources, refusals)
        saving = self._cost.saving(
            {keys[source]: one for source, one in encoded.items() if one is not None}
        )
        self._dock.readout.show_reading(
            messages.reading(
                sources[0],
                view,
                plan,
                list(encoded.values()),
                engine,
                card,
                seconds,
                saving,
                corrections.get(sources[0]),
                consistent=settings.consistent,
            )
        )
        focused = settings.region is RegionMode.LESION or bool(card.lesions_only)
        if focused and part is None:
            return None
        return Displayed(
            keys[sources[0]],
            sources[0],
            view,
            plan,
            title=card.title,
            mode=mode,
            acquisition=settings.assumed.acquisition if settings.consistent else None,
            guarantee=None if risk is None else risk.guarantee,
        )

    def _corrected(
        self,
        settings: ZoomSettings,
        view: SliceView,
        plan: ZoomPlan,
        keys: dict[LayerSource, SliceKey],
        encoded: dict[LayerSource, EncodedSlice | None],
        engine: ZoomModel | None,
    ) -> dict[LayerSource, Correction | Exception]:
        """Return what is known of corrections, and ask for those that are still to come."""
        if not settings.assumes or engine is None:
            return {}
        wanted = [
            WantedCorrection(key, one, engine, plan.grid, _assumed(key, settings), source, view)
            for (source, one), key in zip(encoded.items(), keys.values(), strict=True)
            if one is not None
        ]
        self._corrections.want(wanted)
        found = {each.source: self._corrections.get(each) for each in wanted}
        return {source: one for source, one in found.items() if one is not None}

    def _risk(
        self,
        settings: ZoomSettings,
        view: SliceView,
        plan: ZoomPlan,
        keys: dict[LayerSource, SliceKey],
    ) -> Risk | None:
        """Return what marks the results, as far as it is there."""
        model = self._engines.loaded_head(settings.model, settings.device)
        part = plan.enhanced
        if model is None or part is None:
            return None
        source = next(iter(keys))
        axes, assumed = acquired(source, view), settings.assumed.acquisition
        found = guarantee(
            model.risk_card,
            plan.grid.true_scale,
            acquisition=None if assumed in {AUTO, NOTHING} else assumed,
            contrast=contrast_of(source),
            acquired=(1.0, 1.0) if axes is None else (axes[0].true_scale(1), axes[1].true_scale(1)),
            consistent=settings.consistent,
        )
        encoded = {
            source: self._slices.encoded(risk_key(key), part) for source, key in keys.items()
        }
        return Risk(model, found, {source: e for source, e in encoded.items() if e is not None})

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
        dock.assumed.offer(noise=card.can_be_told)
        dock.assumed.show_found(known_told(source, view, Words()))
        if card.fixed_scales:
            dock.scale.slider.set_fixed(*card.fixed_scales)
        else:
            dock.scale.slider.set_trained(*card.trained_scales)
        notices = [*refusals, messages.notice(plan, card, sources, view)]
        if card.lesions_only and not settings.is_marked:
            notices.insert(0, f"{card.lesions_only}: bicubic is shown.")
        if settings.region is RegionMode.LESION or self._lesion.is_editing:
            notices.insert(0, self._lesion.notice(sources[0], view, plan))
        if settings.fits_region and plan.enhanced is not None:
            notices.append(messages.FITTED.format(region=settings.region))
        dock.show_notice(" ".join(filter(None, notices)))


def _assumed(key: SliceKey, settings: ZoomSettings) -> str:
    """Return the acquisition that is assumed of a slice: what its model was told, if anything."""
    return Words.parse(key.told).acquisition if key.told else settings.assumed.acquisition
