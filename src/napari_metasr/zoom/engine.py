"""The zoom engine: encode a slice once, render any window of it at any scale."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from napari_metasr.geometry import OutputGrid, cell_blocks
from napari_metasr.networks.folding import fold_batch_norm
from napari_metasr.networks.meta_srgan import MetaSRGAN
from napari_metasr.normalisation import (
    LinearMap,
    MissingPixelsWarning,
    fill_missing,
    intensity_range,
    value_range,
)
from napari_metasr.weights import WeightsError, load_network
from napari_metasr.zoom.devices import resolve_device
from napari_metasr.zoom.encoded import EncodedSlice, Tiling
from napari_metasr.zoom.kernels import kernel_for
from napari_metasr.zoom.output import clip_to, new_output, restore_missing

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from napari_metasr.geometry import Scale
    from napari_metasr.networks.meta_upscale import UpscaleKernel
    from napari_metasr.volume import Window
    from napari_metasr.weights import ModelCard

Precision = Literal["float32", "bfloat16"]
LARGEST_VALUE = float(np.finfo(np.float32).max)


class ZoomModel:
    """A network ready to zoom with: numpy in, numpy out.

    Parameters
    ----------
    network
        The generator, in training layout; a folded copy in eval mode is used.
    card
        What the network is and what it was trained on.
    device
        Where it runs.
    precision
        Of the convolutions while encoding; the upscaler is always float32.
    kernel
        What evaluates the upscaler; the fastest one of the device by default.
    tiling
        How slices are cut up; the halo is the network's own.
    """

    def __init__(
        self,
        network: MetaSRGAN,
        card: ModelCard,
        *,
        device: torch.device,
        precision: Precision = "float32",
        kernel: UpscaleKernel | None = None,
        tiling: Tiling | None = None,
    ) -> None:
        self._network = fold_batch_norm(network).to(device).requires_grad_(False)
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network.upscale.kernel = kernel or kernel_for(device.type)
        self._tiling = replace(tiling or Tiling(), halo=network.halo)
        self._device = device
        self._precision = precision
        self.card = card

    @property
    def name(self) -> str:
        """The model's name."""
        return self.card.name

    @property
    def device(self) -> str:
        """Where it runs: ``cpu``, ``cuda`` or ``mps``."""
        return self._device.type

    def encode(
        self,
        image: NDArray[Any],
        intensity: tuple[float, float] | None = None,
        limits: tuple[float, float] | None = None,
    ) -> EncodedSlice:
        """Take a slice in; its tiles are encoded when they are first rendered or prepared.

        Parameters
        ----------
        image
            (rows, columns), any real numeric type and range.
        intensity
            The values that the network sees as 0 and 1: of a slice of a volume, the volume's
            ``intensity_range``. By default the image's own 0.1 and 99.9 percentiles.
        limits
            What results are clipped to: of a slice of a volume, the volume's ``value_range``.
            By default the image's own smallest and largest value.

        Raises
        ------
        ValueError
            If the image is not 2-D, is empty, not real-valued, has no finite value, or values
            beyond float32.

        Warns
        -----
        MissingPixelsWarning
            If some values are NaN or infinite: they are filled with the smallest value, and
            restored in what is rendered.
        """
        image = np.asarray(image)
        if image.ndim != 2:
            raise ValueError(f"expected a 2-D slice (rows, columns), found shape {image.shape}")
        limits = limits or value_range(image)
        intensity = intensity or intensity_range(image)
        if max(map(abs, limits)) > LARGEST_VALUE:
            raise ValueError(
                f"expected values that float32 can hold, found {limits[0]:g} .. {limits[1]:g}"
            )
        filled, missing = fill_missing(image, limits[0])
        if missing is not None:
            warnings.warn(
                f"{missing.sum():,} of {missing.size:,} pixels are NaN or infinite: they are "
                "filled with the smallest value for the network, and restored in the output",
                MissingPixelsWarning,
                stacklevel=2,
            )
        return EncodedSlice(
            source=image,
            filled=filled,
            missing=missing,
            intensity=LinearMap(*intensity),
            limits=limits,
            encoder=self._encode,
            tiling=self._tiling,
        )

    def render(
        self, encoded: EncodedSlice, scale: Scale, window: Window | None = None
    ) -> NDArray[np.float32]:
        """Render a window of a slice at a scale.

        Parameters
        ----------
        encoded
            From ``encode``; tiles that are missing are encoded now.
        scale
            A number or a pair (scale_y, scale_x), at least 1.
        window
            Low-resolution edges (top, left, bottom, right), which may be fractional; the whole
            slice by default. A window is the same part of the whole rendering.

        Returns
        -------
        ndarray
            float32, in the source's intensity units, clipped to its range.

        Raises
        ------
        ValueError
            If the scale or the window is not as described, or the output would be too large.
        """
        grid = OutputGrid.at_scale(encoded.shape, scale)
        pixels = grid.pixel_range(window)
        out = new_output(pixels)
        if encoded.constant is not None:
            out[:] = encoded.constant
        else:
            with torch.inference_mode():
                self._render_tiles(encoded, grid, window, out)
            out = encoded.intensity.inverse(out)
        clip_to(out, encoded.limits)
        restore_missing(out, encoded.source, encoded.missing, grid, pixels)
        return out

    def upscale(self, image: NDArray[Any], scale: Scale) -> NDArray[np.float32]:
        """Encode and render a whole image; see ``encode`` and ``render``."""
        return self.render(self.encode(image), scale)

    def _encode(self, image: NDArray[np.float32]) -> Tensor:
        reduced = self._precision == "bfloat16"
        tensor = torch.from_numpy(np.ascontiguousarray(image))[None, None].to(self._device)
        with (
            torch.inference_mode(),
            torch.autocast(self.device, torch.bfloat16, enabled=reduced),
        ):
            features = self._network.trunk(tensor.contiguous(memory_format=torch.channels_last))
            return self._network.upscale.associate(features).float()

    def _render_tiles(
        self,
        encoded: EncodedSlice,
        grid: OutputGrid,
        window: Window | None,
        out: NDArray[np.float32],
    ) -> None:
        pixels = i0, j0, i1, j1 = grid.pixel_range(window)
        upscale = self._network.upscale
        row_terms, column_terms = upscale.terms(grid, pixels)
        row_cells = upscale.cells(grid.rows)[i0:i1]
        column_cells = upscale.cells(grid.columns)[j0:j1]
        size = encoded.tile_size
        rows = {y: slice(*part) for y, *part in cell_blocks(row_cells, size)}
        columns = {x: slice(*part) for x, *part in cell_blocks(column_cells, size)}
        for block in encoded.blocks(grid, window):
            for (y, x), g in encoded.tiles(block).items():
                out[rows[y], columns[x]] = upscale.kernel(
                    g,
                    row_terms[rows[y]],
                    column_terms[columns[x]],
                    torch.as_tensor(row_cells[rows[y]] - y * size, device=self._device),
                    torch.as_tensor(column_cells[columns[x]] - x * size, device=self._device),
                )[0].cpu()


def load_model(
    model: str | Path = "meta-srgan",
    *,
    device: str = "auto",
    precision: Precision = "float32",
    tiling: Tiling | None = None,
) -> ZoomModel:
    """Load a model to zoom with.

    Parameters
    ----------
    model
        A name among ``napari_metasr.weights.model_names()``, or the path of a safetensors file
        with its model card beside it.
    device
        ``auto``, ``cuda``, ``mps`` or ``cpu``.
    precision
        ``float32``, or ``bfloat16`` for quicker encoding at a small loss.
    tiling
        How slices are cut up, and how much memory encoded tiles may take.

    Raises
    ------
    ValueError
        If the model or the device is not there, or the weights are damaged
        (``napari_metasr.weights.WeightsError``).
    """
    resolved = resolve_device(device)
    network, card = load_network(model)
    if not isinstance(network, MetaSRGAN):
        raise WeightsError(f"{card.name} is no network for every scale, but {card.network}")
    return ZoomModel(network, card, device=resolved, precision=precision, tiling=tiling)
