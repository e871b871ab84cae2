"""What would become of a layer, before anything is read or written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.cohort.bids import derivative_name, plain_name, resolution_label
from napari_metasr.io.names import labels_name
from napari_metasr.io.orientation import canonical_axes
from napari_metasr.lesions import DEFAULT_DETECTOR
from napari_metasr.upscaling.costs import Costs, usual_speed
from napari_metasr.upscaling.errors import TooLargeError
from napari_metasr.upscaling.lesion_search import LesionSearch
from napari_metasr.upscaling.options import UpscaleOptions
from napari_metasr.upscaling.plan import Plan
from napari_metasr.upscaling.progress import Phase
from napari_metasr.upscaling.target import check_size
from napari_metasr.volume import THICK, Plane
from napari_metasr.weights import model_card
from napari_metasr.widgets.panels.dialogs import safe_name
from napari_metasr.widgets.upscaling.settings import FOUND, WHOLE
from napari_metasr.widgets.upscaling.target import Target, TargetKind
from napari_metasr.widgets.viewer.telling import words_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.upscaling.occupied import Occupied
    from napari_metasr.volume import Source, Volume
    from napari_metasr.widgets.upscaling.settings import UpscaleSettings


@dataclass(frozen=True)
class LayerGrid:
    """The grid of a volume in memory (see ``VolumeGrid``).

    Attributes
    ----------
    shape
        (t, z, y, x); t is 1 without a time axis.
    spacing
        In mm, along z, y, x.
    axes
        The canonical axis of each of the file's own.
    dtype
        Number type as the layer is written.
    source
        Where the volume comes from.
    """

    shape: tuple[int, int, int, int]
    spacing: tuple[float, float, float]
    axes: tuple[int, ...]
    dtype: np.dtype[Any]
    source: Source

    @property
    def time_points(self) -> int:
        """Number of volumes."""
        return self.shape[0]

    @classmethod
    def of(cls, volume: Volume) -> LayerGrid:
        """Return the grid of a volume of three or four axes."""
        (depth, height, width), (z, y, x) = volume.spatial_shape, volume.spacing
        own = volume.data.dtype
        return cls(
            shape=(volume.time_points, depth, height, width),
            spacing=(z, y, x),
            axes=canonical_axes(volume.source.affine),
            dtype=np.dtype(np.float32) if own.kind == "f" else np.dtype(own),
            source=volume.source,
        )


@dataclass(frozen=True)
class Outlook:
    """What is going to be done.

    Attributes
    ----------
    plan
        Plan of the whole volume.
    is_large
        Whether the output is so large that it may be a slip.
    occupied
        Where the volume holds more than background, if that is known; otherwise it counts as full.
    is_searched
        Whether lesions are looked for.
    """

    plan: Plan
    is_large: bool
    occupied: Occupied | None = None
    is_searched: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes of the output before it is compressed."""
        voxels = int(np.prod(self.plan.target.shape, dtype=object))
        return voxels * self.plan.volume.time_points * self.plan.dtype.itemsize

    @cached_property
    def cost(self) -> float:
        """Cost of all of it; see `Costs`."""
        costs = Costs.of(self.plan, self.occupied)
        return costs.total - (0.0 if self.is_searched else costs.phases[Phase.SEARCHING])

    def seconds(self, per_cost: float | None) -> float | None:
        """Estimate how long it will take.

        Parameters
        ----------
        per_cost
            Seconds for each unit of cost that an earlier volume took on the same device; without
            it a rough guess is made for the CPU, and none for other devices.
        """
        if per_cost is None and self.plan.device == "cpu":
            per_cost = usual_speed()
        return None if per_cost is None else self.cost * per_cost


def outlook(volume: Volume, settings: UpscaleSettings, occupied: Occupied | None = None) -> Outlook:
    """Return what is going to be done with these settings.

    Lesions that a layer holds are not looked at yet: they count as much as those that are looked
    for.

    Parameters
    ----------
    volume, settings
        A layer's volume, and what the dock says.
    occupied
        Where the volume holds more than background, if that is known.

    Raises
    ------
    ValueError
        If they do not fit the volume; with the reason.
    """
    search = None
    if settings.within != WHOLE:
        search = LesionSearch(DEFAULT_DETECTOR, settings.device, settings.plane, sha256="")
    plan = Plan.of(LayerGrid.of(volume), options(volume, settings), settings.device, search)
    try:
        check_size(plan.target, volume.time_points, plan.dtype.itemsize)
    except TooLargeError:
        is_large = True
    else:
        is_large = False
    return Outlook(plan, is_large, occupied, is_searched=settings.within == FOUND)


def options(volume: Volume, settings: UpscaleSettings) -> UpscaleOptions:
    """Return the settings as options, numbers along the axes of the volume's file."""
    target = settings.target
    numbers = target.along(canonical_axes(volume.source.affine))
    return UpscaleOptions.model_validate(
        {
            target.kind.value: numbers,
            "plane": settings.plane,
            "model": settings.model,
            "through_plane_model": settings.through_plane_model,
            "assume": words_for(model_card(settings.model), settings.assumed) or None,
            "thickness": settings.thickness,
            "dtype": settings.dtype.value,
        }
    )


def likely(spacing: tuple[float, ...]) -> tuple[Plane, Target]:
    """Return the plane in which a volume was most likely acquired, and its likely target.

    Thick slices are to become cubes; of cubes there are to be twice as many along all axes.

    Parameters
    ----------
    spacing
        mm along z, y, x.
    """
    z, y, x = spacing
    if max(spacing) < THICK * min(spacing):
        return Plane.AXIAL, Target(TargetKind.SCALE, (2.0, 2.0, 2.0), same=True)
    return list(Plane)[spacing.index(max(spacing))], Target.isotropic((z, y, x))


def output_name(volume: Volume, settings: UpscaleSettings) -> str:
    """Return what the output is called by default: as BIDS has it where the input is."""
    name = file_name(volume)
    label = resolution_label(options(volume, settings))
    try:
        return derivative_name(name, label)
    except ValueError:
        return plain_name(name, label)


def file_name(volume: Volume, suffix: str = "") -> str:
    """Return a volume's name as a file may be called."""
    return safe_name(volume.source.name, "volume") + suffix


def files_of_labels(names: Sequence[str], output: Path) -> list[str]:
    """Name a file for each of several segmentations, on its way to the work.

    The files differ, and so do those that are made of them beside the output. Layers' names may
    differ only in what no file can be called, in capitals, which some systems do not tell apart,
    or in what they begin with, as the output does; a number is added then.

    Parameters
    ----------
    names
        Names of the layers.
    output
        The upscaled volume.
    """
    files: list[str] = []
    taken: set[str] = set()
    for name in names:
        own = safe_name(name, "labels")
        for ending in chain([""], map("_{}".format, count(2))):
            file = f"{own}{ending}.nii"
            alike = {file.casefold(), labels_name(output, Path(file)).casefold()}
            if taken.isdisjoint(alike):
                break
        files.append(file)
        taken |= alike
    return files
