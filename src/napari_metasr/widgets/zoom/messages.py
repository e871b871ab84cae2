"""What the dock says of a result: numbers and notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.volume import THICK
from napari_metasr.widgets.viewer.acquired import acquired
from napari_metasr.widgets.viewer.result_layers import MADE_ALREADY, is_super_resolved
from napari_metasr.widgets.zoom.contrasts import contrast_notice, contrast_of
from napari_metasr.widgets.zoom.readout import Reading
from napari_metasr.zoom.scales import resampled_from, scale_concern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.trust.correction import Correction
    from napari_metasr.weights import ModelCard
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.zoom.plan import ZoomPlan
    from napari_metasr.zoom.cost import Saving
    from napari_metasr.zoom.encoded import EncodedSlice
    from napari_metasr.zoom.engine import ZoomModel

NO_IMAGE = "Open an image to super-resolve it."
NO_ORIGINAL = "Only super-resolved images are left: open the original, or choose one as the source."
PAUSED_3D = "Paused: the viewer shows 3-D. Results come back in 2-D."
OUT_OF_VIEW = "The region is out of view."
DISMISSED = "The result was removed. Move the slider to get it back."
NO_RESULT = "Meta-SR Zoom: there is no result to keep or save yet."
TOO_SMALL = "Less than one screen pixel per voxel: nothing to super-resolve. Zoom in."
DETECT_FIRST = "There is no lesion yet: Plugins > Meta-SR > Detect tumour finds or draws one."
NO_LESION_HERE = "The lesion does not reach into this slice: bicubic only."
LESION_OUT_OF_VIEW = "The lesion is out of view: bicubic only."
EDITING = "Boxes are selected: select the image to compare again."
ACROSS = "Across the slices, which are {thick:.3g} {unit} apart ({thin:.3g} {unit} within)."
LESION_ONLY = "Bicubic outside the line."
FITTED = "The {region} fills the view: the scale sets how finely it is shown, not how large."
ONE_CONTRAST = "“{name}” alone is compared here: Side by side shows all that are ticked."
TOO_LARGE = "Too large to render whole: only the middle is shown. Zoom in."


def reading(
    source: LayerSource,
    view: SliceView,
    plan: ZoomPlan,
    encoded: Sequence[EncodedSlice | None],
    engine: ZoomModel | None,
    card: ModelCard,
    seconds: float,
    saving: Saving | None = None,
    correction: Correction | None = None,
    *,
    consistent: bool = False,
) -> Reading:
    """Return the numbers of a result.

    Parameters
    ----------
    encoded
        The encoded slices that it was rendered from, None for those that are not ready.
    engine
        The model, if it is loaded.
    card
        The model's.
    seconds
        How long rendering took.
    saving
        What running the network on a part of the slice saves.
    correction, consistent
        What makes the result consistent with the scan, if that was computed, and whether it is.
    """
    residual = ""
    if correction is not None:
        distance = correction.distance if consistent else correction.distance_before
        unit = "σ" if correction.in_noise else "units"
        residual = f"{distance / correction.unit:.2g} {unit}"
    scale_y, scale_x = plan.grid.true_scale
    times = [one.encode_seconds for one in encoded if one is not None]
    return Reading(
        scale=plan.grid.true_scale,
        spacing=(abs(view.scale[0]) / scale_y, abs(view.scale[1]) / scale_x),
        unit=source.unit(view),
        resampled_from=resampled_from(card.fixed_scales, plan.grid) if times else None,
        encode_seconds=sum(times) if times else None,
        render_seconds=seconds,
        device=engine.device.upper() if engine is not None else "",
        saving=saving,
        acquired=acquired(source, view),
        residual=residual,
    )


def notice(plan: ZoomPlan, card: ModelCard, sources: Sequence[LayerSource], view: SliceView) -> str:
    """Return what to know about a result of a slice of these layers."""
    source = sources[0]
    contrasts = {each.name: contrast_of(each) for each in sources}
    texts = [scale_concern(card, plan.grid) if plan.is_magnified else TOO_SMALL]
    if card.without_guarantee:
        texts.append(f"N{card.without_guarantee[1:]}.")
    if not plan.complete:
        texts.append(TOO_LARGE)
    texts.append(_source_notice(source, view))
    texts.append(contrast_notice(contrasts, card.trained_contrasts, card.title))
    return " ".join(text for text in texts if text)


def lesion_notice(plan: ZoomPlan, *, found: bool, reaches: bool) -> str:
    """Return what to know where only a lesion is super-resolved.

    Parameters
    ----------
    found
        Whether there is a lesion to super-resolve.
    reaches
        Whether it reaches into the slice that is shown.
    """
    if not found:
        return DETECT_FIRST
    if not reaches:
        return NO_LESION_HERE
    if not plan.is_magnified:
        return ""
    return LESION_OUT_OF_VIEW if plan.enhanced is None else LESION_ONLY


def _source_notice(source: LayerSource, view: SliceView) -> str:
    """Return what to know of the slice itself."""
    if is_super_resolved(source.layer):
        return MADE_ALREADY.format(name=source.name)
    thin, thick = sorted(map(abs, view.scale))
    if source.is_anatomical and view.plane is not None and thick >= THICK * thin:
        return ACROSS.format(thick=thick, thin=thin, unit=source.unit(view))
    return ""
