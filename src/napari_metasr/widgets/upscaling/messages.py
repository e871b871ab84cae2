"""Texts of the dock for whole volumes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_metasr.plurals import in_bytes
from napari_metasr.upscaling.errors import DamagedWorkError, InUseError, OtherWorkError
from napari_metasr.volume import SIGNS
from napari_metasr.widgets.panels.worker import reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.upscaling.sidecar import LabelsRecord
    from napari_metasr.volume import Plane, Volume
    from napari_metasr.widgets.upscaling.outlook import Outlook

NO_IMAGE = "Open an image: a volume of slices, 3-D or 4-D."
NO_VOLUME = "“{name}” is a single picture: expected a volume of slices (z, y, x)."
TOO_MANY_AXES = "“{name}” has {count} axes: expected z, y, x, or time, z, y, x."
READY = "Ready."
PREPARING = "Preparing"
WRITING_LAYER = "Writing the layer as a file"
OPENING = "Opening the result"
STOPPING = "Stopping; what is done is kept …"
DISCARDED = "Unfinished work was discarded."
WHOLE = "Whole volume"
FOUND = "Lesions found by a detector"
NOT_WITHIN = "The layer with the lesions is gone: the whole volume is super-resolved."
ANEW = "“Start over” discards it"
IN_USE = "this output is still being worked on (perhaps by a dock that was just closed)"
PIXELS = "Its voxels' size in mm is not known: pixels are taken for mm."
WRITE = "Write the finer volume"
REALLY = "Really?"
PLACEHOLDER = "asked for when it starts"


def size(volume: Volume) -> str:
    """Return what a volume is like."""
    sign = SIGNS[volume.source.unit]
    times = f", {volume.time_points} time points" if volume.time_points > 1 else ""
    shape, spacing = _numbers(volume.spatial_shape), _numbers(volume.spacing)
    return f"Input {shape} voxels of {unbroken(f'{spacing} {sign}')}{times}."


def finest(volume: Volume) -> str:
    """Return a volume's finest spacing."""
    return f"{min(volume.spacing):.4g} {SIGNS[volume.source.unit]}"


def plan(
    volume: Volume,
    outlook: Outlook,
    per_cost: float | None,
    *,
    labels: Sequence[str] = (),
) -> str:
    """Return what is going to be done to a volume.

    Parameters
    ----------
    per_cost
        See ``Outlook.seconds``.
    labels
        Names of the segmentations that come along.
    """
    plan, seconds = outlook.plan, outlook.seconds(per_cost)
    times = f" × {plan.volume.time_points}" if plan.volume.time_points > 1 else ""
    shape, spacing = _numbers(plan.target.shape), _numbers(plan.target.spacing)
    lines = [
        size(volume),
        f"Output {shape}{times} voxels of {unbroken(f'{spacing} mm')}.",
        f"{in_bytes(outlook.nbytes)} uncompressed"
        + ("." if seconds is None else f"; {duration(seconds, roughly=per_cost is None)}."),
        f"Learned: {'; '.join(plan.learned)}.",
    ]
    lines.append(f"Interpolated: {'; '.join(plan.interpolated) or 'nothing'}.")
    if labels:
        lines.append(f"Segmentations on the new grid too: {', '.join(labels)}.")
    if volume.source.unit == "pixels":
        lines.append(PIXELS)
    lines += [f"Beware: {concern}." for concern in plan.concerns]
    return "\n".join(lines)


def volumes(record: LabelsRecord) -> str:
    """Return the volume of each label before and after."""
    parts = [f"{one.label}: {one.before:.4g} → {one.after:.4g}" for one in record.volumes]
    return f"{record.output_name}, ml before → after: {'; '.join(parts) or 'no labels'}"


def duration(seconds: float, *, roughly: bool) -> str:
    """Say how long something takes, as exactly as is known."""
    return ("roughly " if roughly else "about ") + _rounded(seconds)


def stage(name: str, seconds: float | None) -> str:
    """Return what is being done, and how long all of it will still take, if that is known."""
    text = name[:1].upper() + name[1:]
    return f"{text} …" if seconds is None else f"{text} · about {_rounded(seconds)} left"


def preview(plane: Plane, index: int, count: int) -> str:
    """Return what a slice is of."""
    return f"{plane} slice {index + 1} of {count}"


def done(name: str, seconds: float) -> str:
    """Say how the work ended."""
    return f"Done in {_clock(seconds)} min: {name}"


def stopped(overall: float, *, is_kept: bool) -> str:
    """Return what there is after a stop."""
    return _ended("Stopped", overall, is_kept)


def failed(overall: float, *, is_kept: bool) -> str:
    """Return what there is after an error."""
    return _ended("Failed", overall, is_kept)


def _ended(how: str, overall: float, is_kept: bool) -> str:
    return f"{how} at {100 * overall:.0f}%" + ("; what is done is kept." if is_kept else ".")


def large(outlook: Outlook) -> str:
    """Ask whether so much is really wanted."""
    size = _numbers(outlook.plan.target.shape)
    return (
        f"The output would have {size} voxels (x, y, z), {in_bytes(outlook.nbytes)}, and about as "
        "much again on the disk meanwhile. Do it all the same?"
    )


def refusal(error: Exception) -> str:
    """Describe an error, with what remedies it in the dock."""
    if isinstance(error, InUseError):
        return IN_USE
    text = reason(error)
    return f"{text}; {ANEW}" if isinstance(error, OtherWorkError | DamagedWorkError) else text


def unbroken(text: str) -> str:
    """Return a text that stays on one line."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _numbers(zyx: tuple[float, ...]) -> str:
    """Write numbers along x, y, z."""
    texts = (str(one) if isinstance(one, int) else f"{one:.4g}" for one in reversed(zyx))
    return " × ".join(texts)


def _rounded(seconds: float) -> str:
    if seconds < 100:
        return f"{max(math.ceil(seconds / 5), 1) * 5} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
