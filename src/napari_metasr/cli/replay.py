"""``napari-metasr replay``: make an output again from its sidecar."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from pydantic import Field

from napari_metasr.cli.parsing import OUTPUT, Command, Flag, described, optional
from napari_metasr.files import file_sha256
from napari_metasr.io.names import sidecar_path
from napari_metasr.io.opening import open_stored
from napari_metasr.upscaling.errors import OutputDiffersError
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.provenance import versions
from napari_metasr.upscaling.sidecar import read_sidecar
from napari_metasr.weights import model_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_metasr.upscaling.options import UpscaleOptions
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.sidecar import Sidecar


class Replay(Command):
    """Upscale a volume again from its sidecar: bit for bit, with the same versions."""

    sidecar: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT.JSON")] = Field(
        description="The sidecar that `upscale` wrote beside its output."
    )
    input: Annotated[Path | None, optional("INPUT")] = Field(
        default=None,
        description="Where the input lies now; by default where it lay, in its dataset or beside "
        "OUT.json, if that names it.",
    )
    series: Annotated[str | None, optional("SERIES")] = described(Job, "series")
    model: Annotated[Path | None, optional("FILE.SAFETENSORS")] = Field(
        default=None,
        description="Where weights that the package does not ship lie now; by default beside "
        "OUT.json.",
    )
    through_plane_model: Annotated[Path | None, optional("FILE.SAFETENSORS")] = Field(
        default=None, description="Likewise, for the model between the slices."
    )
    output: Annotated[Path | None, OUTPUT, optional("OUT.NII.GZ")] = Field(
        default=None,
        description="The file to write; by default the recorded one. If that is intact, it is "
        "never replaced by a different file.",
    )
    overwrite: Flag = described(Job, "overwrite")
    resume: Flag = described(Job, "resume")

    def written(self) -> Iterator[Path]:
        """Give the volume and the sidecar beside it; the replayed sidecar may stand for itself."""
        if self.output is not None:
            yield self.output
            yield sidecar_path(self.output)

    def read(self) -> Iterator[Path]:
        """Give the inputs, except the sidecar of an output that is made again in its place."""
        yield from (
            file for file in super().read() if file != self.sidecar or not self._is_in_place
        )

    @property
    def _is_in_place(self) -> bool:
        """Return whether the output is the one that the sidecar describes, where it lay."""
        from napari_metasr.upscaling.outputs import record_beside

        if self.output is None:
            return True
        beside = sidecar_path(self.output).resolve() == self.sidecar.resolve()
        return beside and record_beside(self.output) is not None

    def run(self) -> None:
        """Check the inputs against the sidecar, upscale again, and compare."""
        from napari_metasr.cli.upscale import carry_out, summary
        from napari_metasr.upscaling.plan import Plan
        from napari_metasr.upscaling.provenance import Input
        from napari_metasr.upscaling.upscale import Upscaling

        record = read_sidecar(self.sidecar)
        output = self.output or self.sidecar.with_name(record.output_name)
        path = self._input_of(record)
        options = self._located(record.options)
        volume = open_stored(path, series=self.series)
        plan, source = Plan.of(volume, options, record.device), Input.of(volume)
        plan = replace(
            plan,
            tissue_continued=record.tissue_continued,
            own_ranges=bool(record.time_point_ranges) or volume.time_points == 1,
        )
        if source.sha256 != record.input_sha256:
            raise ValueError(
                f"{path}: expected the input with sha256 {record.input_sha256}, found "
                f"{source.sha256}"
            )
        _check_models(plan, record)
        work = Upscaling(
            plan,
            source,
            output,
            overwrite=self.overwrite,
            resume=self.resume,
            recorded=record,
        )
        try:
            carry_out(work)
        except OutputDiffersError:
            warnings.warn(_differences(record), stacklevel=2)
            raise
        same = file_sha256(output) == record.output_sha256
        print(f"{summary(output, work)}; {'identical to' if same else 'different from'} the record")
        if not same:
            warnings.warn(_differences(record), stacklevel=2)

    def _located(self, options: UpscaleOptions) -> UpscaleOptions:
        """Return the options with the paths of weights that they name without folders."""
        paths = {}
        for key, given in (
            ("model", self.model),
            ("through_plane_model", self.through_plane_model),
        ):
            name = getattr(options, key)
            if given is not None:
                paths[key] = str(given)
            elif name not in model_names():
                beside = self.sidecar.with_name(name)
                paths[key] = str(beside if beside.suffix else beside.with_suffix(".safetensors"))
        return options.model_copy(update=paths)

    def _input_of(self, record: Sidecar) -> Path:
        if self.input is not None:
            return self.input
        if not record.sources:
            raise ValueError(
                f"{self.sidecar}: expected --input, since the sidecar of a DICOM input does not "
                "name it"
            )
        from napari_metasr.cohort.bids import located

        path = located(record.sources[0], self.sidecar)
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such file; --input says where it lies now")
        return path


def _check_models(plan: Plan, record: Sidecar) -> None:
    if len(plan.cards) != len(record.models):
        raise ValueError(
            f"expected the weights of {len(plan.cards)} models in the sidecar, found "
            f"{len(record.models)}"
        )
    for card, model in zip(plan.cards, record.models, strict=True):
        if card.sha256 != model.sha256:
            raise ValueError(
                f"expected the weights {model.name} with sha256 {model.sha256}, found {card.sha256}"
            )


def _differences(record: Sidecar) -> str:
    """Explain why the file may differ."""
    found = [
        f"{name} {number} in place of {record.versions.get(name, 'none')}"
        for name, number in versions().items()
        if record.versions.get(name) != number
    ]
    return "the output differs from the recorded one: " + (
        ", ".join(found) or "another machine, or a compressed file in place of a plain one"
    )
