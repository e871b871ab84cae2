"""Options of every verb that upscales volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from napari_metasr.cli.parsing import (
    ASSUMED,
    AcquisitionArgument,
    Command,
    Flag,
    ModelArgument,
    NumberArgument,
    NumbersArgument,
    PlaneArgument,
    TellingArgument,
    described,
    optional,
)
from napari_metasr.devices import Device
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.options import UpscaleOptions

if TYPE_CHECKING:
    from pathlib import Path


class UpscalingCommand(Command):
    """Options of upscaling, with the defaults and descriptions of the models they fill."""

    scale: NumbersArgument = described(UpscaleOptions, "scale")
    spacing: NumbersArgument = described(UpscaleOptions, "spacing")
    plane: PlaneArgument = Field(
        default=None, description=UpscaleOptions.model_fields["plane"].description
    )
    model: ModelArgument = described(UpscaleOptions, "model")
    through_plane_model: ModelArgument = described(UpscaleOptions, "through_plane_model")
    thickness: NumberArgument = described(UpscaleOptions, "thickness")
    consistent: AcquisitionArgument = Field(
        default=None,
        description=f"{UpscaleOptions.model_fields['consistent'].description} {ASSUMED}",
    )
    assume: TellingArgument = described(UpscaleOptions, "assume")
    within: Annotated[str | None, optional("lesion|MASK.NII.GZ")] = described(Job, "within")
    detector: ModelArgument = described(Job, "detector")
    dtype: Literal["source", "float32"] = described(UpscaleOptions, "dtype")
    device: Device = described(Job, "device")
    overwrite: Flag = described(Job, "overwrite")
    force: Flag = described(Job, "force")

    @property
    def options(self) -> UpscaleOptions:
        """The options of the output.

        Raises
        ------
        ValueError
            If they do not go together.
        """
        if (self.scale is None) == (self.spacing is None):
            found = "neither" if self.scale is None else "both"
            raise ValueError(f"expected --scale or --spacing, found {found}")
        given = self.model_dump(include=set(UpscaleOptions.model_fields), exclude_none=True)
        return UpscaleOptions(**given)

    def job(
        self,
        input: Path,  # noqa: A002
        output: Path,
        *,
        series: str | None = None,
        resume: bool = False,
    ) -> Job:
        """Describe the upscaling of one volume with these options.

        Raises
        ------
        ValueError
            If the options do not go together.
        """
        return Job(
            input=input,
            output=output,
            options=self.options,
            series=series,
            within=self.within,
            detector=self.detector,
            device=self.device,
            overwrite=self.overwrite,
            resume=resume,
            force=self.force,
        )
