"""Where measurements go: the run's log, and TensorBoard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.utils.tensorboard import SummaryWriter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from metasr_training.run_folder import RunFolder


class Telemetry:
    """Writes lines to ``metrics.jsonl``, and curves and images for TensorBoard.

    Parameters
    ----------
    folder
        The run's.
    update
        The update that the run goes on from; what was written beyond it is dropped.
    writes
        Whether this process is the one that writes.
    """

    def __init__(self, folder: RunFolder, *, update: int = 0, writes: bool = True) -> None:
        self.folder = folder
        self.writes = writes
        if writes:
            folder.cut_log(update)
            board = folder.path / "tensorboard"
            self.board = SummaryWriter(str(board), purge_step=update + 1 if update else None)

    def log(self, update: int, **values: Any) -> None:
        """Write one line; its numbers are curves too."""
        if not self.writes:
            return
        self.folder.log(update=update, **values)
        for name, value in values.items():
            if isinstance(value, (int, float)):
                self.board.add_scalar(name, value, update)

    def show(self, update: int, images: Mapping[str, NDArray[Any]]) -> None:
        """Write images, (rows, columns) in 0..1."""
        if self.writes:
            for name, image in images.items():
                self.board.add_image(name, image, update, dataformats="HW")

    def close(self) -> None:
        """Write what is left."""
        if self.writes:
            self.board.close()
