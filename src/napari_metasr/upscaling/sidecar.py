"""What is written beside a volume: how it came about, enough to make it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_pascal

from napari_metasr.errors import problems
from napari_metasr.files import replacing
from napari_metasr.io.nifti import stem
from napari_metasr.upscaling.options import UpscaleOptions

if TYPE_CHECKING:
    from pathlib import Path


class _Record(BaseModel):
    """Named as BIDS names things."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_pascal, populate_by_name=True
    )


class GeneratedBy(_Record):
    """A program (BIDS)."""

    name: str
    version: str


class ModelRecord(_Record):
    """A network that was used.

    Attributes
    ----------
    name, title, sha256
        Of the weights.
    degradations, trained_scales, trained_contrasts
        What it was trained on.
    """

    name: str
    title: str
    sha256: str
    degradations: tuple[str, ...]
    trained_scales: tuple[float, float]
    trained_contrasts: tuple[str, ...]


class DetectorRecord(_Record):
    """What has found the boxes that networks worked in."""

    name: str
    sha256: str


class Sidecar(_Record):
    """The whole file, a BIDS derivative's.

    Attributes
    ----------
    description, sources, resolution, generated_by
        As BIDS has them; sources are names without folders, and none of what may name a person.
    learned, interpolated
        What networks made, and what was interpolated.
    scale, spacing
        Output voxels for each input voxel, and mm between them, along the file's own axes.
    input_shape, output_shape
        Along the file's own axes.
    intensity_range, value_range
        Of the input: what the networks saw as 0 and 1, and what the output was clipped to.
    options, models, device
        How it was made.
    versions
        Of what computed it.
    concerns
        What speaks against trusting the result.
    input_sha256, output_name, output_sha256
        Of the files.
    skull_stripped
        Whether nothing but the brain is in the image, as BIDS wants to know; in datasets.
    detector
        What has found the boxes of the options, if that was no person.
    """

    description: str
    sources: tuple[str, ...]
    resolution: str
    generated_by: tuple[GeneratedBy, ...]
    learned: tuple[str, ...]
    interpolated: tuple[str, ...]
    scale: tuple[float, float, float]
    spacing: tuple[float, float, float]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    intensity_range: tuple[float, float]
    value_range: tuple[float, float]
    options: UpscaleOptions
    models: tuple[ModelRecord, ...]
    device: str
    versions: dict[str, str]
    concerns: tuple[str, ...] = ()
    input_sha256: str
    output_name: str
    output_sha256: str
    skull_stripped: bool | None = None
    detector: DetectorRecord | None = None


def sidecar_path(output: Path) -> Path:
    """Where the sidecar of a ``.nii`` or ``.nii.gz`` file lies, in capitals or not."""
    return output.with_name(f"{stem(output)}.json")


def write_sidecar(path: Path, record: Sidecar, *, overwrite: bool = False) -> None:
    """Write it as JSON.

    Raises
    ------
    OSError
        As `replacing`, or if it cannot be written.
    """
    text = record.model_dump_json(indent=2, by_alias=True, exclude_none=True)
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")


def read_sidecar(path: Path) -> Sidecar:
    """Read what `napari-metasr upscale` has written beside its output.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is something else.
    """
    try:
        return Sidecar.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise ValueError(
            f"{path}: expected a sidecar as `napari-metasr upscale` writes it, found "
            f"{problems(error, 'the file')}"
        ) from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: expected a JSON sidecar, found no text") from None
