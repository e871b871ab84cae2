"""Which MRI contrast a layer shows: what the user says, else what its name tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.io.contrast import guess_contrast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_metasr.widgets.viewer.layer_source import LayerSource

OTHER = "other"
"""What a user can choose beside the contrasts that a model may know."""


def contrast_of(source: LayerSource) -> str | None:
    """Return the contrast that the user has said a layer shows, else the one in its name."""
    return source.contrast or guess_contrast(source.name)


def contrast_notice(contrasts: Mapping[str, str | None], trained: Sequence[str], model: str) -> str:
    """Return what to warn of when layers are super-resolved; empty where nothing is.

    Parameters
    ----------
    contrasts
        Contrast of each layer by its name; None where it is not known.
    trained
        The contrasts the model was trained on.
    model
        The model's title.
    """
    known = {contrast.lower() for contrast in trained}
    foreign = dict.fromkeys(
        c for c in contrasts.values() if c is not None and c.lower() not in known
    )
    unknown = [name for name, contrast in contrasts.items() if contrast is None]
    trained_text = ", ".join(trained)
    texts = []
    if foreign:
        texts.append(f"{model} was not trained on {', '.join(foreign)} (only on {trained_text}).")
    if unknown:
        listed = ", ".join(f"“{name}”" for name in unknown)
        texts.append(f"Contrast of {listed} unknown; {model} was trained on {trained_text}.")
    return " ".join(texts)
