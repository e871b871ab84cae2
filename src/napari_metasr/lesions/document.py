"""Regions as JSON: what is in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import BaseModel, Field, FiniteFloat, PositiveFloat, model_validator

from napari_metasr import __version__
from napari_metasr.geometry.affines import box_corners, edges_of_world, world_of_edges
from napari_metasr.geometry.windows import Window
from napari_metasr.lesions.detection import Detection
from napari_metasr.lesions.lesion import Lesion
from napari_metasr.volume import Plane, Unit
from napari_metasr.weights import OperatingPoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.lesions.detector import Detector
    from napari_metasr.volume import Volume

Point = tuple[float, float, float]
Edges = tuple[float, float]
Row = tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]
Score = Annotated[float, Field(ge=0, le=1)]

PURPOSE = (
    "Rectangles that may hold a tumour. For research use, not for diagnosis: scores say how sure "
    "the detector is, not how likely a tumour is."
)
COORDINATES = (
    "Slices, rows (y) and columns (x) count from 0 in the canonical array (x to the right, y to "
    "anterior, z to superior), pixel k spans k to k + 1, as in regions of `napari-metasr zoom`. "
    "'stored' are edges along the axes of the file as it is stored. 'mm' are world positions "
    "(RAS+) by the file's affine: of a region's four corners in the middle of its slice, of a "
    "lesion's eight. A region with score 0 was filled in between others: nothing was found there. "
    "What a person drew or changed has no score (null), and does not count in its lesion's."
)


class Finder(BaseModel, extra="forbid", frozen=True):
    """What the regions are from.

    Attributes
    ----------
    kind
        A detector, a segmentation, or a person.
    name, title
        Of the model, or of the segmentation.
    sha256, point
        Of a detector: its weights, and how its answers were read.
    """

    kind: Literal["detector", "segmentation", "person"]
    name: str
    title: str = ""
    sha256: str = ""
    point: OperatingPoint | None = None

    @classmethod
    def of(cls, detector: Detector) -> Finder:
        """Name a detector as records do."""
        return cls(
            kind="detector",
            name=detector.name,
            title=detector.title,
            sha256=detector.sha256,
            point=detector.point,
        )


class RegionRecord(BaseModel, extra="forbid", frozen=True):
    """A rectangle of a slice; without a score where a person drew or changed it."""

    plane: Plane
    slice: int = Field(ge=0)
    by_hand: bool = False
    score: Score | None
    y: float
    x: float
    height: PositiveFloat
    width: PositiveFloat
    height_mm: PositiveFloat
    width_mm: PositiveFloat
    stored: tuple[Edges, Edges, Edges]
    corners_mm: tuple[Point, Point, Point, Point]

    @model_validator(mode="after")
    def _check_score(self) -> Self:
        if self.by_hand != (self.score is None):
            raise ValueError(
                f"expected {'no score' if self.by_hand else 'a score'} of a region that is "
                f"{'' if self.by_hand else 'not '}by hand, found {self.score}"
            )
        return self

    @property
    def detection(self) -> Detection:
        """The rectangle itself."""
        region = Window.at(self.y, self.x, self.height, self.width)
        return Detection(region, 1.0 if self.score is None else self.score, self.by_hand)


class LesionRecord(BaseModel, extra="forbid", frozen=True):
    """A lesion: its place and size, and its rectangles; without a score if all are by hand."""

    number: int = Field(ge=1)
    score: Score | None
    middle: int = Field(ge=0)
    size_mm: Point
    volume_mm3: PositiveFloat
    corners_mm: tuple[Point, ...]
    regions: tuple[RegionRecord, ...] = Field(min_length=1)

    @property
    def lesion(self) -> Lesion:
        """The lesion itself.

        Raises
        ------
        ValueError
            If its slices are no neighbours, of several planes, or one has several regions.
        """
        planes = {one.plane for one in self.regions}
        if len(planes) > 1:
            raise ValueError(f"expected regions of one plane, found {', '.join(sorted(planes))}")
        detections: dict[int, Detection] = {}
        for one in self.regions:
            if one.slice in detections:
                raise ValueError(f"expected one region a slice, found several in {one.slice}")
            detections[one.slice] = one.detection
        return Lesion(planes.pop(), detections)


class RegionsDocument(BaseModel, extra="forbid", frozen=True):
    """The whole file.

    Attributes
    ----------
    source, shape, affine
        Name of the volume, its canonical (z, y, x) shape, and its canonical affine.
    unit
        What is meant wherever a name says mm: pixels where their size is not known.
    scale_input
        By how much the input was reduced in plane before; pixels are the input's own.
    concerns
        What speaks against trusting the detector here.
    """

    purpose: str = PURPOSE
    coordinates: str = COORDINATES
    software: str = f"napari-metasr {__version__}"
    source: str
    shape: tuple[int, ...]
    affine: tuple[Row, Row, Row, Row]
    unit: Unit = "mm"
    time: int = Field(0, ge=0)
    scale_input: float = Field(1.0, ge=1)
    found_by: Finder
    concerns: tuple[str, ...] = ()
    lesions: tuple[LesionRecord, ...]


def record(number: int, lesion: Lesion, volume: Volume) -> LesionRecord:
    """Describe a lesion of a volume.

    Parameters
    ----------
    number
        1 is the best.
    """
    spacing = (1.0, *volume.spacing)[-3:]
    return LesionRecord(
        number=number,
        score=None if lesion.by_hand else _rounded(lesion.score),
        middle=lesion.middle,
        size_mm=tuple(map(_rounded, lesion.extent(spacing)[::-1])),
        volume_mm3=_rounded(lesion.volume(spacing)),
        corners_mm=_points(world_of_edges(volume.affine, box_corners(lesion.box[::-1]))),
        regions=tuple(
            _region(k, one, lesion.plane, volume) for k, one in lesion.detections.items()
        ),
    )


def _region(index: int, detection: Detection, plane: Plane, volume: Volume) -> RegionRecord:
    region = detection.region
    row_step, column_step = volume.plane_spacing(plane)
    slab = Lesion(plane, {index: detection}).box[::-1]
    stored = edges_of_world(volume.source.affine, world_of_edges(volume.affine, box_corners(slab)))
    top, left, bottom, right = region
    normal = sum(slab[2 - plane.normal_axis]) / 2
    corners = np.empty((4, 3))
    corners[:, 2 - plane.normal_axis] = normal
    corners[:, 2 - plane.row_axis] = (top, top, bottom, bottom)
    corners[:, 2 - plane.column_axis] = (left, right, right, left)
    return RegionRecord(
        plane=plane,
        slice=index,
        by_hand=detection.by_hand,
        score=None if detection.by_hand else _rounded(detection.score),
        y=region.top,
        x=region.left,
        height=region.height,
        width=region.width,
        height_mm=_rounded(region.height * row_step),
        width_mm=_rounded(region.width * column_step),
        stored=tuple(
            (_rounded(low), _rounded(high))
            for low, high in zip(stored.min(axis=0), stored.max(axis=0), strict=True)
        ),
        corners_mm=_points(world_of_edges(volume.affine, corners)),
    )


def _points(positions: NDArray[np.float64]) -> tuple[Point, ...]:
    return tuple((_rounded(x), _rounded(y), _rounded(z)) for x, y, z in positions)


def _rounded(number: float) -> float:
    """Round to six digits, however small: a file for people too."""
    return float(f"{number:.6g}")
