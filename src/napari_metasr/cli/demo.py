"""``napari-metasr demo``: zoom into a sample, in a window or as pictures."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import Field

from napari_metasr.cli.parsing import (
    OUTPUT,
    Command,
    FoundRegionArgument,
    FoundSliceArgument,
    ModelArgument,
    described,
    optional,
)
from napari_metasr.devices import Device
from napari_metasr.files import making_folders
from napari_metasr.upscaling.job import Job
from napari_metasr.weights import DEFAULT_MODEL


class Demo(Command):
    """Zoom into a tumour.

    With a screen, a napari window opens on the volume, with the Meta-SR Zoom dock. Without one,
    the same window runs on a virtual screen, its slider moves through several scales, and
    pictures and a table of figures are written to the output folder.
    """

    input: Annotated[Path | None, optional("VOLUME")] = Field(
        default=None,
        description="The volume; a BraTS case by default, or offline a simulated phantom.",
    )
    output: Annotated[Path, OUTPUT, tyro.conf.arg(metavar="FOLDER")] = Field(
        default=Path("demo-output"), description="Folder of the pictures; older ones are replaced."
    )
    slice: FoundSliceArgument = Field(
        default=None, description="Axial slice to show; by default one with a bright lesion."
    )
    region: FoundRegionArgument = Field(
        default=None, description="Rectangle of the slice, in pixels; by default around the lesion."
    )
    model: ModelArgument = Field(
        default=DEFAULT_MODEL, description="A name that `napari-metasr models` lists."
    )
    device: Device = described(Job, "device")
    screen: Literal["auto", "real", "virtual"] = Field(
        default="auto",
        description="Open a window, or write pictures; auto opens one where there is a display.",
    )

    def run(self) -> None:
        """Open the window, or write the pictures."""
        from napari_metasr.cli.demo_scene import choose_scene

        if self.output.exists() and not self.output.is_dir():
            raise NotADirectoryError(f"{self.output}: expected a folder, found a file")
        scene = choose_scene(self.input, self.slice, self.region, self.model, self.device)
        if self.screen == "real" or (self.screen == "auto" and has_display()):
            from napari_metasr.cli.demo_window import open_window

            open_window(scene)
            return

        from napari_metasr.cli.demo_pictures import write_pictures
        from napari_metasr.cli.demo_window import photograph

        with making_folders([self.output]):
            written = write_pictures(scene, self.output)
            written.append(photograph(scene, self.output / "screenshot.png"))
        print(f"\nIn {self.output.resolve()}:")
        for path in written:
            print(f"  {path.name:<16}{path.stat().st_size / 1000:>8,.0f} kB")


def has_display() -> bool:
    """Return whether windows can be opened here."""
    if platform.system() == "Linux":
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True
