"""``napari-metasr rate``: rate the images of a study in a window."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro
from pydantic import Field

from napari_metasr.cli.demo import has_display
from napari_metasr.cli.parsing import Command

TITLE = "Rate images (MOS)"


class Rate(Command):
    """Rate the images of a study.

    A napari window opens with the rating dock, at the first image that the rater has not graded.
    `metasr-mos prepare` makes a study, `metasr-mos score` scores it.
    """

    study: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="STUDY")] = Field(
        description="The study's folder."
    )
    rater: Annotated[str, tyro.conf.arg(metavar="NAME")] = Field(
        description="Name of the rater; the same name resumes where it stopped."
    )

    def run(self) -> None:
        """Check, then open the window until it is closed."""
        from napari_metasr.quality.rating import RatingSheet, read_study

        RatingSheet(read_study(self.study), self.rater).close()
        if not has_display():
            raise OSError("rating needs a screen, and there is none here")

        import napari

        viewer = napari.Viewer(title=TITLE)
        _, dock = viewer.window.add_plugin_dock_widget("napari-metasr", TITLE)
        dock.begin(str(self.study), self.rater)
        napari.run()
