"""Batches of whole slices and the boxes of their tumours."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import BaseModel, Field
from scipy import ndimage

from metasr_training.datasets.fields import mask_on_canvas, on_canvas
from metasr_training.datasets.skull import strip_skull
from metasr_training.datasets.windows import mask_box
from napari_metasr.degradations import degrade
from napari_metasr.geometry.affines import middle_index

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from metasr_training.datasets.slices import Slice
    from metasr_training.datasets.split_files import Patient


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
        way; slices are also mirrored left to right, and upside down, as files store either.
    gain, gamma
        Of intensities: a factor of 1 + gain, an exponent of e to the gamma, either way.
    """

    batch: int = Field(16, ge=1)
    canvas: int = Field(256, ge=32)
    scales: tuple[int, ...] = (1, 2, 4)
    stripped_share: float = Field(0.5, ge=0, le=1)
    turn: float = Field(15.0, ge=0)
    zoom: float = Field(0.15, ge=0, lt=1)
    shift: float = Field(0.06, ge=0, lt=1)
    gain: float = Field(0.2, ge=0, lt=1)
    gamma: float = Field(0.0, ge=0)


@dataclass(frozen=True)
class DetectionBatch:
    """Slices and what there is to find in them.

    Attributes
    ----------
    images
        (batch, 1, h, w), intensities 0..1.
    boxes
        (batch, 4): top, left, bottom, right as shares of the slice; 0 without a tumour.
    masks
        (batch, 1, canvas, canvas): 1 in the tumour.
    present
        (batch,): 1 where there is a tumour.
    """

    images: Tensor
    boxes: Tensor
    masks: Tensor
    present: Tensor

    def to(self, device: torch.device) -> DetectionBatch:
        """Move the batch to a device."""
        return DetectionBatch(*(getattr(self, one.name).to(device) for one in fields(self)))


TUMOUR_SHARE = 2 / 3
"""Share of the slices that are drawn, where there are some without a tumour."""


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
        self._laid: dict[tuple[str, str, str, bool], NDArray[np.float16]] = {}
        if not self.with_tumour:
            raise ValueError(f"expected slices with a tumour's mask, found none of {len(slices)}")

    @property
    def patients(self) -> set[Patient]:
        """Source and patient of the slices that have a mask."""
        return {(one.source, one.patient) for one in (*self.with_tumour, *self.without)}

    @property
    def updates_per_epoch(self) -> int:
        """Batches with as many slices as there are."""
        return max((len(self.with_tumour) + len(self.without)) // self.config.batch, 1)

    def _field(self, one: Slice, *, stripped: bool) -> NDArray[np.float32]:
        """Lay a slice on the canvas, with or without its skull; the result is cached."""
        key = (*one.key, stripped)
        if key not in self._laid:
            image = strip_skull(one.normalised) if stripped else one.normalised
            self._laid[key] = on_canvas(image, self.config.canvas).astype(np.float16)
        return self._laid[key].astype(np.float32)

    def _moves(self, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """Draw a turn, zoom, mirroring and shift, as matrix and offset from output to input."""
        config = self.config
        angle = np.deg2rad(rng.uniform(-config.turn, config.turn))
        zoom = 1 + rng.uniform(-config.zoom, config.zoom)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
        turn = turn @ np.diag(rng.choice([-1.0, 1.0], 2))
        middle = np.full(2, middle_index(config.canvas))
        shift = rng.uniform(-config.shift, config.shift, 2) * config.canvas
        return turn, middle - turn @ (middle + shift)

    def _one(self, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """Draw an augmented slice and its mask, both (canvas, canvas)."""
        config = self.config
        pool = self.with_tumour if not self.without or rng.random() < TUMOUR_SHARE else self.without
        one = pool[int(rng.integers(len(pool)))]
        image = self._field(one, stripped=rng.random() < config.stripped_share)
        mask = mask_on_canvas(np.asarray(one.mask, bool), config.canvas)
        turn, offset = self._moves(rng)
        moved = ndimage.affine_transform(image, turn, offset, order=1).clip(0)
        gain = 1 + rng.uniform(-config.gain, config.gain)
        bent = gain * moved ** np.exp(rng.uniform(-config.gamma, config.gamma))
        return bent, ndimage.affine_transform(mask, turn, offset, order=0)

    def draw(self, update: int, *, rank: int = 0, ranks: int = 1) -> DetectionBatch:
        """Draw the batch of an update, with one scale for all of it."""
        config = self.config
        scale = int(np.random.default_rng((self.seed, update, 0)).choice(config.scales))
        size = config.canvas // scale
        images, boxes, masks, present = [], [], [], []
        for position in range(rank, config.batch, ranks):
            image, mask = self._one(np.random.default_rng((self.seed, update, 1 + position)))
            box = mask_box(mask > 0)
            images.append(image if scale == 1 else degrade(image, (size, size)))
            boxes.append(np.array(box or (0, 0, 0, 0), np.float32) / config.canvas)
            masks.append(mask)
            present.append(float(box is not None))
        return DetectionBatch(
            torch.from_numpy(np.stack(images).astype(np.float32))[:, None],
            torch.from_numpy(np.stack(boxes)),
            torch.from_numpy(np.stack(masks).astype(np.float32))[:, None],
            torch.tensor(present),
        )
