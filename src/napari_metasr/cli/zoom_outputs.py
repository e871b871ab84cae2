"""What `napari-metasr zoom` writes of a region, by the ending of the output's name."""

from __future__ import annotations

import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_metasr.figures.caption import scale_text, spacing_text
from napari_metasr.files import check_writable, numbered
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.io.names import (
    WRITTEN_SUFFIXES,
    marks_path,
    record_path,
    sidecar_path,
    table_path,
)
from napari_metasr.io.records import check_record
from napari_metasr.plurals import in_number
from napari_metasr.purpose import RESEARCH_USE
from napari_metasr.volume import SIGNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_metasr.figures.panel import View
    from napari_metasr.figures.rendition import Rendition, Slice
    from napari_metasr.geometry.grids import Scale
    from napari_metasr.geometry.windows import Line, Window
    from napari_metasr.zoom.encoded import Tiling
    from napari_metasr.zoom.engine import ZoomModel

FIGURES = (".png", ".pdf")
PAGES = (".html",)
ANIMATIONS = (".gif", ".webp", ".mp4")
OUTPUTS = WRITTEN_SUFFIXES + FIGURES + ANIMATIONS + PAGES


def written_files(
    path: Path, line: Line | None, *, marked: bool = False, blink: bool = False
) -> list[Path]:
    """Return an output and what is written beside it: sidecar and marks, record and table."""
    if path.name.lower().endswith(WRITTEN_SUFFIXES):
        return [path, sidecar_path(path), *([marks_path(path)] if marked else ())]
    if not path.name.lower().endswith(FIGURES) and not blink:
        return [path]
    return [path, *([] if line is None else [table_path(path)]), record_path(path)]


