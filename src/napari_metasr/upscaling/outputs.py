"""Check and place the output and its sidecar: both appear, or neither."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from napari_metasr.files import Inputs, check_writable, file_sha256, put_on_disk, rename, replacing
from napari_metasr.io.acquisition import gradients_beside
from napari_metasr.io.names import check_written_name, sidecar_path, stem
from napari_metasr.io.opening import files_of
from napari_metasr.upscaling.provenance import model_records, versions
from napari_metasr.upscaling.sidecar import read_sidecar, write_sidecar
from napari_metasr.upscaling.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from napari_metasr.io.protocols import VolumeReader
    from napari_metasr.upscaling.labels import Labelled
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.sidecar import Sidecar


def check_outputs(
    output: Path, *, overwrite: bool = False, resume: bool = False, recorded: Sidecar | None = None
) -> None:
    """Refuse an output, or the sidecar beside it, before any work is done for them.

    Parameters
    ----------
    output
        The volume to write.
    overwrite
        Allow both to be replaced.
    resume
        Allow them to exist if the sidecar belongs to the output: the work was stopped at its
        very end.
    recorded
        A sidecar that may exist, since the work replays it.

    Raises
    ------
    FileExistsError, FileNotFoundError, IsADirectoryError
        As `check_writable`; also if the file in the sidecar's place is another one, or that of
        another output.
    ValueError
        If the name's ending is wrong.
    """
    check_written_name(output)
    record = record_beside(output)
    stopped = resume and record is not None and (output.exists() or Workspace(output).is_begun)
    check_writable(output, overwrite=overwrite or stopped)
    known = stopped or (record is not None and record == recorded)
    check_own_record(output)
    check_writable(sidecar_path(output), overwrite=overwrite or known)


def check_own_record(output: Path) -> None:
    """Refuse to replace a file that is not this output's record, whatever is asked.

    Raises
    ------
    FileExistsError
        If there is another file in its place, or the record of another output that exists.
    """
    path = sidecar_path(output)
    if not path.is_file():
        return
    try:
        owner = read_sidecar(path).output_name
    except (OSError, ValueError):
        raise FileExistsError(
            f"{path}: expected the record of {output.name}, found another file, which is kept"
        ) from None
    if owner != output.name and output.with_name(owner).exists():
        raise FileExistsError(f"{path}: it is the record of {owner}, and is kept")


def check_inputs_kept(output: Path, inputs: Iterable[Path], others: Iterable[Path] = ()) -> None:
    """Refuse an output, or a sidecar beside it, that would replace what the output is made from.

    Parameters
    ----------
    output
        The volume to write.
    inputs
        Files and folders that are read for it.
    others
        Further files that are written beside it.

    Raises
    ------
    InputReplacedError
        If one would.
    """
    kept = Inputs(lambda: (file for path in inputs for file in files_of(path)))
    for written in (output, sidecar_path(output), *others):
        kept.check_kept(written)


def carry_gradients(volume: VolumeReader, output: Path, *, overwrite: bool = False) -> None:
    """Copy the diffusion weightings beside a series of volumes to its output.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    if volume.time_points == 1:
        return
    for ending, file in gradients_beside(volume.path).items():
        target = output.with_name(f"{stem(output)}{ending}")
        if not target.exists() or (overwrite and not target.samefile(file)):
            with replacing(target, overwrite=True) as temporary:
                shutil.copyfile(file, temporary)


def record_beside(output: Path) -> Sidecar | None:
    """Read the sidecar beside an output, if it belongs to an output of this name."""
    try:
        record = read_sidecar(sidecar_path(output))
    except (OSError, ValueError):
        return None
    return record if record.output_name == output.name else None


def is_made(output: Path, plan: Plan, input_sha256: str) -> bool:
    """Return whether an output exists, intact and by its sidecar what this plan makes."""
    record = record_beside(output)
    if record is None or not output.is_file():
        return False
    options = plan.options.recorded
    if plan.search is not None:
        if record.detector is None or record.detector.sha256 != plan.search.sha256:
            return False
        options = options.model_copy(update={"boxes": record.options.boxes})
    made = (record.options, record.models, record.device, record.versions, record.input_sha256)
    wanted = (options, model_records(plan), plan.device, versions(), input_sha256)
    alike = made == wanted and record.tissue_continued == plan.tissue_continued
    if plan.volume.time_points > 1:
        alike = alike and bool(record.time_point_ranges) == plan.own_ranges
    return alike and record.output_sha256 == file_sha256(output)


def put_in_place(
    finished: Path, output: Path, record: Sidecar, inputs: Iterable[Path] = ()
) -> None:
    """Give a finished file its name and write its sidecar, replacing what may exist.

    After an interrupt in between, the sidecar's hash is not that of the output.

    Raises
    ------
    OSError
        If either fails; both are as they were then.
    """
    put_on_disk(finished)
    path = sidecar_path(output)
    before = path.read_bytes() if path.exists() else None
    write_sidecar(path, record, overwrite=True)
    kept = Inputs(lambda: inputs)
    for written in (finished, path):
        kept.keep_private(written)
    try:
        rename(finished, output)
    except OSError:
        if before is None:
            path.unlink()
        else:
            with replacing(path, overwrite=True) as temporary:
                temporary.write_bytes(before)
        raise


def place_labels(labels: Labelled, path: Path, output: Path, inputs: Iterable[Path] = ()) -> None:
    """Give finished labels their name, and record them in the sidecar of the upscaled volume.

    After an interrupt in between, the sidecar names a file that is missing or not as recorded.

    Parameters
    ----------
    labels
        The finished file.
    path
        The file to become.
    output
        The volume whose labels they are.
    inputs
        What that is made from.

    Raises
    ------
    OSError
        If either fails.
    """
    put_on_disk(labels.path)
    Inputs(lambda: (*inputs, *labels.inputs)).keep_private(labels.path)
    record = record_beside(output)
    if record is not None:
        others = [one for one in record.labels if one.output_name != path.name]
        record = record.model_copy(update={"labels": (*others, labels.record)})
        write_sidecar(sidecar_path(output), record, overwrite=True)
        Inputs(lambda: inputs).keep_private(sidecar_path(output))
    rename(labels.path, path)
