"""Options of upscaling a volume: everything that decides what the output's voxels become."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field, PositiveFloat, field_validator, model_validator

from napari_metasr.trust.assumption import ACQUISITIONS
from napari_metasr.trust.told import Words
from napari_metasr.upscaling.consistency import stated_thickness
from napari_metasr.volume import Plane
from napari_metasr.weights import DEFAULT_MODEL, DEFAULT_THROUGH_PLANE_MODEL

if TYPE_CHECKING:
    from napari_metasr.io.protocols import VolumeGrid

Edges = tuple[float, float]
Boxes = tuple[tuple[Edges, Edges, Edges], ...]
Numbers = tuple[PositiveFloat] | tuple[PositiveFloat, PositiveFloat, PositiveFloat]


class UpscaleOptions(BaseModel, extra="forbid", frozen=True):
    """Everything that decides what the voxels become; each field carries its description."""

    scale: Numbers | None = Field(
        default=None,
        description="Output voxels for each input voxel, at least 1; the field of view stays the "
        "same. One number holds for all axes, three follow the file's own axes.",
    )
    spacing: Numbers | None = Field(
        default=None,
        description="In place of a scale: the exact spacing of the output in mm. The field of "
        "view stays centred and changes by less than one output voxel.",
    )
    plane: Plane = Field(
        default=Plane.AXIAL,
        description="Anatomical plane in which the slices were acquired; by default that of the "
        "thick slices, or of a single one, and axial otherwise.",
    )
    model: str = Field(
        default=DEFAULT_MODEL,
        description="Model for the slices of that plane: a name that `napari-metasr models` "
        "lists, or a .safetensors file with its card.",
    )
    through_plane_model: str = Field(
        default=DEFAULT_THROUGH_PLANE_MODEL,
        description="Model for what lies between the slices, likewise.",
    )
    thickness: PositiveFloat | None = Field(
        default=None,
        description="Thickness of the input's slices in mm, where they have gaps or overlap; by "
        "default what the header says, or else they touch.",
    )
    boxes: Boxes = Field(
        default=(),
        description="Where networks work: voxel edges (start, stop) of the input along canonical "
        "z, y, x; everywhere if there are none. In plane, the result inside a box equals that "
        "without boxes; between slices, the interpolation outside reaches as far in as the "
        "network's receptive field.",
    )
    dtype: Literal["source", "float32"] = Field(
        default="source",
        description="Number type of the output: the source's, rounded and clipped (float32 for "
        "scaled integers), or float32.",
    )

    consistent: str | None = Field(
        default=None,
        description="Make every slice of that plane consistent with the input: reduced again "
        "under this acquisition it is the input's slice.",
    )

    assume: str | None = Field(
        default=None,
        description="What a model that takes it is told of how the slices of that plane were "
        "acquired, and of their noise, such as k-space,2%. auto, the default, "
        "is what the scan clearly shows of both.",
    )

    @field_validator("assume")
    @classmethod
    def _known_words(cls, text: str | None) -> str | None:
        return text if text is None else str(Words.parse(text))

    @field_validator("consistent")
    @classmethod
    def _known_acquisition(cls, name: str | None) -> str | None:
        if name is not None and name not in ACQUISITIONS:
            raise ValueError(
                f"expected an acquisition among {', '.join(ACQUISITIONS)}, found {name!r}"
            )
        return name

    @model_validator(mode="after")
    def _one_target(self) -> UpscaleOptions:
        if (self.scale is None) == (self.spacing is None):
            found = "neither" if self.scale is None else "both"
            raise ValueError(f"expected a scale or a spacing, found {found}")
        return self

    def of_volume(self, volume: VolumeGrid) -> UpscaleOptions:
        """Complete the options for a volume: the plane, and how thick slices of that plane are.

        What was chosen stays. A thickness that the header states is of slices in the plane in
        which they were acquired.
        """
        acquired = Plane.acquired(volume.shape[1:], volume.spacing)
        plane = self.plane if "plane" in self.model_fields_set else acquired
        thickness = self.thickness
        if thickness is None and plane is acquired:
            spacing = volume.spacing[plane.normal_axis]
            thickness = stated_thickness(volume.source.told, spacing)
        return self.model_copy(update={"plane": plane, "thickness": thickness})

    @property
    def recorded(self) -> UpscaleOptions:
        """The same options as they are recorded: weights named without folders."""
        names = {key: Path(getattr(self, key)).name for key in ("model", "through_plane_model")}
        return self.model_copy(update=names)
