"""What every verb takes that enlarges volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from pydantic import Field

from napari_metasr.cli.parsing import Command, NumbersArgument
from napari_metasr.lesions import DEFAULT_DETECTOR

if TYPE_CHECKING:
    from pathlib import Path

    from napari_metasr.upscaling.job import Job


class Enlarging(Command):
    """How volumes are enlarged."""

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
        default=DEFAULT_DETECTOR, description="What looks for lesions, of `napari-metasr models`."
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
    force: bool = Field(default=False, description="Whatever the size of the output.")

    def job(self, input: Path, output: Path, **more: Any) -> Job:  # noqa: A002
        """One volume's, with these options and what else ``Job`` takes.

        Raises
        ------
        ValueError
            If the options do not go together.
        """
        from napari_metasr.upscaling.job import Job

        shared = Enlarging.model_fields.keys() - Command.model_fields.keys()
        return Job(input=input, output=output, **self.model_dump(include=shared), **more)
