"""Work on a volume that is quick, can be held up, and goes wrong when it is told to."""

from __future__ import annotations

import threading

import numpy as np
from qtpy.QtCore import Qt

from fakes.widgets import PATIENCE_MS, settle
from napari_metasr.io import read_volume, write_volume
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.parts import PassKind
from napari_metasr.upscaling.progress import Preview, Progress
from napari_metasr.upscaling.provenance import fingerprint
from napari_metasr.upscaling.workspace import Workspace
from napari_metasr.volume import Plane, Source, Volume

PARTS = 4
LEFT = Qt.MouseButton.LeftButton
OUTPUT = "head_res-0p8mm_desc-metasr.nii.gz"


class FakeWork:
    """Plans as the real work does, and upscales by repeating voxels, in four parts."""

    def __init__(self):
        self.gate = threading.Semaphore(100)
        self.error = self.plan = self.source = None
        self.jobs = []
        self.inputs = []
        self.done = []
        self.carried = []
        self.ended = threading.Event()

    def hold(self, parts=0):
        """Do so many parts, and wait then."""
        self.gate = threading.Semaphore(parts)

    def go(self):
        """Wait no more."""
        self.gate.release(100)

    def __call__(self, job):
        self.jobs.append(job)
        self.inputs.append(read_volume(job.input))
        prepared = Job.prepare(job)
        self.plan, self.source = prepared.plan, prepared.source
        return self

    def steps(self):
        job, volume = self.jobs[-1], self.inputs[-1]
        workspace = Workspace(job.output)
        self.ended.clear()
        decided = fingerprint(self.plan, self.source.sha256)
        try:
            with workspace.opened(decided, resume=job.resume) as begun:
                journal = begun
                for done in range(journal.done + 1, PARTS + 1):
                    self.gate.acquire(timeout=20)
                    if self.error is not None:
                        raise self.error
                    journal = journal.model_copy(update={"digests": done * ("",)})
                    workspace.write(journal)
                    self.done.append(done)
                    left, share = float(PARTS - done), done / PARTS
                    yield Progress(PassKind.IN_PLANE, share, share, left, self.preview(volume))
                write_volume(
                    job.output,
                    repeated(volume, self.plan.target.shape),
                    self.plan.target.affine(volume.affine),
                    volume.source,
                    overwrite=job.overwrite,
                )
                workspace.remove()
        finally:
            self.ended.set()

    def preview(self, volume):
        image = volume.slice(Plane.CORONAL, 7) * (len(self.done) < PARTS)
        upscaled = np.repeat(np.repeat(image, 2, 0), 2, 1).astype(np.float32)
        return Preview(upscaled, image, Plane.CORONAL, 7, 26, (0.0, 900.0))


def repeated(volume, shape):
    """Nearest neighbours on a grid of this shape."""
    data = volume.data
    for axis, size in zip(range(-3, 0), shape, strict=True):
        near = np.linspace(0, data.shape[axis] - 1, size).round().astype(int)
        data = data.take(near, axis=axis)
    return data


def run(qtbot, dock, button="start"):
    qtbot.mouseClick(getattr(dock, button), LEFT)
    settle(qtbot, dock)


def choose(combo, data):
    combo.setCurrentIndex(combo.findData(data))


def begin(qtbot, dock, work, parts):
    """Start, and wait until so many parts are done."""
    work.hold(parts)
    work.done.clear()
    qtbot.mouseClick(dock.start, LEFT)
    qtbot.waitUntil(lambda: dock.progress.value() == 1000 * parts // PARTS, timeout=PATIENCE_MS)


def volume_of(name="head", shape=(5, 6, 7), codes="RAS", spacing=(1.0, 1.0, 1.0), dtype="int16"):
    """Of a file with these axes."""
    signs = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for column, code in enumerate(codes):
        row, sign = signs[code]
        affine[row, column] = sign * spacing[2 - row]
    source = Source(name, affine=affine, orientation=codes)
    canonical = np.diag([*spacing[::-1], 1.0])
    return Volume(np.zeros(shape, dtype), canonical, spacing, source)
