"""``napari-metasr cohort``: all volumes of a dataset or a folder, on one machine or many."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from pydantic import Field

from napari_metasr import __version__
from napari_metasr.cli import INTERRUPTED
from napari_metasr.cli.enlarging import Enlarging
from napari_metasr.cli.parsing import OUTPUT
from napari_metasr.io.opening import files_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from distributed import Client

    from napari_metasr.cohort.inputs import Inputs
    from napari_metasr.cohort.items import Item

CORES_OF_A_WORKER = 4
LOG = "cohort.jsonl"


class Cohort(Enlarging):
    """Magnify all volumes of a BIDS dataset or a folder, on one machine or on a cluster.

    What is done already stays as it is; a volume that cannot be done stops no other. The exit
    code is 0 if all is well, 3 if a volume failed, 2 if nothing could be begun.
    """

    input: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="BIDS_OR_FOLDER")] = Field(
        description="A BIDS dataset, or any folder of volumes."
    )
    output: Annotated[Path, OUTPUT, tyro.conf.arg(metavar="DIR")] = Field(
        description="Where everything goes: folders are those of the input, and a BIDS dataset "
        "becomes a BIDS derivative."
    )
    pattern: Annotated[str | None, tyro.conf.arg(metavar="GLOB")] = Field(
        default=None,
        description="Which files, from the folder on; by default **/*_T1w.nii* of a dataset and "
        "**/*.nii* of a folder, where each folder of DICOM files counts as well. Segmentations, "
        "derivatives/ and sourcedata/ are left out.",
    )
    within: Literal["lesion"] | None = Field(
        default=None,
        description="Super-resolve the boxes round lesions alone, which a detector finds; "
        "interpolate around them.",
    )
    workers: int | None = Field(
        default=None,
        description="How many volumes this machine works on at a time, each in a process of its "
        f"own; by default one for {CORES_OF_A_WORKER} cores. They share the cores.",
    )
    scheduler: Annotated[str | None, tyro.conf.arg(metavar="tcp://HOST:PORT")] = Field(
        default=None,
        description="In place of that: of a Dask cluster whose workers see the same folders.",
    )
    overwrite: bool = Field(
        default=False,
        description="Replace outputs that something else has made, or that were made with other "
        "options.",
    )

    def read(self) -> Iterator[Path]:
        """The models; the work on each volume keeps what it reads."""
        for model in (self.model, self.through_plane_model, self.detector):
            yield from files_of(Path(model))

    def run(self) -> int:
        """Find the volumes, do them all, and say what became of each."""
        from napari_metasr.cohort.bids import check_dataset
        from napari_metasr.cohort.cluster import need_distributed
        from napari_metasr.cohort.inputs import find_inputs

        if self.scheduler is not None and self.workers is not None:
            raise ValueError("expected a scheduler or a number of workers, found both")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"expected a number of workers from 1 on, found {self.workers}")
        need_distributed()
        root, output = self.input.resolve(), self.output.resolve()
        _check_output(root, output)
        inputs = find_inputs(root, self.pattern, output)
        work = self._items(inputs, output)
        check_dataset(output)
        aside = f", {len(inputs.left_out)} other files left out" if inputs.left_out else ""
        print(f"{len(inputs.names)} volumes found{aside}", file=sys.stderr)
        try:
            with self._client(len(inputs.names)) as client:
                return self._carry_out(client, inputs, output, *work)
        except KeyboardInterrupt:  # before the work or after it
            return INTERRUPTED

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

        output.mkdir(parents=True, exist_ok=True)
        check_workers(client, inputs.root, output)
        if inputs.is_bids:
            describe_dataset(output, inputs.root)
        ledger = Ledger(output / LOGS / LOG)
        asked = self.model_dump(mode="json", exclude={"input", "output", "debug"})
        ledger.write("run", version=__version__, volumes=len(inputs.names), options=asked)
        return Run(items, refused, ledger).carry_out(client)

    def _items(self, inputs: Inputs, output: Path) -> tuple[tuple[Item, ...], dict[str, str]]:
        """The work, its options checked, and what cannot be done."""
        from napari_metasr.cohort.bids import resolution_label
        from napari_metasr.cohort.items import items_of
        from napari_metasr.geometry.grids import nominal_scale
        from napari_metasr.upscaling.options import UpscaleOptions
        from napari_metasr.weights import model_card

        for name in ("model", "through_plane_model", "detector"):
            model_card(getattr(self, name))
            if Path(getattr(self, name)).is_file():
                setattr(self, name, str(Path(getattr(self, name)).resolve()))
        options = UpscaleOptions(scale=self.scale, spacing=self.spacing)
        for factor in options.scale or ():
            nominal_scale(factor)
        return items_of(inputs, output, resolution_label(options), self.job)

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
