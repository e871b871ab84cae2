"""``napari-metasr zoom``: super-resolve a region of a slice to a NIfTI file or a figure."""

from __future__ import annotations

import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from pydantic import Field

from napari_metasr.cli.lesion_choice import LesionChoice
from napari_metasr.cli.parsing import (
    ASSUMED,
    OUTPUT,
    AcquisitionArgument,
    Command,
    CountArgument,
    Flag,
    IndexArgument,
    ModelArgument,
    PlaneArgument,
    RegionArgument,
    ScaleArgument,
    SliceArgument,
    described,
    optional,
)
from napari_metasr.devices import Device
from napari_metasr.figures.caption import scale_text, spacing_text
from napari_metasr.files import check_writable
from napari_metasr.geometry.grids import OutputGrid, scale_pair
from napari_metasr.geometry.windows import Window
from napari_metasr.io import read
from napari_metasr.io.images import is_picture
from napari_metasr.io.names import READ_FORMATS, WRITTEN_SUFFIXES
from napari_metasr.lesions import DEFAULT_DETECTOR
from napari_metasr.normalisation import contrast_limits
from napari_metasr.purpose import RESEARCH_USE
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.sidecar import sidecar_path
from napari_metasr.volume import SIGNS, Plane
from napari_metasr.weights import DEFAULT_MODEL, model_card

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_metasr.figures.panel import View
    from napari_metasr.figures.rendition import Rendition, Slice
    from napari_metasr.volume import Volume
    from napari_metasr.zoom.engine import ZoomModel

FIGURES = (".png", ".pdf")
PAGES = (".html",)
OUTPUTS = WRITTEN_SUFFIXES + FIGURES + PAGES
FINE_TILE, JOINT = 8, 32
"""Small tiles: around a lesion the network runs on little more than its rectangle and halo."""


