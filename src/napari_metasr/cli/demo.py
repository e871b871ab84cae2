"""``napari-metasr demo``: the main job on a sample, in a window or as pictures."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import Field

from napari_metasr.cli.parsing import OUTPUT, Command, RegionArgument, SliceArgument


class Demo(Command):
    """Zoom into a tumour.

    With a screen: a napari window on the volume, the Meta-SR Zoom dock open. Without one the
    same window on a virtual screen, its slider moved through several scales, and pictures and a
    table of figures in the output folder.
    """

    input: Annotated[Path | None, tyro.conf.arg(metavar="VOLUME")] = Field(
        default=None,
        description="The volume; a BraTS case by default, or offline a simulated phantom.",
    )
    output: Annotated[Path, OUTPUT, tyro.conf.arg(metavar="FOLDER")] = Field(
        default=Path("demo-output"), description="Where the pictures go; older ones are replaced."
    )
    slice: SliceArgument = Field(
        default=None, description="Axial slice to show; by default one with a bright lesion."
    )
    region: RegionArgument = Field(
        default=None, description="Rectangle of the slice, in pixels; by default round the lesion."
    )
    model: str = Field(default="meta-srgan", description="A name of `napari-metasr models`.")
    device: Literal["auto", "cuda", "mps", "cpu"] = Field(
        default="auto", description="Where the network runs; auto takes the fastest there is."
    )
    screen: Literal["auto", "real", "virtual"] = Field(
        default="auto", description="Open a window, or leave pictures; auto asks for a display."
    )

    def run(self) -> None:
        """Open the window, or write the pictures."""
        from napari_metasr.cli.demo_scene import choose_scene
        from napari_metasr.weights import model_card

        model_card(self.model)
        if self.output.exists() and not self.output.is_dir():
            raise NotADirectoryError(f"{self.output}: expected a folder, found a file")
        scene = choose_scene(self.input, self.slice, self.region, self.model, self.device)
        if self.screen == "real" or (self.screen == "auto" and has_display()):
            from napari_metasr.cli.demo_window import open_window

            open_window(scene)
            return

        from napari_metasr.cli.demo_pictures import write_pictures
        from napari_metasr.cli.demo_window import photograph

        self.output.mkdir(parents=True, exist_ok=True)
        written = write_pictures(scene, self.output)
        written.append(photograph(scene, self.output / "screenshot.png"))
        print(f"\nIn {self.output.resolve()}:")
        for path in written:
            print(f"  {path.name:<16}{path.stat().st_size / 1000:>8,.0f} kB")


def has_display() -> bool:
    """Whether windows can be opened here."""
    if platform.system() == "Linux":
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True
