"""The files of a run: configuration, checkpoints, log; written whole or not at all."""

from __future__ import annotations

import json
import pickle
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from filelock import FileLock, Timeout

import napari_metasr
from napari_metasr.errors import in_words
from napari_metasr.files import making_folders, naming, replacing

if TYPE_CHECKING:
    from metasr_training.train_config import TrainConfig

FINAL = "final.pt"


def commit() -> str:
    """Return the commit of the checkout, or ``unknown`` outside one."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:  # no git
        return "unknown"
    return answer.stdout.strip() or "unknown"


def hardware(device: str) -> str:
    """Describe the machine in words: processor, threads, accelerator."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":")[1] for line in cpuinfo.read_text().splitlines() if "model name" in line
        ]
        processor = names[0].strip() if names else processor
    words = f"{processor}, {torch.get_num_threads()} threads"
    return f"{torch.cuda.get_device_name(device)}; {words}" if device.startswith("cuda") else words


def surroundings(device: str) -> dict[str, str]:
    """Collect versions, commit and hardware, so that a run can be repeated."""
    return {
        "napari_metasr": napari_metasr.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "commit": commit(),
        "hardware": hardware(device),
    }


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole."""
    text = json.dumps(content, indent=2)
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a run to one process; the lock goes when the process does, however it ends.

    Raises
    ------
    FileExistsError
        If another process trains in the folder.
    """
    path = folder / ".lock"
    lock = FileLock(path)
    with making_folders([folder]):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise FileExistsError(f"another process is training in {folder}") from None
        try:
            yield
        finally:
            if list(folder.iterdir()) == [path]:  # nothing was begun
                path.unlink()
            lock.release()


class RunFolder:
    """The folder of one trained network.

    ``config.json`` (configuration, split, versions, commit, hardware), ``metrics.jsonl`` (a line
    a logged update), ``last.pt`` (everything a resume needs), ``best.pt`` (the generator's weights
    at the best validation) and ``final.pt`` (its weights at the end).

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
        """Where the weights of the best validation are."""
        return self.path / "best.pt"

    @property
    def final(self) -> Path:
        """Where the weights at the end are; the run is finished when it is there."""
        return self.path / FINAL

    @property
    def config(self) -> Path:
        """Where the configuration is."""
        return self.path / "config.json"

    @property
    def metrics(self) -> Path:
        """The log."""
        return self.path / "metrics.jsonl"

    def write_config(self, config: TrainConfig, **about: Any) -> None:
        """Write the configuration, with what else is worth knowing."""
        write_json(self.config, {"config": config.model_dump(mode="json"), **about})

    def read_config(self) -> dict[str, Any] | None:
        """Read what ``write_config`` wrote; None if there is nothing."""
        if not self.config.exists():
            return None
        content: dict[str, Any] = json.loads(self.config.read_text(encoding="utf-8"))
        return content

    def save(self, path: Path, state: dict[str, Any]) -> None:
        """Save a torch state; what was there before stays until the new file is whole.

        Raises
        ------
        OSError
            If it cannot be written, the disk being full for one.
        """
        try:
            with replacing(path, overwrite=True) as temporary, temporary.open("wb") as file:
                torch.save(state, file)
        except (OSError, RuntimeError) as error:
            # torch's writer hides the system's error behind one of its own
            found = error if isinstance(error, OSError) else error.__context__
            words = (isinstance(found, OSError) and found.strerror) or in_words(error)
            kept = "the one before is still there" if path.exists() else "nothing was written"
            raise OSError(f"cannot save {path}: {words}; {kept}") from error

    def load_checkpoint(self) -> dict[str, Any] | None:
        """Load the resumable state; None if there is none.

        Raises
        ------
        ValueError
            If the file is damaged, or no checkpoint.
        """
        if not self.checkpoint.exists():
            return None
        try:
            state = torch.load(self.checkpoint, weights_only=True, map_location="cpu")
        except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError) as error:
            raise ValueError(f"expected a checkpoint at {self.checkpoint}, found {error}") from None
        if not isinstance(state, dict):
            raise ValueError(
                f"expected a checkpoint at {self.checkpoint}, found a {type(state).__name__}"
            )
        return state

    def log(self, **values: Any) -> None:
        """Append a line to the log."""
        with naming(self.metrics), self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")

    def history(self) -> list[dict[str, Any]]:
        """Read the log's lines, leaving out a last line that was cut short."""
        if not self.metrics.exists():
            return []
        lines = self.metrics.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def cut_log(self, update: int) -> None:
        """Drop the log's lines after ``update``, that a resume writes again."""
        kept = [line for line in self.history() if line["update"] <= update]
        text = "".join(f"{json.dumps(line)}\n" for line in kept)
        with replacing(self.metrics, overwrite=True) as temporary:
            temporary.write_text(text, encoding="utf-8")
