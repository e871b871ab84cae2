"""No comparison: the super-resolved region lies in its place over the source."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from napari_metasr.widgets.zoom.comparison.base import Mode, set_visible
from napari_metasr.widgets.zoom.settings import Compare

if TYPE_CHECKING:
    from napari_metasr.widgets.zoom.comparison.base import Stage


class Single(Mode):
    """Shows the source layer's super-resolved result alone."""

    compare: ClassVar[Compare] = Compare.SINGLE

    def update(self, stage: Stage) -> None:
        """Show the super-resolved layer and hide bicubic and the other contrasts."""
        self.single_box(stage)
        for number, pair in enumerate(stage.pairs):
            set_visible(pair.bicubic, False)
            set_visible(pair.enhanced, number == 0)
            pair.enhanced.name_overlay.visible = True
