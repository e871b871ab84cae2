"""``napari-metasr cohort``: upscale a dataset or a folder, on one machine or many."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from pydantic import Field

from napari_metasr import __version__
from napari_metasr.cli.exit_codes import INTERRUPTED
from napari_metasr.cli.parsing import OUTPUT, CountArgument, Flag, only, optional
from napari_metasr.cli.upscaling import UpscalingCommand
from napari_metasr.io.opening import files_of, stands_for_dicom
from napari_metasr.plurals import in_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from distributed import Client

    from napari_metasr.cohort.inputs import Inputs
    from napari_metasr.cohort.items import Item
    from napari_metasr.upscaling.job import Job

CORES_OF_A_WORKER = 4
LOG = "cohort.jsonl"
NOT_LOGGED = {"input", "output_dir", "level", "output", "debug"}


class Cohort(UpscalingCommand):
    """Upscale all volumes of a BIDS dataset or a folder, on one machine or on a cluster.

    Finished volumes are skipped; a failing volume does not stop the run. The exit code is 0 if
    all is well, 3 if a volume failed, 2 if the run could not begin. Called as a BIDS App it takes
    its folders in a row: BIDS_DIR OUTPUT_DIR participant.
    """

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="BIDS_OR_FOLDER")] = Field(
        description="A BIDS dataset, or any folder of volumes."
    )
    output_dir: Annotated[
        tyro.conf.Positional[Path | None],
        OUTPUT,
        tyro.conf.arg(metavar="[OUTPUT_DIR]", help_behavior_hint=""),
    ] = Field(default=None, description="Folder of the outputs, for calls as a BIDS App.")
    level: Annotated[
        tyro.conf.Positional[Literal["participant"] | None],
        only("participant"),
        tyro.conf.arg(help_behavior_hint=""),
    ] = Field(default=None, description="Level of the analysis, for calls as a BIDS App.")
    output: Annotated[Path | None, OUTPUT, optional("DIR")] = Field(
        default=None,
        description="Folder of the outputs, with the input's folders in it; from a BIDS dataset "
        "it becomes a BIDS derivative.",
    )
    participant_label: Annotated[tuple[str, ...], optional("LABEL")] = Field(
        default=(),
        description="Participants of a BIDS dataset to work on, with or without sub-; all by "
        "default.",
    )
    pattern: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, optional("GLOB")] = Field(
        default=(),
        description="Files to upscale, relative to the input; may be given several times. By "
        "default **/*_T1w.nii* of a dataset and all volumes of a folder, where each folder or .zip "
        "file of DICOM files counts as one. "
        "Segmentations, derivatives/ and sourcedata/ are left out.",
    )
    series: Annotated[str | None, optional("SERIES")] = Field(
        default=None,
        description="Which series of each DICOM folder: a description (`*t1*`) or a number that "
        "`napari-metasr series` lists; needed where folders hold several.",
    )
    within: Annotated[
        Literal["lesion"] | None, only("lesion"), tyro.conf.arg(help_behavior_hint="")
    ] = Field(
        default=None,
        description="Super-resolve only boxes around lesions that a detector finds; interpolate "
        "the rest.",
    )
    workers: CountArgument = Field(
        default=None,
        description="Number of volumes to work on at a time, each in a process of its own; by "
        f"default one for {CORES_OF_A_WORKER} cores. They share the cores.",
    )
    scheduler: Annotated[str | None, optional("tcp://HOST:PORT")] = Field(
        default=None,
        description="Address of a running Dask scheduler to use instead of local workers; its "
        "workers must see the same folders.",
    )
    overwrite: Flag = Field(
        default=False,
        description="Also replace outputs of other programs, and those made with other options.",
    )

    def read(self) -> Iterator[Path]:
        """Give the models; the work on each volume keeps what it reads."""
        for model in (self.model, self.through_plane_model, self.detector):
            yield from files_of(Path(model))

    def run(self) -> int:
        """Find the volumes, upscale them, and print the outcome of each."""
        from napari_metasr.cohort.bids import check_dataset
        from napari_metasr.cohort.cluster import need_distributed
        from napari_metasr.cohort.inputs import find_inputs
        from napari_metasr.files import making_folders

        if self.scheduler is not None and self.workers is not None:
            raise ValueError("expected --scheduler or --workers, found both")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"expected at least 1 worker, found {self.workers}")
        need_distributed()
        root, output = self.input.resolve(), self._folder_of_outputs().resolve()
        _check_output(root, output)
        inputs = find_inputs(root, self.pattern, output, self.participant_label)
        work = self._items(inputs, output)
        check_dataset(output)
        others = in_number(len(inputs.left_out), "other file")
        aside = f", {others} left out" if inputs.left_out else ""
        print(f"{in_number(len(inputs.names), 'volume')} found{aside}", file=sys.stderr)
        try:
            with making_folders([output]), self._client(len(inputs.names)) as client:
                return self._carry_out(client, inputs, output, *work)
        except KeyboardInterrupt:  # before the work or after it
            return INTERRUPTED

    def _folder_of_outputs(self) -> Path:
        given = [path for path in (self.output_dir, self.output) if path is not None]
        if len(given) != 1:
            found = "both" if given else "neither"
            raise ValueError(f"expected OUTPUT_DIR or --output, found {found}")
        return given[0]

    def _carry_out(
        self,
        client: Client,
        inputs: Inputs,
        output: Path,
        items: Sequence[Item],
        refused: Mapping[str, str],
    ) -> int:
        from napari_metasr.cli.cohort_run import Run
        from napari_metasr.cohort.bids import LOGS, describe_dataset
        from napari_metasr.cohort.cluster import check_workers
        from napari_metasr.cohort.ledger import Ledger

        check_workers(client, inputs.root, output)
        if inputs.is_bids:
            describe_dataset(output, inputs.root)
        ledger = Ledger(output / LOGS / LOG)
        asked = self.model_dump(mode="json", exclude=NOT_LOGGED)
        ledger.write("run", version=__version__, volumes=len(inputs.names), options=asked)
        return Run(items, refused, ledger).carry_out(client)

    def _items(self, inputs: Inputs, output: Path) -> tuple[tuple[Item, ...], dict[str, str]]:
        """List the volumes to upscale, with checked options, and those that are refused."""
        from napari_metasr.cohort.bids import resolution_label
        from napari_metasr.cohort.items import items_of
        from napari_metasr.geometry.grids import nominal_scale
        from napari_metasr.weights import cannot_be_told, model_card

        for name in ("model", "through_plane_model", "detector"):
            if Path(getattr(self, name)).is_file():
                setattr(self, name, str(Path(getattr(self, name)).resolve()))
        card = model_card(self.model)
        if self.assume is not None and not card.can_be_told:
            raise cannot_be_told(card)
        options = self.options
        for factor in options.scale or ():
            nominal_scale(factor)
        if self.series is not None and not any(map(self._series_of, inputs.paths)):
            raise ValueError(f"{inputs.root}: expected DICOM series for --series, found none")
        return items_of(inputs, output, resolution_label(options), self._job_of)

    def _job_of(self, path: Path, output: Path) -> Job:
        return self.job(path, output, series=self._series_of(path))

    def _series_of(self, path: Path) -> str | None:
        """Return the series that is asked for, if an input has any."""
        return self.series if stands_for_dicom(path) else None

    def _client(self, volumes: int) -> AbstractContextManager[Client]:
        from napari_metasr.cohort.cluster import local_workers, workers_of

        if self.scheduler is not None:
            return workers_of(self.scheduler)
        default = max((os.cpu_count() or 1) // CORES_OF_A_WORKER, 1)
        return local_workers(min(self.workers or default, volumes))


def _check_output(root: Path, output: Path) -> None:
    if output.exists() and not output.is_dir():
        raise NotADirectoryError(f"{output}: expected a folder for the outputs, found a file")
    if root.is_relative_to(output):
        raise ValueError(f"{output}: expected a folder of its own for the outputs, found the input")
