"""Batches of whole slices and the boxes of their tumours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import BaseModel, Field
from scipy import ndimage

from metasr_training.datasets.windows import mask_box
from napari_metasr.degradations import degrade
from napari_metasr.geometry import middle_index

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from metasr_training.datasets.slices import Slice


class DetectionConfig(BaseModel, extra="forbid", frozen=True):
    """How batches are drawn.

    Attributes
    ----------
    batch
        Slices a batch.
    canvas
        Rows and columns of the field of zeros that slices lie in; larger ones are reduced to it.
    scales
        The factors, one a batch, by which slices are reduced before the network sees them.
    stripped_share
        Share of the slices whose skull is taken off.
    turn, zoom, shift
        Augmentation: degrees, share of the size, share of the canvas, each up to this far either
        way; slices are also mirrored.
    """

    batch: int = Field(16, ge=1)
    canvas: int = Field(256, ge=32)
    scales: tuple[int, ...] = (1, 2, 4)
    stripped_share: float = Field(0.5, ge=0, le=1)
    turn: float = Field(15.0, ge=0)
    zoom: float = Field(0.15, ge=0, lt=1)
    shift: float = Field(0.06, ge=0, lt=1)


@dataclass(frozen=True)
class DetectionBatch:
    """Slices and what there is to find in them.

    Attributes
    ----------
    images
        (batch, 1, h, w), intensities 0..1.
    boxes
        (batch, 4): top, left, bottom, right as shares of the slice; 0 without a tumour.
    present
        (batch,): 1 where there is a tumour.
    """

    images: Tensor
    boxes: Tensor
    present: Tensor


STRIPPING_LEVEL = 0.1
"""Twice ``image_slice.HEAD_LEVEL``: bright air would join the head, and its rim would stay."""

SKULL = 9
"""Pixels of the rim."""

TUMOUR_SHARE = 2 / 3
"""Of the slices that are drawn, where there are some without a tumour."""

SMALLEST_SHARE = 1e-6
"""Of a reduced pixel that is tumour: more than rounding."""


def strip_skull(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """The brain alone, roughly: the head's mask without its rim, opened, its largest part.

    By threshold and morphology, as an augmentation: BraTS scans have no skull.

    Parameters
    ----------
    image
        (rows, columns), 0..1.
    """
    head = ndimage.binary_fill_holes(image > STRIPPING_LEVEL)
    inner = ndimage.binary_erosion(head, iterations=SKULL)
    parts, count = ndimage.label(ndimage.binary_opening(inner, iterations=2))
    if count == 0:
        return image
    largest = int(np.argmax(np.bincount(parts.ravel())[1:])) + 1
    return np.where(parts == largest, image, 0).astype(np.float32)


def on_canvas(image: NDArray[np.float32], size: int, method: str = "bicubic") -> NDArray:
    """An image in the middle of a square field of zeros, reduced to fit where it is larger.

    Parameters
    ----------
    image
        (rows, columns); both are reduced alike, so that the longer one has ``size`` pixels.
    size
        Rows and columns of the field.
    method
        How it is reduced, see ``napari_metasr.degradations.degrade``.
    """
    field = np.zeros((size, size), np.float32)
    longest = max(*image.shape, size)
    rows, columns = (max(round(length * size / longest), 1) for length in image.shape)
    top, left = (size - rows) // 2, (size - columns) // 2
    fitting = image if longest == size else degrade(image, (rows, columns), method)
    field[top : top + rows, left : left + columns] = fitting
    return field


def mask_on_canvas(mask: NDArray[np.bool_], size: int) -> NDArray[np.float32]:
    """A mask laid like its image: 1 in every pixel that tumour reaches into, however little."""
    share = on_canvas(mask.astype(np.float32), size, "box")
    return (share > SMALLEST_SHARE).astype(np.float32)


class DetectionSampler:
    """Draw batches of slices, two of three with a tumour where there are some without.

    Slices are drawn with replacement: an epoch is as many as there are, not each of them once.

    Parameters
    ----------
    slices
        With masks.
    config
        How to draw.
    seed
        A batch depends on it and on its update alone.

    Raises
    ------
    ValueError
        If no slice has a mask with a tumour.
    """

    def __init__(self, slices: list[Slice], config: DetectionConfig, *, seed: int = 0) -> None:
        self.config = config
        self.seed = seed
        masked = [one for one in slices if one.mask is not None]
        self.with_tumour = [one for one in masked if np.any(one.mask)]
        self.without = [one for one in masked if not np.any(one.mask)]
        self._stripped: dict[tuple[str, str, str], NDArray[np.float16]] = {}
        if not self.with_tumour:
            raise ValueError(f"expected slices with a tumour's mask, found none of {len(slices)}")

    @property
    def updates_per_epoch(self) -> int:
        """Batches with as many slices as there are."""
        return max((len(self.with_tumour) + len(self.without)) // self.config.batch, 1)

    def _brain(self, one: Slice) -> NDArray:
        """A slice without its skull; worked out once."""
        if one.key not in self._stripped:
            self._stripped[one.key] = strip_skull(one.normalised).astype(np.float16)
        return self._stripped[one.key].astype(np.float32)

    def _one(self, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """An augmented slice and its mask, both (canvas, canvas)."""
        config = self.config
        pool = self.with_tumour if not self.without or rng.random() < TUMOUR_SHARE else self.without
        one = pool[int(rng.integers(len(pool)))]
        stripped = rng.random() < config.stripped_share
        image = on_canvas(self._brain(one) if stripped else one.normalised, config.canvas)
        mask = mask_on_canvas(np.asarray(one.mask, bool), config.canvas)
        angle = np.deg2rad(rng.uniform(-config.turn, config.turn))
        zoom = 1 + rng.uniform(-config.zoom, config.zoom)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
        if rng.random() < 1 / 2:
            turn = turn @ np.diag([1.0, -1.0])
        middle = np.full(2, middle_index(config.canvas))
        shift = rng.uniform(-config.shift, config.shift, 2) * config.canvas
        offset = middle - turn @ (middle + shift)
        moved = ndimage.affine_transform(image, turn, offset, order=1)
        gain = rng.uniform(0.8, 1.2)
        return moved * gain, ndimage.affine_transform(mask, turn, offset, order=0)

    def draw(self, update: int, *, rank: int = 0, ranks: int = 1) -> DetectionBatch:
        """The batch of an update: one scale for all of it."""
        config = self.config
        scale = int(np.random.default_rng((self.seed, update, 0)).choice(config.scales))
        size = config.canvas // scale
        images, boxes, present = [], [], []
        for position in range(rank, config.batch, ranks):
            image, mask = self._one(np.random.default_rng((self.seed, update, 1 + position)))
            box = mask_box(mask > 0)
            images.append(image if scale == 1 else degrade(image, (size, size)))
            boxes.append(np.array(box or (0, 0, 0, 0), np.float32) / config.canvas)
            present.append(float(box is not None))
        return DetectionBatch(
            torch.from_numpy(np.stack(images).astype(np.float32))[:, None],
            torch.from_numpy(np.stack(boxes)),
            torch.tensor(present),
        )