@dataclass(frozen=True)
class ZoomOutput:
    """A file to write of a region.

    Attributes
    ----------
    path
        Its ending is one of ``OUTPUTS``.
    scale
        Output pixels for each input pixel.
    consistent
        The acquisition with which the result is made consistent, if with any.
    dpi, width_mm, line
        Of figures: dots an inch, the width, the line of a profile.
    overwrite
        Whether existing files may be replaced.
    risk, device
        The model whose error head marks the result, if it is to be marked, and where that runs.
    blink
        Whether an animation alternates between before and after, in place of a zoom.
    """

    path: Path
    scale: Scale
    consistent: str | None
    dpi: int
    width_mm: float | None
    line: Line | None
    overwrite: bool
    risk: str | None = None
    device: str = "auto"
    blink: bool = False

    def ends_in(self, endings: tuple[str, ...]) -> bool:
        """Return whether the name ends in one of these."""
        return self.path.name.lower().endswith(endings)

    def numbered(self, number: int) -> ZoomOutput:
        """Return the same for one of several: ``lesion.png`` becomes ``lesion-2.png``."""
        return replace(self, path=numbered(self.path, number, OUTPUTS))

    def check(self) -> None:
        """Refuse to write before any work is done for it.

        Raises
        ------
        OSError, ValueError
            As `check_writable` and `check_record`.
        """
        for path in self.files:
            if path.suffix == ".json":
                check_record(path)
            check_writable(path, overwrite=self.overwrite)

    @property
    def files(self) -> list[Path]:
        """The file and what is written beside it."""
        return written_files(self.path, self.line, marked=self.risk is not None, blink=self.blink)

    def save(self, model: ZoomModel, cut: Slice, region: Window, told: str) -> None:
        """Make it of a region, and print one line about it.

        Parameters
        ----------
        told
            What to say of the choice of the region.

        Raises
        ------
        OSError, ValueError
            If it cannot be rendered or written.
        """
        with _gaps_are_known():
            if self.ends_in(PAGES):
                self._save_page(model, cut, region, told)
            elif self.ends_in(ANIMATIONS) and self.blink:
                self._save_blink(model, cut, region, told)
            elif self.ends_in(ANIMATIONS):
                self._save_animation(model, cut, region, told)
            else:
                self._save_rendition(model, cut, region, told)
        self._warn(model, cut)

    def save_mosaic(self, model: ZoomModel, cuts: list[Slice], region: Window, told: str) -> None:
        """Make a figure of one region in several slices, and print one line about it.

        Raises
        ------
        OSError, ValueError
            If it cannot be rendered or written.
        """
        from tqdm import tqdm

        from napari_metasr.figures.mosaic import save_mosaic
        from napari_metasr.figures.rendition import remark_of

        with _gaps_are_known():
            renditions = [
                self._rendition(model, cut, region)
                for cut in tqdm(cuts, "slices", disable=None, leave=False)
            ]
            save_mosaic(
                self.path,
                renditions,
                view=self._view(cuts[0]),
                heading=cuts[0].volume.source.name,
                dpi=self.dpi,
                overwrite=self.overwrite,
            )
        self._warn(model, cuts[0])
        scale, remark = scale_text(renditions[0].grid.true_scale), remark_of(renditions)
        print(
            f"{self.path}: {told}; {in_number(len(cuts), 'slice')}, {scale}, "
            f"super-resolved by {model.card.title}, {f'{remark}, ' if remark else ''}{RESEARCH_USE}"
        )

    def _warn(self, model: ZoomModel, cut: Slice) -> None:
        """Warn of the model at this scale; the reader has warned of the scan."""
        scale = max(OutputGrid.at_scale(cut.image.shape, self.scale).true_scale)
        for concern in model.card.concerns(scale, "in plane"):
            warnings.warn(concern, stacklevel=3)

    def _rendition(self, model: ZoomModel, cut: Slice, region: Window) -> Rendition:
        from napari_metasr.figures.rendition import render
        from napari_metasr.trust.assumption import assume

        assumption = None
        if self.consistent is not None:
            assumption = assume(self.consistent, cut.scanned, cut.plane)
        rendition = render(
            model,
            cut,
            OutputGrid.at_scale(cut.image.shape, self.scale),
            region,
            intensity_range=cut.intensity_range,
            value_range=cut.value_range,
            assumption=assumption,
        )
        return rendition if self.risk is None else self._marked(rendition, self.risk, model.tiling)

    def _marked(self, rendition: Rendition, model: str, tiling: Tiling) -> Rendition:
        """Return the rendition with marks where it may be wrong."""
        from napari_metasr.figures.rendition import mark
        from napari_metasr.trust.risk import load_risk_model, scan_guarantee

        cut, head = rendition.slice, load_risk_model(model, device=self.device, tiling=tiling)
        found = scan_guarantee(
            head.risk_card, cut.scanned, cut.plane, rendition.grid.true_scale, self.consistent
        )
        return mark(
            head,
            rendition,
            found,
            intensity_range=cut.intensity_range,
            value_range=cut.value_range,
        )

    def _save_rendition(self, model: ZoomModel, cut: Slice, region: Window, told: str) -> None:
        from napari_metasr.zoom.scales import resampled_from

        started = time.perf_counter()
        rendition = self._rendition(model, cut, region)
        volume, grid = cut.volume, rendition.grid
        seconds = time.perf_counter() - started
        self._save(rendition)
        source = resampled_from(model.fixed_scales, grid)
        resampled = "" if source is None else f" (resampled from its ×{source})"
        unit = SIGNS[volume.source.unit]
        rows, columns = rendition.super_resolved.shape
        remark = f"{rendition.remark}, " if rendition.remark else ""
        if told:
            share = rendition.encoded_share
            told = f"{told}, super-resolution ran on {share:.0%} of the slice's pixels; "
        print(
            f"{self.path}: {told}{rows} x {columns} pixels, "
            f"{scale_text(grid.true_scale)}, {spacing_text(rendition.spacing, unit)}, "
            "super-resolved by "
            f"{model.card.title}{resampled} on {model.device} in {1000 * seconds:.0f} ms, "
            f"{remark}{RESEARCH_USE}"
        )

    def _save(self, rendition: Rendition) -> None:
        from napari_metasr.figures.rendition_files import save_figure, save_nifti

        if self.ends_in(WRITTEN_SUFFIXES):
            save_nifti(self.path, rendition, overwrite=self.overwrite)
            return
        cut = rendition.slice
        options: dict[str, Any] = {
            "view": self._view(cut),
            "heading": cut.volume.source.name,
            "dpi": self.dpi,
            "overwrite": self.overwrite,
        }
        if self.line is not None:
            from napari_metasr.figures.profile import Profile, save_profile

            save_profile(self.path, rendition, Profile.of(rendition, self.line), **options)
        else:
            save_figure(self.path, rendition, width_mm=self.width_mm, **options)

    def _save_page(self, model: ZoomModel, cut: Slice, region: Window, told: str) -> None:
        """Write the region as a page, and print one line about it."""
        from napari_metasr.figures.page.writing import save_page

        made = save_page(
            self.path,
            model,
            cut,
            region,
            scale=self._scale_of(cut),
            view=self._view(cut),
            intensity_range=cut.intensity_range,
            value_range=cut.value_range,
            overwrite=self.overwrite,
        )
        rows, columns = made.shape
        megabytes = self.path.stat().st_size / 1e6
        print(
            f"{self.path}: {told}{'; ' if told else ''}an interactive page of {rows} x {columns} "
            f"pixels, {megabytes:.1f} MB, values within {made.error[1]:.2g} of those of "
            f"{model.card.title}, {RESEARCH_USE}"
        )

    def _save_animation(self, model: ZoomModel, cut: Slice, region: Window, told: str) -> None:
        """Write a zoom into the region, and print one line about it."""
        from tqdm import tqdm

        from napari_metasr.figures.animation import FRAMES, animation_steps, zoom_end

        steps = animation_steps(
            self.path,
            cut.image,
            model,
            title=model.card.title,
            trained_scales=model.card.trained_scales,
            view=self._view(cut),
            spacing=cut.spacing,
            window=zoom_end(region, self._scale_of(cut), cut.spacing),
            intensity_range=cut.intensity_range,
            value_range=cut.value_range,
            overwrite=self.overwrite,
        )
        for _ in tqdm(steps, "frames", FRAMES, disable=None, leave=False):
            pass
        megabytes = self.path.stat().st_size / 1e6
        print(
            f"{self.path}: {told}{'; ' if told else ''}a zoom in {FRAMES} frames, "
            f"{megabytes:.1f} MB, super-resolved by {model.card.title}, {RESEARCH_USE}"
        )

    def _save_blink(self, model: ZoomModel, cut: Slice, region: Window, told: str) -> None:
        """Write the region before and after, alternating, and print one line about it."""
        from napari_metasr.figures.blink import save_blink

        rendition = self._rendition(model, cut, region)
        save_blink(self.path, rendition, view=self._view(cut), overwrite=self.overwrite)
        print(
            f"{self.path}: {told}{'; ' if told else ''}bicubic and {model.card.title} in turn, "
            f"{scale_text(rendition.grid.true_scale)}, {RESEARCH_USE}"
        )

    def _scale_of(self, cut: Slice) -> float:
        return cut.scale_on(OutputGrid.at_scale(cut.image.shape, self.scale))

    def _view(self, cut: Slice) -> View:
        from napari_metasr.figures.panel import View

        return View.of(cut.volume, cut.plane, cut.contrast_limits)


@contextmanager
def _gaps_are_known() -> Iterator[None]:
    """Warn of no gaps in a slice: the reader has warned of those of the whole volume."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*NaN or infinite", category=UserWarning)
        yield