class Zoom(Command):
    """Super-resolve a region of a slice, or a lesion, at any scale.

    Slices and regions count from 0 in the canonical (RAS) array, rows and columns of the plane.
    """

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="INPUT")] = Field(
        description=f"A brain MRI: {READ_FORMATS}, 3-D or 4-D, in any orientation; DICOM as a "
        "folder, a .zip or a file; or a gray picture."
    )
    scale: ScaleArgument = Field(
        description="Output pixels for each input pixel, at least 1; or a pair for rows, columns."
    )
    output: Annotated[Path, OUTPUT, tyro.conf.arg(metavar="OUTPUT")] = Field(
        description=f"The super-resolved region as {', '.join(WRITTEN_SUFFIXES)}; a figure of it "
        "beside bicubic interpolation as .png or .pdf; or as .html a page on which it can be "
        "magnified in any browser, beginning at the scale."
    )
    series: Annotated[str | None, optional("SERIES")] = described(Job, "series")
    plane: PlaneArgument = Field(
        default=None,
        description="Anatomical plane of the slice; by default that of the thick slices, and axial "
        "otherwise.",
    )
    slice: SliceArgument = Field(default=None, description="Index of the slice in its plane.")
    region: RegionArgument = Field(
        default=None, description="Rectangle of the slice, in pixels: top row, left column, size."
    )
    lesion: CountArgument = Field(
        default=None,
        description="In place of a region: a lesion, 1 being the best; in its largest slice, "
        "or in that of --slice.",
    )
    rois: Annotated[Path | None, optional("ROIS.JSON")] = Field(
        default=None, description="Take lesions from a file that `napari-metasr detect` wrote."
    )
    mask: Annotated[Path | None, optional("SEG.NII.GZ")] = Field(
        default=None, description="Take lesions from a segmentation on the input's grid."
    )
    detector: ModelArgument = Field(
        default=DEFAULT_DETECTOR,
        description="Lesion detector to use otherwise; `napari-metasr models` lists them.",
    )
    time: IndexArgument = Field(default=0, description="Time point of a 4-D volume, from 0.")
    model: ModelArgument = Field(
        default=DEFAULT_MODEL,
        description="A name that `napari-metasr models` lists, a .safetensors file with its card, "
        "or a .pth file of Meta-SRGAN in its authors' layout.",
    )
    consistent: AcquisitionArgument = Field(
        default=None,
        description="Make the result consistent with the slice: reduced again under this "
        "acquisition it is the slice. " + ASSUMED,
    )
    device: Device = described(Job, "device")
    overwrite: Flag = described(Job, "overwrite")

    def run(self) -> None:
        """Check, read, super-resolve, write, and print one line about the result."""
        if not self.output.name.lower().endswith(OUTPUTS):
            raise ValueError(f"{self.output}: expected an output that ends in {', '.join(OUTPUTS)}")
        if self._is_page and self.consistent is not None:
            raise ValueError(f"{self.output}: a page evaluates the network alone: no --consistent")
        check_writable(self.output, overwrite=self.overwrite)
        if self.output.name.lower().endswith(WRITTEN_SUFFIXES):
            check_writable(sidecar_path(self.output), overwrite=self.overwrite)
        model_card(self.model)
        choice = self._choice()
        volume = read(self.input, series=self.series)
        plane = self.plane or volume.acquired_plane
        volume.source.check_brightness()
        if volume.data.ndim == 2 and plane is not Plane.AXIAL:
            raise ValueError(f"{self.input}: a 2-D image has no {plane} slices")
        cut, region, told = self._place(volume, plane, choice)
        grid = OutputGrid.at_scale(cut.image.shape, self.scale)
        grid.pixel_range(region)

        from napari_metasr.zoom.encoded import Tiling
        from napari_metasr.zoom.engine import load_model

        tiling = None if choice is None else Tiling(tile=FINE_TILE, joint=JOINT)
        model = load_model(self.model, device=self.device, tiling=tiling)
        with _gaps_are_known():
            if self._is_page:
                self._save_page(model, cut, region, told)
            else:
                self._save_rendition(model, cut, grid, region, told)

    def _place(
        self, volume: Volume, plane: Plane, choice: LesionChoice | None
    ) -> tuple[Slice, Window, str]:
        """Return the slice and the region that are asked for, and what is told of a lesion."""
        from napari_metasr.figures.rendition import Slice

        told, index, region = "", self.slice, self.region
        if choice is not None:
            index, region, told = choice.find(volume, plane, self.slice, self.time)
        elif index is None:
            index = volume.slice_count(plane) // 2
        image = volume.slice(plane, index, self.time)
        shape = (image.shape[0], image.shape[1])
        region = Window.whole(shape) if region is None else region.inside(shape)
        return Slice(image, volume, plane, index, self.time), region, told

    def _save_rendition(
        self, model: ZoomModel, cut: Slice, grid: OutputGrid, region: Window, told: str
    ) -> None:
        """Render the region, write it, and print one line about it."""
        from napari_metasr.figures.rendition import render
        from napari_metasr.trust.assumption import assume
        from napari_metasr.zoom.scales import resampled_from

        volume = cut.volume
        assumption = None
        if self.consistent is not None:
            assumption = assume(self.consistent, volume, cut.plane)
        started = time.perf_counter()
        rendition = render(
            model,
            cut,
            grid,
            region,
            intensity_range=volume.intensity_range,
            value_range=volume.value_range,
            assumption=assumption,
        )
        seconds = time.perf_counter() - started
        self._save(rendition)
        for concern in rendition.concerns:
            warnings.warn(concern, stacklevel=2)
        source = resampled_from(model.fixed_scales, grid)
        resampled = "" if source is None else f" (resampled from its ×{source})"
        unit = SIGNS[volume.source.unit]
        rows, columns = rendition.super_resolved.shape
        remark = f"{rendition.remark}, " if rendition.remark else ""
        if told:
            share = rendition.encoded_share
            told = f"{told}, super-resolution ran on {share:.0%} of the slice's pixels; "
        print(
            f"{self.output}: {told}{rows} x {columns} pixels, "
            f"{scale_text(grid.true_scale)}, {spacing_text(rendition.spacing, unit)}, "
            "super-resolved by "
            f"{model.card.title}{resampled} on {model.device} in {1000 * seconds:.0f} ms, "
            f"{remark}{RESEARCH_USE}"
        )

    @property
    def _is_page(self) -> bool:
        return self.output.name.lower().endswith(PAGES)

    def _save(self, rendition: Rendition) -> None:
        """Write what the output's name asks for."""
        from napari_metasr.figures.rendition import save_figure, save_nifti

        if self.output.name.lower().endswith(WRITTEN_SUFFIXES):
            save_nifti(self.output, rendition, overwrite=self.overwrite)
            return
        cut = rendition.slice
        save_figure(
            self.output,
            rendition,
            view=self._view(cut),
            heading=cut.volume.source.name,
            overwrite=self.overwrite,
        )

    def _save_page(self, model: ZoomModel, cut: Slice, region: Window, told: str) -> None:
        """Write the region as a page, and print one line about it."""
        from napari_metasr.figures.page.writing import save_page

        scales = scale_pair(self.scale)
        finer = int(cut.spacing[1] < cut.spacing[0])
        made = save_page(
            self.output,
            model,
            cut,
            region,
            scale=float(scales[finer]),
            view=self._view(cut),
            intensity_range=cut.volume.intensity_range,
            value_range=cut.volume.value_range,
            overwrite=self.overwrite,
        )
        rows, columns = made.shape
        megabytes = self.output.stat().st_size / 1e6
        print(
            f"{self.output}: {told}{'; ' if told else ''}an interactive page of {rows} x {columns} "
            f"pixels, {megabytes:.1f} MB, values within {made.error[1]:.2g} of those of "
            f"{model.card.title}, {RESEARCH_USE}"
        )

    def _view(self, cut: Slice) -> View:
        from napari_metasr.figures.panel import View

        shown = None if is_picture(self.input) else cut.plane
        limits = contrast_limits(cut.volume.data)
        return View(shown, limits, is_oriented=cut.volume.source.is_oriented)

    def _choice(self) -> LesionChoice | None:
        """Return the lesion that is asked for, if one is."""
        return LesionChoice.asked(
            self.lesion,
            rois=self.rois,
            segmentation=self.mask,
            detector=self.detector,
            device=self.device,
            has_region=self.region is not None,
        )


@contextmanager
def _gaps_are_known() -> Iterator[None]:
    """Warn of no gaps in a slice: the reader has warned of those of the whole volume."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*NaN or infinite", category=UserWarning)
        yield
