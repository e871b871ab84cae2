"""Choose the lesion of a volume that is to be super-resolved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

from pydantic import BaseModel, Field

from napari_metasr.cli.parsing import IndexArgument, ModelArgument, optional
from napari_metasr.lesions import DEFAULT_DETECTOR

if TYPE_CHECKING:
    from napari_metasr.geometry.windows import Window
    from napari_metasr.lesions import Lesion
    from napari_metasr.volume import Plane, Volume


ALL = "all"
RoisArgument = Annotated[Path | None, optional("ROIS.JSON")]
MaskArgument = Annotated[Path | None, optional("SEG.NII.GZ")]


class LesionSource(BaseModel):
    """Where lesions come from: options of the verbs that take one."""

    rois: RoisArgument = Field(
        default=None, description="Take lesions from a file that `napari-metasr detect` wrote."
    )
    mask: MaskArgument = Field(
        default=None, description="Take lesions from a segmentation on the input's grid."
    )
    detector: ModelArgument = Field(
        default=DEFAULT_DETECTOR,
        description="Lesion detector to use otherwise; `napari-metasr models` lists them.",
    )
    time: IndexArgument = Field(default=0, description="Time point of a 4-D volume, from 0.")


class LesionOptions(Protocol):
    """What is asked of a command's options."""

    @property
    def lesion(self) -> int | str | None: ...  # noqa: D102

    @property
    def region(self) -> object | None: ...  # noqa: D102

    @property
    def rois(self) -> Path | None: ...  # noqa: D102

    @property
    def mask(self) -> Path | None: ...  # noqa: D102

    @property
    def detector(self) -> str: ...  # noqa: D102

    @property
    def device(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Place:
    """A lesion's part in a slice.

    Attributes
    ----------
    number, lesion
        The lesion, 1 being the best.
    index, region
        The slice, and the lesion's rectangle in it.
    told
        What the user is told of the choice.
    """

    number: int
    lesion: Lesion
    index: int
    region: Window
    told: str


@dataclass(frozen=True)
class LesionChoice:
    """A lesion by its number, or all of them, and the source of lesions.

    Attributes
    ----------
    number
        1 is the best; or ``ALL``.
    rois, segmentation
        Files to take lesions from; without either, a detector finds them.
    detector, device
        The detector, and where it runs.
    """

    number: int | str
    rois: Path | None
    segmentation: Path | None
    detector: str
    device: str

    @classmethod
    def asked(cls, options: LesionOptions) -> LesionChoice | None:
        """Return the lesion that options ask for; None if they ask for none.

        Raises
        ------
        ValueError
            If the options do not go together.
        """
        number, rois, segmentation = options.lesion, options.rois, options.mask
        if number is None:
            if rois is not None or segmentation is not None:
                raise ValueError("--rois and --mask hold lesions: expected --lesion, found none")
            return None
        if options.region is not None:
            raise ValueError("expected --lesion or --region, found both")
        if rois is not None and segmentation is not None:
            raise ValueError("expected --rois or --mask, found both")
        return cls(number, rois, segmentation, options.detector, options.device)

    def find(self, volume: Volume, plane: Plane, index: int | None, time: int) -> list[Place]:
        """Return the slice to look at of every lesion that is chosen, and its rectangle there.

        Parameters
        ----------
        index
            A slice of the lesion; by default its middle one.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such lesion or slice of it, or the source has none.
        """
        lesions, origin = self._lesions(volume, plane, time)
        asked = "lesions" if self.number == ALL else f"lesion {self.number}"
        if not lesions:
            raise ValueError(
                f"{volume.source.name}: expected {asked}, found none by {origin}; "
                "nothing was written"
            )
        if self.number != ALL and not 1 <= int(self.number) <= len(lesions):
            raise ValueError(
                f"expected a lesion from 1 (the best) to {len(lesions)}, found {self.number}"
            )
        numbers = range(1, len(lesions) + 1) if self.number == ALL else [int(self.number)]
        return [_place(number, lesions, origin, volume, plane, index) for number in numbers]

    def _lesions(self, volume: Volume, plane: Plane, time: int) -> tuple[tuple[Lesion, ...], str]:
        """Return lesions, best first, and the name of their source."""
        from napari_metasr.lesions.files import read_rois, read_segmentation

        if self.rois is not None:
            return read_rois(self.rois, volume, time=time), self.rois.name
        if self.segmentation is not None:
            return read_segmentation(self.segmentation, volume, plane), self.segmentation.name

        from napari_metasr.cli.lesion_search import search
        from napari_metasr.lesions.detector import load_detector

        detector = load_detector(self.detector, device=self.device)
        return search(volume, plane, detector, time=time)[0], detector.title


def _place(
    number: int,
    lesions: tuple[Lesion, ...],
    origin: str,
    volume: Volume,
    plane: Plane,
    index: int | None,
) -> Place:
    lesion = lesions[number - 1]
    if lesion.plane is not plane:
        raise ValueError(
            f"expected lesions of {plane} slices, found {lesion.plane} ones: "
            f"--plane {lesion.plane} looks at those"
        )
    index = lesion.middle if index is None else index
    if index not in lesion.detections:
        raise ValueError(
            f"expected a slice of lesion {number}, {min(lesion.detections)} to "
            f"{max(lesion.detections)}, found {index}"
        )
    detection = lesion.detections[index]
    told = f"lesion {number} of {len(lesions)} by {origin}, score {lesion.score:.2f}"
    if detection.score != lesion.score:
        told += f" ({detection.score:.2f} in slice {index})"
    return Place(number, lesion, index, detection.region.clipped(_shape(volume, plane)), told)


def _shape(volume: Volume, plane: Plane) -> tuple[int, int]:
    rows, columns = volume.slice(plane).shape
    return rows, columns
