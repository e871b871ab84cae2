"""``napari-metasr upscale``: a whole volume from file to file."""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import tyro
from pydantic import Field
from tqdm import tqdm

from napari_metasr.cli.parsing import Command, NumbersArgument
from napari_metasr.cohort.options import UpscaleOptions
from napari_metasr.cohort.plan import Plan
from napari_metasr.cohort.sidecar import file_sha256
from napari_metasr.cohort.target import check_size
from napari_metasr.files import check_writable
from napari_metasr.io import read
from napari_metasr.io.stored import StoredVolume
from napari_metasr.volume import Plane, Volume

if TYPE_CHECKING:
    from napari_metasr.cohort.upscale import Upscaling
    from napari_metasr.lesions.lesion import Box, Lesion

LESION = "lesion"


class Upscale(Command):
    """Magnify a whole volume, in plane and across slices, for research use.

    What was learned and what interpolated stands in the JSON file beside the output.
    """

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="INPUT")] = Field(
        description="A brain MRI: .nii or .nii.gz, 3-D or 4-D, any orientation."
    )
    output: Annotated[Path, tyro.conf.arg(metavar="OUT.NII.GZ")] = Field(
        description="What to write, .nii or .nii.gz; OUT.json beside it says how it was made."
    )
    scale: NumbersArgument = Field(
        default=None,
        description="Output voxels for each input voxel, at least 1; the field of view stays. "
        "Three numbers follow the file's own axes.",
    )
    spacing: NumbersArgument = Field(
        default=None,
        description="In place of a scale: mm between output voxels, exactly; the field of view "
        "stays centred and changes by less than an output voxel.",
    )
    plane: Literal["axial", "coronal", "sagittal"] = Field(
        default="axial", description="Anatomical plane of the slices as they were acquired."
    )
    model: str = Field(
        default="meta-srgan",
        description="For the plane's slices: a name of `napari-metasr models`, or a .safetensors "
        "file with its card.",
    )
    through_plane_model: str = Field(
        default="meta-srgan-through-plane", description="For what is between the slices."
    )
    thickness: float | None = Field(
        default=None,
        description="Of the input's slices, in mm, where there are gaps between them or they "
        "overlap; by default they touch.",
    )
    within: Annotated[str | None, tyro.conf.arg(metavar="lesion|MASK.NII.GZ")] = Field(
        default=None,
        description="Super-resolve the boxes round lesions alone, which a detector finds or a "
        "segmentation on the input's grid holds; interpolate around them.",
    )
    detector: str = Field(
        default="ld-plus", description="What looks for lesions, of `napari-metasr models`."
    )
    dtype: Literal["source", "float32"] = Field(
        default="source",
        description="Of the output: the source's, rounded and clipped (float32 for scaled "
        "integers), or float32.",
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = Field(
        default="auto", description="Where the networks run; auto takes the fastest there is."
    )
    overwrite: bool = Field(default=False, description="Replace an existing output.")
    resume: bool = Field(default=False, description="Go on with unfinished work, if there is any.")
    force: bool = Field(default=False, description="Whatever the size of the output.")

    def run(self) -> None:
        """Check, plan, enlarge, and say in one line what was done."""
        from napari_metasr.cohort.upscale import Upscaling

        check_writable(self.output, overwrite=self.overwrite)
        volume = StoredVolume.open(self.input)
        options = UpscaleOptions(
            scale=self.scale,
            spacing=self.spacing,
            plane=Plane(self.plane),
            model=self.model,
            through_plane_model=self.through_plane_model,
            thickness=self.thickness,
            boxes=() if self.within is None else self._boxes(volume, self.within),
            dtype=self.dtype,
        )
        plan = Plan.of(volume, options, self.device, file_sha256(self.input))
        check_size(plan.target, volume.time_points, plan.dtype.itemsize, force=self.force)
        work = Upscaling(plan, self.output, overwrite=self.overwrite, resume=self.resume)
        carry_out(work, plan)
        print(told(self.output, plan, work))

    def _boxes(self, volume: StoredVolume, within: str) -> tuple[Box, ...]:
        plane = Plane(self.plane)
        lesions: tuple[Lesion, ...]
        if within == LESION:
            from napari_metasr.cli.lesion_search import search
            from napari_metasr.lesions.detector import load_detector

            detector = load_detector(self.detector, device=self.device)
            lesions, _ = search(read(self.input), plane, detector)
        else:
            from napari_metasr.lesions.files import read_segmentation

            grid = Volume(
                data=np.broadcast_to(np.uint8(0), volume.shape[1:]),
                affine=volume.affine,
                spacing=volume.spacing,
                source=volume.source,
            )
            lesions = read_segmentation(Path(within), grid, plane)
        if not lesions:
            raise ValueError(f"{within}: expected lesions, found none; nothing was written")
        return tuple(lesion.box for lesion in lesions)


def carry_out(work: Upscaling, plan: Plan) -> None:
    """Do the work under a progress bar, warning of all that speaks against its result."""
    for concern in plan.concerns:
        warnings.warn(concern, stacklevel=2)
    layout = "{desc} |{bar}| {percentage:3.0f}% [{elapsed}<{remaining}]"
    with tqdm(total=1.0, bar_format=layout, file=sys.stderr) as bar:
        for progress in work.steps():
            if progress.stage != bar.desc.removesuffix(": "):
                bar.set_description(progress.stage, refresh=False)
                bar.reset()
            bar.update(progress.done - bar.n)


def told(output: Path, plan: Plan, work: Upscaling) -> str:
    """What was done, in one line."""
    axes = plan.volume.axes
    size = " x ".join(str(plan.target.shape[axis]) for axis in axes)
    spacing = " x ".join(f"{plan.target.spacing[axis]:.4g}" for axis in axes)
    times = f" x {plan.volume.time_points}" if plan.volume.time_points > 1 else ""
    networks = " and ".join(card.title for card in plan.cards)
    minutes = time.strftime("%M:%S", time.gmtime(sum(work.stage_seconds.values())))
    return (
        f"{output}: {size}{times} voxels of {spacing} mm, super-resolved by {networks} on "
        f"{plan.device} in {minutes} min, for research use, not for diagnosis"
    )
