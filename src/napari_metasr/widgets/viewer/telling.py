"""How a layer's slices were acquired, and what networks that can be told are told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_metasr.acquisition import estimate, slice_code
from napari_metasr.trust.told import Told, Words, tell_of
from napari_metasr.upscaling.consistency import stated_thickness
from napari_metasr.widgets.viewer.layer_volume import volume_of_slice
from napari_metasr.widgets.viewer.preferences import preferences

if TYPE_CHECKING:
    from napari_metasr.acquisition import Acquisition
    from napari_metasr.weights import ModelCard
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView


SLICES = "slices"
"""Chosen for a network across slices, which is told how thick they are; see `told_network`."""


def found_acquisition(source: LayerSource, view: SliceView) -> Acquisition | None:
    """Return what a layer shows of how its slices were acquired; it is kept with the layer.

    It takes up to a second at first: not for the window's thread.

    Returns
    -------
    Acquisition or None
        None where there is nothing to look at; see `layer_volume.volume_of_slice`.

    Raises
    ------
    ValueError
        If the layer's world is no space.
    """
    known, place = source.measured.acquisitions, source.place(view)
    if place not in known:
        seen = volume_of_slice(source, view)
        known[place] = None if seen is None else estimate(*seen)
    return known[place]


def known_told(source: LayerSource, view: SliceView, words: Words) -> Told | None:
    """Return what networks are told of a layer's slices, once that has been found out."""
    known, place = source.measured.acquisitions, source.place(view)
    return tell_of(words, known[place]) if place in known else None


def told_text(words: str, source: LayerSource, view: SliceView) -> str:
    """Return the same in words; empty for a network that cannot be told."""
    told = known_told(source, view, Words.parse(words)) if words else None
    return "" if told is None else told.title


def told_network(network: Any, words: str, source: LayerSource, view: SliceView) -> Any:
    """Return a network that has been told how a layer's slices were acquired.

    Parameters
    ----------
    network
        A loaded model; see ``napari_metasr.zoom.engine.ZoomModel``.
    words
        What is chosen, see ``napari_metasr.trust.told.Words``, or `SLICES`; empty for one that
        cannot be told.
    """
    if not words:
        return network
    if words == SLICES:
        rows, columns = map(abs, view.scale)
        spacing = max(rows, columns)
        stated = source.volume and stated_thickness(source.volume.source.told, spacing)
        code = slice_code((stated or spacing) / spacing, along_rows=rows > columns)
        return network.told(code)
    try:
        found = found_acquisition(source, view)
    except ValueError:  # nothing is known of a world that is no space
        found = None
    told = tell_of(Words.parse(words), found)
    return network.told(told.code, told.title)


def words_for(card: ModelCard, words: Words) -> str:
    """Return what a model is to be told, as slices are named by it; empty if it cannot be told."""
    return str(words) if card.can_be_told else ""


def remembered_words() -> Words:
    """Return what was last chosen to be told of scans."""
    try:
        return Words.parse(preferences()["assumed"])
    except ValueError:
        return Words()
