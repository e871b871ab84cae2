"""What is asked for when a volume is enlarged."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, PositiveFloat, model_validator

from napari_metasr.volume import Plane

Edges = tuple[float, float]
Numbers = tuple[PositiveFloat] | tuple[PositiveFloat, PositiveFloat, PositiveFloat]


class UpscaleOptions(BaseModel, extra="forbid", frozen=True):
    """Everything that decides what the voxels become.

    Attributes
    ----------
    scale
        Output voxels for each input voxel along the file's own axes, at least 1; one number
        means all three. The field of view stays exactly.
    spacing
        In place of a scale: mm between output voxels, exactly, along the file's own axes.
    plane
        In whose slices ``model`` works.
    model, through_plane_model
        For the plane's slices, and for the two orthogonal planes.
    thickness
        Of the input's slices, in mm; by default that of slices that touch.
    boxes
        Where networks work: voxel edges (start, stop) of the input along canonical z, y, x.
        Everywhere if there are none. In plane the result inside is that of no boxes; where slices
        are filled in, what is interpolated outside reaches as far in as the network looks.
    dtype
        Of the output: the source's, where its numbers are not scaled, or float32.
    """

    scale: Numbers | None = None
    spacing: Numbers | None = None
    plane: Plane = Plane.AXIAL
    model: str = "meta-srgan"
    through_plane_model: str = "meta-srgan-through-plane"
    thickness: PositiveFloat | None = None
    boxes: tuple[tuple[Edges, Edges, Edges], ...] = ()
    dtype: Literal["source", "float32"] = Field("source")

    @model_validator(mode="after")
    def _one_target(self) -> UpscaleOptions:
        if (self.scale is None) == (self.spacing is None):
            found = "neither" if self.scale is None else "both"
            raise ValueError(f"expected a scale or a spacing, found {found}")
        return self

    @property
    def recorded(self) -> UpscaleOptions:
        """The same, weights named without folders."""
        names = {key: Path(getattr(self, key)).name for key in ("model", "through_plane_model")}
        return self.model_copy(update=names)
