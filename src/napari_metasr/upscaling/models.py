"""Load the networks that a plan needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.zoom.engine import load_model

if TYPE_CHECKING:
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
        options, device = plan.options, plan.device
        in_plane = through_plane = None
        if plan.in_plane is not None:
            in_plane = load_model(options.model, device=device)
        if plan.through_plane is not None:
            through_plane = load_model(options.through_plane_model, device=device)
        return cls(in_plane, through_plane)
