"""The card of weights in the authors' layout: what their paper says of them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from napari_metasr.geometry.grids import Convention
from napari_metasr.weights.card import ModelCard

if TYPE_CHECKING:
    from pathlib import Path

UNKNOWN = "not in the file"


def published_card(path: Path, content: bytes) -> ModelCard:
    """Describe Meta-SRGAN's weights that come without a card.

    Mean and standard deviation, scales and contrast are those of Tan, Zhu, Lio 2020, sec. 3.
    Weights that were trained otherwise want a card of their own: see ``save_weights``.
    """
    return ModelCard(
        name=path.stem,
        title=f"Meta-SRGAN ({path.name})",
        network="meta-srgan",
        options={"convention": Convention.CORNER.value},
        parameters=561_926,
        sha256=hashlib.sha256(content).hexdigest(),
        trained_scales=(1.1, 4.0),
        trained_contrasts=("T1c",),
        degradations=("bilinear",),
        intensity="0.1 and 99.9 percentiles of the volume to 0 and 1, less 0.370, over 0.117",
        standardisation=(0.370, 0.117),
        updates=0,
        loss="L1 + 0.001 adversarial + 0.006 VGG (by the paper)",
        schedule=UNKNOWN,
        data=("BraTS T1 post-contrast slices (by the paper)",),
        licence=UNKNOWN,
        intended_use="Research: comparison with the published network. Not a medical device; not "
        "for diagnosis or treatment.",
        limitations="What it was trained on, and how, is taken from the paper, not from the file.",
        citation="Tan, Zhu, Lio: Arbitrary Scale Super-Resolution for Brain MRI Images. AIAI 2020, "
        "10.1007/978-3-030-49161-1_15",
    )
