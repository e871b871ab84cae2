"""``napari-metasr zoom``: super-resolve a region of a slice to a NIfTI file or a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from pydantic import Field

from napari_metasr.cli.lesion_choice import (
    ALL,
    LesionChoice,
    LesionSource,
    MaskArgument,
    RoisArgument,
)
from napari_metasr.cli.parsing import (
    ASSUMED,
    OUTPUT,
    READABLE,
    AcquisitionArgument,
    Command,
    CountArgument,
    DotsArgument,
    Flag,
    IndexArgument,
    LesionArgument,
    LineArgument,
    ModelArgument,
    NumberArgument,
    PlaneArgument,
    RegionArgument,
    ScaleArgument,
    SliceArgument,
    TellingArgument,
    described,
    optional,
)
from napari_metasr.cli.zoom_outputs import (
    ANIMATIONS,
    FIGURES,
    OUTPUTS,
    PAGES,
    ZoomOutput,
    written_files,
)
from napari_metasr.devices import Device
from napari_metasr.figures.size import DPI_RANGE, PRINT_DPI, WIDTH_RANGE
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.io import read
from napari_metasr.io.names import WRITTEN_SUFFIXES
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.options import UpscaleOptions
from napari_metasr.volume import Plane
from napari_metasr.weights import DEFAULT_MODEL, WeightsError, cannot_be_told, model_card
from napari_metasr.weights.risk import has_risk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_metasr.figures.rendition import Slice
    from napari_metasr.volume import Volume

FINE_TILE, JOINT = 8, 32
"""Small tiles: around a lesion the network runs on little more than its rectangle and halo."""


class Zoom(Command):
    """Super-resolve a region of a slice, or a lesion, at any scale.

    Slices and regions count from 0 in the canonical (RAS) array, rows and columns of the plane.
    """

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="INPUT")] = Field(
        description=READABLE
    )
    scale: ScaleArgument = Field(
        description="Output pixels for each input pixel, at least 1; or a pair for rows, columns."
    )
    output: Annotated[Path, OUTPUT, tyro.conf.arg(metavar="OUTPUT")] = Field(
        description=f"The super-resolved region as {', '.join(WRITTEN_SUFFIXES)}; a figure of it "
        "beside bicubic interpolation as .png or .pdf; a zoom into its middle, up to the scale, as "
        ".gif, .webp or .mp4 (or, with --blink, both in turn); or as .html a page on which it can "
        "be magnified in any browser."
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
    lesion: LesionArgument = Field(
        default=None,
        description="In place of a region: a lesion, 1 being the best, in its largest slice or in "
        "that of --slice; or all, each to a file with its number before the ending.",
    )
    mosaic: CountArgument = Field(
        default=None,
        description="With --lesion, to a figure: this many slices from its first to its last one.",
    )
    rois: RoisArgument = described(LesionSource, "rois")
    mask: MaskArgument = described(LesionSource, "mask")
    detector: ModelArgument = described(LesionSource, "detector")
    time: IndexArgument = described(LesionSource, "time")
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
    assume: TellingArgument = described(UpscaleOptions, "assume")
    blink: Flag = Field(
        default=False,
        description="To .gif, .webp or .mp4: the region by interpolation and super-resolved in "
        "turn, in place of a zoom.",
    )
    dpi: DotsArgument = Field(default=PRINT_DPI, description="Dots an inch of a figure as .png.")
    width: NumberArgument = Field(
        default=None,
        description="Width of a figure in mm, with text of at least 6 points; by default the "
        "figure is as large as its pictures.",
    )
    profile: LineArgument = Field(
        default=None,
        description="In place of pictures side by side: plot the intensities along a line, from "
        "one point of the slice to another in pixels, and write them as .csv beside the figure.",
    )
    risk: Flag = Field(
        default=False,
        description="Mark where the result may be wrong: in a figure, or in a second file "
        "OUTPUT-risk.nii.gz. What is guaranteed is printed.",
    )
    device: Device = described(Job, "device")
    overwrite: Flag = described(Job, "overwrite")

    def written(self) -> Iterator[Path]:
        """Give the output and what is written beside it; which of all lesions shows later."""
        if self.lesion != ALL:
            yield from written_files(self.output, self.profile, marked=self.risk, blink=self.blink)

    def run(self) -> None:
        """Check, read, super-resolve, write, and print one line about each result."""
        if not self._ends_in(OUTPUTS):
            raise ValueError(f"{self.output}: expected an output that ends in {', '.join(OUTPUTS)}")
        self._check_options()
        if self.lesion != ALL:
            self._made.check()
        self._check_model()
        choice = LesionChoice.asked(self)
        volume = read(self.input, series=self.series)
        plane = self.plane or volume.acquired_plane
        volume.source.check_brightness()
        if volume.data.ndim == 2 and plane is not Plane.AXIAL:
            raise ValueError(f"{self.input}: a 2-D image has no {plane} slices")
        work = list(self._work(volume, plane, choice))
        for output, cuts, region, _ in work:
            output.check()
            OutputGrid.at_scale(cuts[0].image.shape, self.scale).pixel_range(region)

        from napari_metasr.zoom.encoded import Tiling
        from napari_metasr.zoom.loading import load_model

        tiling = None if choice is None else Tiling(tile=FINE_TILE, joint=JOINT)
        model = load_model(self.model, device=self.device, tiling=tiling)
        if model.card.can_be_told:
            from napari_metasr.trust.told import Words, tell

            words = Words() if self.assume is None else Words.parse(self.assume)
            told_of_scan = tell(words, volume.at_time(self.time), plane)
            model = model.told(told_of_scan.code, told_of_scan.title)
        for output, cuts, region, told in work:
            if self.mosaic is None:
                output.save(model, cuts[0], region, told)
            else:
                output.save_mosaic(model, cuts, region, told)

    def _work(
        self, volume: Volume, plane: Plane, choice: LesionChoice | None
    ) -> Iterator[tuple[ZoomOutput, list[Slice], Window, str]]:
        """Give every file to write, its slices, the region of them, and what is told of it."""
        from napari_metasr.figures.rendition import Slice

        def cut(index: int) -> Slice:
            return Slice(volume.slice(plane, index, self.time), volume, plane, index, self.time)

        if choice is None:
            middle = volume.slice_count(plane) // 2
            whole = cut(middle if self.slice is None else self.slice)
            shape = (whole.image.shape[0], whole.image.shape[1])
            if self.region is not None:
                region = self.region.inside(shape)
            elif self.profile is not None:
                region = self.profile.surroundings.clipped(shape)
            else:
                region = Window.whole(shape)
            yield self._made, [whole], region, ""
            return
        for place in choice.find(volume, plane, self.slice, self.time):
            made = self._made.numbered(place.number) if self.lesion == ALL else self._made
            if self.mosaic is None:
                yield made, [cut(place.index)], place.region, place.told
                continue

            from napari_metasr.figures.mosaic import spread_slices

            shape = cut(place.index).image.shape
            box = place.lesion.window.clipped((shape[0], shape[1]))
            yield made, list(map(cut, spread_slices(place.lesion, self.mosaic))), box, place.told

    @property
    def _made(self) -> ZoomOutput:
        return ZoomOutput(
            self.output,
            self.scale,
            self.consistent,
            self.dpi,
            self.width,
            self.profile,
            self.overwrite,
            self.model if self.risk else None,
            self.device,
            self.blink,
        )

    def _ends_in(self, endings: tuple[str, ...]) -> bool:
        return self.output.name.lower().endswith(endings)

    def _check_model(self) -> None:
        """Refuse a model that is not there, or not for what is asked of it."""
        card = model_card(self.model)
        reason = card.lesions_only
        if reason and self.lesion is None and self.region is None and self.profile is None:
            raise WeightsError(f"{reason}: expected --lesion or --region, found neither")
        if self.risk and not has_risk(self.model):
            raise WeightsError(f"{self.model} has no error head: it cannot mark its errors")
        if self.assume is not None and not card.can_be_told:
            raise cannot_be_told(card)

    def _check_network_alone(self) -> None:
        """Refuse options that pages and animated zooms do not have."""
        for name, is_given in (("consistent", self.consistent is not None), ("risk", self.risk)):
            if is_given:
                raise ValueError(f"{self.output}: it shows the network alone: no --{name}")
        if isinstance(self.scale, tuple) and len(set(self.scale)) > 1:
            found = ",".join(f"{one:g}" for one in self.scale)
            raise ValueError(f"{self.output}: it has one scale for rows and columns, found {found}")

    def _check_options(self) -> None:
        """Refuse options that do not go with each other or with the output."""
        if self.blink and not self._ends_in(ANIMATIONS):
            raise ValueError(f"{self.output}: --blink is of {', '.join(ANIMATIONS)}")
        if self._ends_in(PAGES) or (self._ends_in(ANIMATIONS) and not self.blink):
            self._check_network_alone()
        if self.blink and self.risk:
            raise ValueError(f"{self.output}: expected --blink or --risk, found both")
        kinds = {"--width": self.width, "--profile": self.profile, "--mosaic": self.mosaic}
        given = [name for name, value in kinds.items() if value is not None]
        if self.dpi != PRINT_DPI and not given:
            given = ["--dpi"]
        if given and not self._ends_in(FIGURES):
            raise ValueError(f"{self.output}: {given[0]} is of figures, .png or .pdf")
        if len(given) > 1:
            raise ValueError(f"expected {given[0]} or {given[1]}, found both")
        if self.mosaic is not None and self.lesion is None:
            raise ValueError("--mosaic shows slices of a lesion: expected --lesion, found none")
        if self.profile is not None and self.lesion is not None:
            raise ValueError("expected --profile or --lesion, found both")
        if self.mosaic is not None and self.mosaic < 1:
            raise ValueError(f"expected --mosaic of at least 1 slice, found {self.mosaic}")
        least, most = DPI_RANGE
        if not least <= self.dpi <= most:
            raise ValueError(f"expected --dpi of {least} to {most}, found {self.dpi}")
        least, most = WIDTH_RANGE
        if self.width is not None and not least <= self.width <= most:
            raise ValueError(f"expected --width of {least} to {most} mm, found {self.width:g}")
