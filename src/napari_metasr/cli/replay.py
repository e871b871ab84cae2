"""``napari-metasr replay``: the same output again, from what was written beside it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from pydantic import Field

from napari_metasr.cli.parsing import Command
from napari_metasr.cohort.plan import Plan
from napari_metasr.cohort.sidecar import file_sha256, read_sidecar
from napari_metasr.io.stored import StoredVolume

if TYPE_CHECKING:
    from napari_metasr.cohort.sidecar import Sidecar


class Replay(Command):
    """Make a volume again that `upscale` has made: bit for bit, with the same versions."""

    sidecar: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT.JSON")] = Field(
        description="What `upscale` has written beside its output."
    )
    input: Annotated[Path | None, tyro.conf.arg(metavar="INPUT")] = Field(
        default=None, description="Where the input lies now; by default beside OUT.json."
    )
    output: Annotated[Path | None, tyro.conf.arg(metavar="OUT.NII.GZ")] = Field(
        default=None, description="What to write; by default what was written then."
    )
    overwrite: bool = Field(default=False, description="Replace an existing output.")
    resume: bool = Field(default=False, description="Go on with unfinished work, if there is any.")

    def run(self) -> None:
        """Check that all is as it was, do it again, and compare."""
        from napari_metasr.cli.upscale import carry_out, told
        from napari_metasr.cohort.upscale import Upscaling

        record = read_sidecar(self.sidecar)
        path = self.input or self.sidecar.with_name(record.sources[0])
        output = self.output or self.sidecar.with_name(record.output_name)
        volume = StoredVolume.open(path)
        digest = file_sha256(path)
        if digest != record.input_sha256:
            raise ValueError(
                f"{path}: expected the file with sha256 {record.input_sha256}, found {digest}"
            )
        plan = Plan.of(volume, record.options, record.device, digest)
        _check_models(plan, record)
        work = Upscaling(plan, output, overwrite=self.overwrite, resume=self.resume)
        carry_out(work, plan)
        same = file_sha256(output) == record.output_sha256
        print(f"{told(output, plan, work)}; {'the same file' if same else 'another file'} as then")
        if not same:
            warnings.warn(_differences(plan, record), stacklevel=2)


def _check_models(plan: Plan, record: Sidecar) -> None:
    for now, then in zip(plan.models, record.models, strict=True):
        if now.sha256 != then.sha256:
            raise ValueError(
                f"expected the weights {then.name} with sha256 {then.sha256}, found {now.sha256}"
            )


def _differences(plan: Plan, record: Sidecar) -> str:
    """Why the file may be another one."""
    found = [
        f"{name} {number} in place of {record.versions.get(name, 'none')}"
        for name, number in plan.versions.items()
        if record.versions.get(name) != number
    ]
    return "the output differs from what was written then: " + (
        ", ".join(found) or "another machine, or a compressed file in place of a plain one"
    )
