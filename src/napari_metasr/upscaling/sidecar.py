"""Read and write the sidecar of an output, which records how to make it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_pascal

from napari_metasr.errors import problems
from napari_metasr.files import replacing
from napari_metasr.io.acquisition import ACQUISITION
from napari_metasr.upscaling.options import UpscaleOptions

if TYPE_CHECKING:
    from pathlib import Path


class _Record(BaseModel):
    """A record whose fields are named as BIDS names them."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_pascal, populate_by_name=True
    )


class GeneratedBy(_Record):
    """A program (BIDS)."""

    name: str
    version: str


class ModelRecord(_Record):
    """A network that made the output.

    Attributes
    ----------
    name, title, sha256
        Name, title and hash of the weights.
    degradations, trained_scales, trained_contrasts
        Training conditions.
    """

    name: str
    title: str
    sha256: str
    degradations: tuple[str, ...]
    trained_scales: tuple[float, float]
    trained_contrasts: tuple[str, ...]


class DetectorRecord(_Record):
    """The detector that found the boxes in which networks worked."""

    name: str
    sha256: str


class LabelVolume(_Record):
    """The volume of a label in ml, on the grid of the input and on that of the output."""

    label: int
    before: float
    after: float


class LabelsRecord(_Record):
    """A segmentation of the input that was put on the grid of the output.

    Attributes
    ----------
    source, source_sha256
        Name of the segmentation without folders, if it may be named, and hash of its content.
    output_name, output_sha256
        Identity of the file beside the output.
    volumes
        Volumes of the labels.
    """

    source: str | None = None
    source_sha256: str
    output_name: str
    output_sha256: str
    volumes: tuple[LabelVolume, ...]


class Sidecar(_Record, extra="allow"):
    """The sidecar of an output, as of a BIDS derivative, with fields of the acquisition.

    Attributes
    ----------
    description, sources, resolution, generated_by
        As in BIDS; sources are names without folders, or BIDS URIs in datasets; those that may
        name a person are left out.
    learned, interpolated
        Parts that networks made, and parts that were interpolated.
    scale, spacing
        Output voxels for each input voxel, and mm between them, along the file's own axes.
    input_shape, output_shape
        Shapes along the file's own axes.
    intensity_range, value_range
        Intensities of the input that networks saw as 0 and 1, and to which the output was clipped.
    time_point_ranges
        The same two of each time point of a series; absent from records of versions that took
        those of all time points together.
    options, models, device
        How the output was made.
    versions
        Versions of the packages that computed it.
    acquisition
        What is known of how the input was acquired, one line each.
    concerns
        Reasons not to trust the result.
    input_sha256, output_name, output_sha256
        Identity of the files.
    skull_stripped
        Whether the image shows only the brain, as BIDS asks; in datasets.
    tissue_continued
        Whether networks were shown the tissue continued beyond masks, gaps and outliers, see
        ``napari_metasr.zoom.shown``; absent from records of versions that could not do so.
    detector
        The detector that found the boxes around lesions, if one did.
    labels
        Segmentations of the input that came along.
    consistent_with
        The acquisition with which slices in plane were made consistent, in words.
    told
        What the network of slices in plane was told of their acquisition, in words.
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
    time_point_ranges: tuple[tuple[tuple[float, float], tuple[float, float]], ...] | None = None
    options: UpscaleOptions
    models: tuple[ModelRecord, ...]
    device: str
    versions: dict[str, str]
    acquisition: tuple[str, ...] = ()
    concerns: tuple[str, ...] = ()
    input_sha256: str
    output_name: str
    output_sha256: str
    skull_stripped: bool | None = None
    tissue_continued: bool = False
    detector: DetectorRecord | None = None
    labels: tuple[LabelsRecord, ...] = ()
    consistent_with: str | None = None
    told: str | None = None

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        unknown = sorted((self.model_extra or {}).keys() - set(ACQUISITION))
        if unknown:
            raise ValueError(f"unknown fields {', '.join(unknown)}")
        return self


def write_sidecar(path: Path, record: Sidecar, *, overwrite: bool = False) -> None:
    """Write a sidecar as JSON.

    Raises
    ------
    OSError
        As `replacing`, or if it cannot be written.
    """
    text = record.model_dump_json(indent=2, by_alias=True, exclude_none=True)
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")


def read_sidecar(path: Path) -> Sidecar:
    """Read a sidecar that `napari-metasr upscale` wrote beside its output.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no such sidecar.
    """
    try:
        return Sidecar.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ValueError(
            f"{path}: expected a sidecar as `napari-metasr upscale` writes it, found "
            f"{problems(error, 'the file')}"
        ) from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: expected a JSON sidecar, found no text") from None
