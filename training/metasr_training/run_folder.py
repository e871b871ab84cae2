"""The files of a run: configuration, checkpoints, log; written whole or not at all."""

from __future__ import annotations

import json
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import napari_metasr
from napari_metasr.files import replacing

if TYPE_CHECKING:
    from metasr_training.config import TrainConfig


def _commit() -> str:
    answer = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() or "unknown"


class RunFolder:
    """A run's folder.

    ``config.json`` (configuration, versions, commit), ``metrics.jsonl`` (a line a logged
    update), ``last.pt`` (everything a resume needs), ``best.pt`` and ``final.pt`` (averaged
    weights alone).

    Parameters
    ----------
    path
        Made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    @property
    def checkpoint(self) -> Path:
        """Where the resumable state is."""
        return self.path / "last.pt"

    @property
    def best(self) -> Path:
        """Where the best averaged weights are."""
        return self.path / "best.pt"

    @property
    def metrics(self) -> Path:
        """The log."""
        return self.path / "metrics.jsonl"

    def write_config(self, config: TrainConfig) -> None:
        """Write the configuration, with what it ran on."""
        about = {
            "config": config.model_dump(),
            "napari_metasr": napari_metasr.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "machine": platform.processor() or platform.machine(),
            "commit": _commit(),
        }
        text = json.dumps(about, indent=2)
        with replacing(self.path / "config.json", overwrite=True) as temporary:
            temporary.write_text(text)

    def save(self, name: str, state: dict[str, Any]) -> None:
        """Save a torch state under ``name``."""
        with replacing(self.path / name, overwrite=True) as temporary:
            torch.save(state, temporary)

    def load_checkpoint(self) -> dict[str, Any] | None:
        """The resumable state, or None if there is none."""
        if not self.checkpoint.exists():
            return None
        state: dict[str, Any] = torch.load(self.checkpoint, weights_only=True)
        return state

    def log(self, **values: float) -> None:
        """Append a line to the log."""
        with self.metrics.open("a") as file:
            file.write(json.dumps(values) + "\n")

    def cut_log(self, update: int) -> None:
        """Drop the log's lines after ``update``, that a resume writes again."""
        if not self.metrics.exists():
            return
        lines = self.metrics.read_text().splitlines()
        kept = [line for line in lines if json.loads(line)["update"] <= update]
        text = "".join(f"{line}\n" for line in kept)
        with replacing(self.metrics, overwrite=True) as temporary:
            temporary.write_text(text)
