"""One volume of the viewer from layer to layer: what is done off the GUI thread."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from napari_metasr.io.names import volume_file
from napari_metasr.io.reader import read_layers
from napari_metasr.io.writer import write_image, write_volume
from napari_metasr.upscaling.outputs import check_outputs
from napari_metasr.upscaling.progress import Progress
from napari_metasr.widgets.upscaling import messages as words
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.layer_volume import is_in_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_metasr.io.layers import LayerData
    from napari_metasr.upscaling.job import Job
    from napari_metasr.upscaling.sidecar import LabelsRecord
    from napari_metasr.upscaling.upscale import Upscaling
    from napari_metasr.volume import Volume

MASK = "lesions.nii"


@dataclass(frozen=True)
class LayerJob:
    """What is to be done.

    Attributes
    ----------
    job
        All of it, but for what is no file yet.
    volume
        The layer's.
    layer
        The layer as napari saves it, where it is no file or not any more; it is written first.
    mask
        Gives the voxels of lesions, (z, y, x), on the volume's grid; where networks are to work.
    opens
        Whether the output is to be read when it is there.
    labels
        Segmentations on the volume's grid, (z, y, x), that come along, by the names of the files
        that they are written to first.
    """

    job: Job
    volume: Volume
    layer: LayerData | None = None
    mask: Callable[[], NDArray[np.uint8]] | None = None
    opens: bool = True
    labels: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """Status message for a step of unknown duration."""

    text: str


@dataclass(frozen=True)
class Saved:
    """The output is there.

    Attributes
    ----------
    labels
        Records of the segmentations that have come along.
    """

    labels: tuple[LabelsRecord, ...] = ()


@dataclass(frozen=True)
class Opened:
    """The output has been read.

    Attributes
    ----------
    layers
        As the reader gives them.
    """

    layers: tuple[LayerData, ...]


Step = Note | Progress | Saved | Opened


def upscale(task: LayerJob, prepare: Callable[[Job], Upscaling]) -> Iterator[Step]:
    """Do a task; may be stopped wherever it yields, and closed then.

    Yields
    ------
    Note, Progress, Saved or Opened
        The last two at the end; ``Opened`` only where the output is to be read.

    Raises
    ------
    ValueError, OSError
        As ``Job.prepare`` and ``Upscaling.steps``.
    """
    job = task.job
    check_outputs(job.output, overwrite=job.overwrite, resume=job.resume)
    with ExitStack() as stack:
        if task.layer is not None or task.mask is not None or task.labels:
            folder = stack.enter_context(_folder_beside(job.output))
            yield Note(words.WRITING_LAYER)
            job = _with_files(task, folder)
        yield Note(words.PREPARING)
        work = prepare(job)
        yield from work.steps()
        carried = tuple(work.carried)
    yield Saved(carried)
    if task.opens:
        yield Note(words.OPENING)
        beside = [job.output.with_name(record.output_name) for record in carried]
        yield Opened(tuple(read_layers([str(path) for path in (job.output, *beside)])))


def file_of(layer: Image) -> Path | None:
    """Return the NIfTI file that holds a layer's numbers in the layer's place, if there is one."""
    volume = layer_source(layer).volume
    path = volume_file(volume.source.path) if volume is not None else None
    if volume is None or path is None or volume.data is not layer.data or not path.is_file():
        return None
    return path if is_in_place(layer, volume) else None


def _with_files(task: LayerJob, folder: Path) -> Job:
    """Write what is no file yet, and give the job that reads it.

    Each kind has a folder of its own, since layers of several kinds may have the same name.
    """
    files: dict[str, Any] = {}
    if task.layer is not None:
        data, keywords, _ = task.layer
        path = _folder_in(folder, "input") / task.job.input.name
        write_image(str(path), data, keywords)
        files["input"] = path
        files["named"] = False  # the file is gone once the work is done
    if task.mask is not None:
        path = _folder_in(folder, "within") / MASK
        write_volume(path, task.mask(), task.volume.affine, task.volume.source, keeps_meaning=False)
        files["within"] = str(path)
    if task.labels:
        beside = _folder_in(folder, "labels")
        files["labels"] = tuple(beside / name for name in task.labels)
        for path, labels in zip(files["labels"], task.labels.values(), strict=True):
            write_volume(path, labels, task.volume.affine, task.volume.source, labels=True)
    return task.job.model_copy(update=files)


def _folder_in(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


@contextmanager
def _folder_beside(output: Path) -> Iterator[Path]:
    """Make a folder for input that is no file, and remove it in the end."""
    folder = Path(mkdtemp(dir=output.parent, prefix=f".{output.name}.", suffix=".input"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
