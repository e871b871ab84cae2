"""The lesion detector that regions of interest and perceptual losses ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from napari_metasr.networks.folding import fold_batch_norm
from napari_metasr.normalisation import LinearMap, intensity_range
from napari_metasr.weights import load_network, model_names

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from napari_metasr.volume import Window

NAME = "lesion-detector"


@dataclass(frozen=True)
class LesionFinder:
    """A trained lesion detector in eval mode.

    Attributes
    ----------
    network
        (batch, 1, h, w) in 0..1 to (batch, 5).
    origin
        Where its weights are from.
    """

    network: nn.Module
    origin: str

    @torch.inference_mode()
    def detect(
        self, image: NDArray[Any], intensity: tuple[float, float] | None = None
    ) -> tuple[Window, float]:
        """A slice's tumour: (top, left, bottom, right) in its pixels, and a score 0..1.

        Parameters
        ----------
        image
            (rows, columns), of any intensity units.
        intensity
            What the network sees as 0 and 1: of a slice of a volume, the volume's. By default the
            image's own percentiles.
        """
        standard = LinearMap(*(intensity or intensity_range(image))).forward(image)
        device = next(self.network.parameters()).device
        tensor = torch.from_numpy(standard)[None, None].float().to(device)
        top, left, bottom, right, score = self.network(tensor)[0].float().cpu().tolist()
        rows, columns = image.shape
        return (top * rows, left * columns, bottom * rows, right * columns), score


def find_detector(run: Path, device: str = "cpu") -> LesionFinder:
    """The detector that a run has trained to its end, else the one that is shipped.

    Raises
    ------
    FileNotFoundError
        If there is neither.
    """
    from metasr_training.trained import finished, load_trained

    if finished(run, NAME):
        return LesionFinder(load_trained(run, NAME, device=device).network, f"{run.name}/{NAME}")
    if NAME not in model_names():
        raise FileNotFoundError(
            f"expected the network {NAME} in {run}, found none; train it with "
            f"metasr-train lfsr-detection --output {run} --resume"
        )
    network, card = load_network(NAME)
    return LesionFinder(fold_batch_norm(network).to(device), f"shipped {card.sha256[:8]}")
