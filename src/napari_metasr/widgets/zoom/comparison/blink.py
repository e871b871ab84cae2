"""Bicubic and super-resolved in turn, in the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from qtpy.QtCore import QTimer

from napari_metasr.widgets.zoom.comparison.base import Mode, set_visible
from napari_metasr.widgets.zoom.settings import Compare

if TYPE_CHECKING:
    from napari_metasr.widgets.zoom.comparison.base import Stage

INTERVAL_MS = 700


class Blink(Mode):
    """Changes between the two results by a timer."""

    compare: ClassVar[Compare] = Compare.BLINK

    def __init__(self) -> None:
        super().__init__()
        self._enhanced_shown = True
        self._stage: Stage | None = None
        self._timer = QTimer()
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.blink)

    def enter(self, stage: Stage) -> None:
        """Start blinking."""
        super().enter(stage)
        self._timer.start()

    def update(self, stage: Stage) -> None:
        """Show whose turn it is."""
        self._stage = stage
        self.single_box(stage)
        for number, pair in enumerate(stage.pairs):
            set_visible(pair.bicubic, number == 0 and not self._enhanced_shown)
            set_visible(pair.enhanced, number == 0 and self._enhanced_shown)
            for layer in pair.layers:
                layer.name_overlay.visible = True

    def blink(self) -> None:
        """Show the other one."""
        self._enhanced_shown = not self._enhanced_shown
        if self._stage is not None:
            self.update(self._stage)

    def leave(self) -> None:
        """Stop, and put the view back."""
        self._timer.stop()
        self._stage = None
        super().leave()
