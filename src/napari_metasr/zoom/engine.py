"""The zoom engine: encode a slice once, render any window of it at any scale."""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from napari_metasr import normalisation
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.networks.folding import fold_batch_norm
from napari_metasr.networks.told_meta_srgan import ToldMetaSRGAN
from napari_metasr.normalisation import LinearMap, MissingPixelsWarning, fill_missing
from napari_metasr.weights import cannot_be_told
from napari_metasr.zoom.borders import mirrored
from napari_metasr.zoom.encoded import EncodedSlice, Tiling
from napari_metasr.zoom.output import clip_to, new_output, restore_missing
from napari_metasr.zoom.renderers.any_scale import AnyScaleRenderer
from napari_metasr.zoom.renderers.choice import renderer_of
from napari_metasr.zoom.renderers.once import render_once
from napari_metasr.zoom.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from napari_metasr.geometry.grids import PixelRange, Scale
    from napari_metasr.geometry.windows import Window
    from napari_metasr.networks.meta_upscale import MetaUpscale, UpscaleKernel
    from napari_metasr.weights import ModelCard

Precision = Literal["float32", "bfloat16"]
TOLD_KEPT = 4
"""Networks that are kept folded for codes used lately, 2 MB each."""

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
        What evaluates Meta-SRGAN's upscaler; the fastest one of the device by default.
    tiling
        How slices are cut up; halo and margin are the network's own.
    continued
        Whether the tissue is continued into what a network has not learned, see
        ``napari_metasr.zoom.shown``; if not it is shown every slice as it is.
    code
        What a network that can be told of acquisitions is told of all slices, see
        ``napari_metasr.acquisition.acquisition_code``; nothing by default.
    untold
        The network that takes the place of such a one where it is told nothing; by default it is
        itself.

    Raises
    ------
    WeightsError
        If the network does not super-resolve, or there is a code and it cannot be told.
    """

    def __init__(
        self,
        network: nn.Module,
        card: ModelCard,
        *,
        device: torch.device,
        precision: Precision = "float32",
        kernel: UpscaleKernel | None = None,
        tiling: Tiling | None = None,
        continued: bool = True,
        code: NDArray[np.float32] | None = None,
        untold: nn.Module | None = None,
    ) -> None:
        self._told: OrderedDict[bytes, ZoomModel] = OrderedDict()
        self._telling = threading.Lock()  # docks, loupe and planes share a model
        self.assumed = ""
        self._tell: Callable[..., ZoomModel] | None = None
        if isinstance(network, ToldMetaSRGAN):
            self._tell = partial(
                ZoomModel,
                network,
                card,
                device=device,
                precision=precision,
                kernel=kernel,
                tiling=tiling,
                continued=continued,
                untold=untold,
            )
            if code is not None and code.any():
                network = network.told(torch.from_numpy(code))
            else:
                network = untold or network.told()
        elif code is not None:
            raise cannot_be_told(card)
        folded = fold_batch_norm(network).to(device).requires_grad_(False)
        folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._renderer = renderer_of(folded, card, device.type, kernel)
        self._tiling = replace(
            tiling or Tiling(), halo=self._renderer.halo, margin=self._renderer.margin
        )
        self._device = device
        self._precision = precision
        self._continued = continued
        self.card = card

    @property
    def name(self) -> str:
        """The model's name."""
        return self.card.name

    def told(self, code: NDArray[np.float32], title: str = "") -> ZoomModel:
        """Return the same model, told the acquisition of all that it encodes.

        Parameters
        ----------
        code
            See ``napari_metasr.acquisition.acquisition_code``.
        title
            The same in words, for records and captions: its ``assumed``.

        Those of codes used lately are kept. What one has encoded any of them renders.

        Raises
        ------
        WeightsError
            If the network cannot be told.
        ValueError
            If the code is of another length.
        """
        if self._tell is None:
            raise cannot_be_told(self.card)
        name = code.tobytes() + title.encode()
        with self._telling:
            if name not in self._told:
                self._told[name] = self._tell(code=code)
                self._told[name].assumed = title
            self._told.move_to_end(name)
            while len(self._told) > TOLD_KEPT:
                self._told.popitem(last=False)
            return self._told[name]

    @property
    def fixed_scales(self) -> tuple[int, ...]:
        """The scales that the network gives, from which others are resampled; () if it gives all.

        See ``napari_metasr.zoom.scales`` for which is taken.
        """
        return self._renderer.fixed_scales

    @property
    def upscaler(self) -> MetaUpscale | None:
        """Meta-SRGAN's upscaler, which makes an image of any scale from codes; None for others."""
        renderer = self._renderer
        return renderer.upscale if isinstance(renderer, AnyScaleRenderer) else None

    @property
    def reach(self) -> int:
        """Low-resolution pixels around its own that an output pixel depends on."""
        return self._renderer.halo + self._renderer.margin

    @property
    def tiling(self) -> Tiling:
        """How it cuts slices up."""
        return self._tiling

    @property
    def device(self) -> str:
        """Where it runs: ``cpu``, ``cuda`` or ``mps``."""
        return self._device.type

    def encode(
        self,
        image: NDArray[Any],
        intensity_range: tuple[float, float] | None = None,
        value_range: tuple[float, float] | None = None,
    ) -> EncodedSlice:
        """Take a slice in; its tiles are encoded when they are first rendered or prepared.

        Parameters
        ----------
        image
            (rows, columns), any real numeric type and range.
        intensity_range
            The values that become 0 and 1, before the card's standardisation: of a slice of a
            volume, the volume's ``intensity_range``. By default the image's own 0.1 and 99.9
            percentiles.
        value_range
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
            If some values are NaN or infinite: the network is shown what is next to them, and
            they are restored in what is rendered.
        """
        image = np.asarray(image)
        if image.ndim != 2:
            raise ValueError(f"expected a 2-D slice (rows, columns), found shape {image.shape}")
        value_range = value_range or normalisation.value_range(image)
        intensity_range = intensity_range or normalisation.intensity_range(image)
        if max(map(abs, value_range)) > LARGEST_VALUE:
            low, high = value_range
            raise ValueError(f"expected values that float32 can hold, found {low:g} .. {high:g}")
        filled, missing = fill_missing(image, value_range[0])
        if missing is not None:
            warnings.warn(
                f"{missing.sum():,} of {missing.size:,} pixels are NaN or infinite: they are "
                "not shown to the network, and restored in the output",
                MissingPixelsWarning,
                stacklevel=2,
            )
        mapping = LinearMap(*intensity_range).standardised(*self.card.standardisation)
        constant = float(filled[0, 0]) if (filled == filled[0, 0]).all() else None
        if self._continued and constant is None:
            shown = Shown.of(filled, missing, intensity_range, mapping, self.reach)
        else:
            shown = Shown(mapping.forward(filled))
        return EncodedSlice(
            source=image,
            shown=shown,
            constant=constant,
            missing=missing,
            mapping=mapping,
            value_range=value_range,
            renderer=self._renderer,
            encoder=partial(self._encode, shape=image.shape),
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
        return self.render_pixels(encoded, grid, grid.pixel_range(window))

    def render_pixels(
        self,
        encoded: EncodedSlice,
        grid: OutputGrid,
        pixels: PixelRange,
        correction: Callable[[PixelRange], NDArray[np.float32]] | None = None,
    ) -> NDArray[np.float32]:
        """Render a range of output pixels (i0, j0, i1, j1) of any grid; see ``render``.

        Parameters
        ----------
        correction
            What is added to the network's result of these pixels, in the source's units, before
            the edge of a mask is put back: see ``napari_metasr.trust.correction``.

        Raises
        ------
        ValueError
            If the grid is of another slice, or the output would be too large.
        """
        out = self.network_pixels(encoded, grid, pixels)
        if encoded.constant is None:
            if correction is not None:
                out += correction(pixels)
            encoded.shown.put_back(out, grid, pixels)
        clip_to(out, encoded.value_range)
        restore_missing(out, encoded.source, encoded.missing, grid, pixels)
        return out

    def network_pixels(
        self, encoded: EncodedSlice, grid: OutputGrid, pixels: PixelRange
    ) -> NDArray[np.float32]:
        """Return what the network makes of the slice as it is shown it, in the source's units.

        Nothing is put back, clipped or restored; it is of any value where ``shown.needed`` is not.

        Raises
        ------
        ValueError
            See ``render_pixels``.
        """
        if grid.input_shape != encoded.shape:
            raise ValueError(
                f"expected a grid over {encoded.shape} pixels, found one over {grid.input_shape}"
            )
        if encoded.constant is not None:
            out = new_output(pixels)
            out[:] = encoded.constant
            return out
        return encoded.mapping.inverse(self.network_units(encoded, grid, pixels))

    def network_units(
        self, encoded: EncodedSlice, grid: OutputGrid, pixels: PixelRange
    ) -> NDArray[np.float32]:
        """Return what the network makes of a slice that is not constant, in its own units."""
        out = new_output(pixels)
        if encoded.shown.needed is not None:
            out[:] = 0
        with torch.inference_mode():
            encoded.renderer.render(encoded, grid, pixels, out)
        return out

    def render_once(
        self,
        encoded: EncodedSlice,
        grid: OutputGrid,
        pixels: PixelRange,
        out: NDArray[np.float32],
    ) -> None:
        """Fill ``out`` with a range of output pixels as the network makes them, keeping no codes.

        Unlike `render_pixels` it asks the network about constant slices too, and does not restore
        what is missing; see ``napari_metasr.zoom.renderers.once``.
        """
        with torch.inference_mode(), self._reduced():
            render_once(self._renderer, self._tensor, encoded, grid, pixels, out)

    def upscale(self, image: NDArray[Any], scale: Scale) -> NDArray[np.float32]:
        """Encode and render a whole image; see ``encode`` and ``render``."""
        return self.render(self.encode(image), scale)

    def _encode(self, part: NDArray[np.float32], shape: tuple[int, int]) -> Tensor:
        continued, (top, left) = mirrored(part, shape)
        rows, columns = part.shape
        with torch.inference_mode(), self._reduced():
            codes = self._renderer.encode(self._tensor(continued)).float()
        return codes[:, top : top + rows, left : left + columns]

    def _reduced(self) -> AbstractContextManager[None]:
        """Return a context in which convolutions have the chosen precision."""
        reduced = self._precision == "bfloat16"
        return torch.autocast(self.device, torch.bfloat16, enabled=reduced)

    def _tensor(self, image: NDArray[np.float32]) -> Tensor:
        """Move a part of a normalised slice to the device, (1, 1, h, w)."""
        tensor = torch.from_numpy(np.ascontiguousarray(image))[None, None].to(self._device)
        return tensor.contiguous(memory_format=torch.channels_last)
