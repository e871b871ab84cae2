"""The lesion detectors of a run, and those that are shipped: one way to ask all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from metasr_training.run_folder import write_json
from napari_metasr.lesions.detector import Detector, check_detects
from napari_metasr.networks.folding import fold_batch_norm
from napari_metasr.weights import OperatingPoint, load_network, shipped_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import Tensor, nn

    Look = Callable[[Tensor], Tensor]

LD = "lesion-detector"
LD_PLUS = "lesion-segmenter"
SHIPPED = {LD_PLUS: "ld-plus", LD: "ld"}
"""Networks that detect, the better first, and what they are called where they are shipped."""

MAPPING = (LD_PLUS,)
"""Those that answer with a map, whose level can be chosen."""

POINT = "point.json"
UNTUNED = OperatingPoint(threshold=0.5, level=0.5, margin=0.0)
"""How answers are read as long as nothing else was chosen."""


@dataclass(frozen=True)
class DetectorWeights:
    """A trained network that detects.

    Attributes
    ----------
    network
        In eval mode.
    point
        How its answers are read.
    name, title
        Of the network; where its weights are from.
    """

    network: nn.Module
    point: OperatingPoint
    name: str
    title: str

    def detector(
        self, device: str = "cpu", *, wrapped: Callable[[Look], Look] | None = None
    ) -> Detector:
        """Ask it.

        Parameters
        ----------
        device
            A torch device.
        wrapped
            As ``Detector``.
        """
        return Detector(
            self.network,
            self.point,
            name=self.name,
            title=self.title,
            device=torch.device(device),
            wrapped=wrapped,
        )


def point_file(run: Path, name: str) -> Path:
    """Return where a run keeps a detector's operating point, beside its weights."""
    from metasr_training.trained import network_folder

    return network_folder(run, name) / POINT


def keep_point(run: Path, name: str, point: OperatingPoint) -> None:
    """Keep how a detector's answers are read from now on."""
    path = point_file(run, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, point.model_dump(mode="json"))


def kept_point(run: Path, name: str) -> OperatingPoint:
    """Read a detector's chosen operating point; by default a score of one half and no margin.

    Raises
    ------
    ValueError
        If the file says something else.
    """
    path = point_file(run, name)
    if not path.exists():
        return UNTUNED
    try:
        return OperatingPoint.model_validate_json(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"expected an operating point in {path}, found {error}") from None


def trained_weights(run: Path, name: str, device: str = "cpu") -> DetectorWeights:
    """Load the weights of a detector that a run has trained.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``metasr_training.trained.load_trained``.
    """
    from metasr_training.trained import load_trained

    network = load_trained(run, name, device=device).network
    return DetectorWeights(network, kept_point(run, name), name, f"{run.name}/{name}")


def shipped_weights(name: str) -> DetectorWeights:
    """Load the weights of a shipped detector by its name.

    Raises
    ------
    WeightsError
        If it is none, or its weights are missing or damaged.
    """
    network, card = load_network(name)
    point = check_detects(card)
    return DetectorWeights(
        fold_batch_norm(network), point, name, f"shipped {name} {card.sha256[:8]}"
    )


def find_weights(
    run: Path, device: str = "cpu", order: Sequence[str] = tuple(SHIPPED)
) -> DetectorWeights:
    """Find the first detector whose training in the run is complete, or else the first shipped one.

    Parameters
    ----------
    run, device
        A run folder, and where its network is put.
    order
        Of the networks; the better first, unless one of them is asked for.

    Raises
    ------
    FileNotFoundError
        If there is neither.
    """
    from metasr_training.trained import UntrainedError, finished

    for name in order:
        if finished(run, name):
            return trained_weights(run, name, device)
    for name in order:
        if SHIPPED[name] in shipped_names():
            return shipped_weights(SHIPPED[name])
    raise UntrainedError(
        f"expected the network {' or '.join(order)} in {run}, found none", "lfsr-detection"
    )


def find_detector(run: Path, device: str = "cpu") -> Detector:
    """Return the detector with the weights that ``find_weights`` finds.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    return find_weights(run, device).detector(device)
