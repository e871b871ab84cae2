"""Load the networks that a plan needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_metasr.zoom.loading import load_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.zoom.engine import ZoomModel


@dataclass(frozen=True)
class Models:
    """The networks for slices and for what lies between them; each only where it is needed."""

    in_plane: ZoomModel | None
    through_plane: ZoomModel | None

    @classmethod
    def of(cls, plan: Plan) -> Models:
        """Load the networks of a plan.

        Raises
        ------
        ValueError
            If weights are missing or damaged.
        """
        options = plan.options

        def load(model: str) -> ZoomModel:
            return load_model(model, device=plan.device, continued=plan.tissue_continued)

        in_plane = through_plane = None
        if plan.in_plane is not None:
            in_plane = load(options.model)
        if plan.through_plane is not None:
            through_plane = load(options.through_plane_model)
        return cls(in_plane, through_plane)

    def told(self, code: NDArray[np.float32]) -> Models:
        """Return the same networks, that of slices told how they were acquired.

        Raises
        ------
        WeightsError
            If it cannot be told.
        """
        return replace(self, in_plane=None if self.in_plane is None else self.in_plane.told(code))
