"""What to warn of where a layer shows another contrast than a model was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.io.contrast import guess_contrast

if TYPE_CHECKING:
    from collections.abc import Sequence


def contrast_notice(names: Sequence[str], trained: Sequence[str], model: str) -> str:
    """What to warn of when layers of these names are magnified; empty where nothing is.

    Parameters
    ----------
    names
        Of the layers.
    trained
        The contrasts the model was trained on.
    model
        The model's title.
    """
    known = {contrast.lower() for contrast in trained}
    guesses = {name: guess_contrast(name) for name in names}
    foreign = dict.fromkeys(g for g in guesses.values() if g is not None and g.lower() not in known)
    unknown = [name for name, guess in guesses.items() if guess is None]
    trained_text = ", ".join(trained)
    texts = []
    if foreign:
        texts.append(f"{model} was not trained on {', '.join(foreign)} (only on {trained_text}).")
    if unknown:
        listed = ", ".join(f"“{name}”" for name in unknown)
        texts.append(f"Contrast of {listed} unknown; {model} was trained on {trained_text}.")
    return " ".join(texts)
