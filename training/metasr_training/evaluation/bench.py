"""What an evaluation works on, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from metasr_training.datasets.slices import some_of_each
from napari_metasr.errors import problems
from napari_metasr.geometry.windows import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metasr_training.catalogue import Experiment
    from metasr_training.datasets.slices import Slice, Split
    from metasr_training.evaluation.cases import Detect, RegionOptions
    from metasr_training.evaluation.contestants import LoadNetwork
    from metasr_training.trained import TrainedNetwork
    from napari_metasr.lesions.detector import Detector

Options = TypeVar("Options", bound=BaseModel)


@dataclass(frozen=True)
class Bench:
    """Everything that an evaluation is given.

    Attributes
    ----------
    experiment
        What is evaluated.
    preset
        What its networks were trained with.
    run
        The run's folder.
    data
        The data folder.
    slices
        All slices of the split, of the experiment's sources.
    images
        How many of each source are evaluated; all where 0.
    load
        The trained networks, by name.
    finder
        Gives the lesion detector that regions of interest come from.
    detector
        The detector with a trained network, by the network's name; what it has seen it answers
        from memory.
    output
        An empty folder for scores, tables and figures.
    split
        Which patients the slices are of.
    of_split
        All slices of another split.
    """

    experiment: Experiment
    preset: str
    run: Path
    data: Path
    slices: tuple[Slice, ...]
    images: int
    load: LoadNetwork
    finder: Callable[[], Detector]
    detector: Callable[[str], Detector]
    output: Path
    split: Split
    of_split: Callable[[Split], Sequence[Slice]]

    def options(self, model: type[Options]) -> Options:
        """Validate the experiment's options against this evaluation's model.

        Raises
        ------
        ValueError
            If one of them is unknown or wrong.
        """
        try:
            return model(**self.experiment.options)
        except ValidationError as error:
            raise ValueError(f"options of {self.experiment.id}: {problems(error)}") from None

    def chosen(self, suitable: Callable[[Slice], bool] = lambda _: True) -> list[Slice]:
        """Choose the slices to evaluate, evenly spread over each source's suitable ones.

        Raises
        ------
        ValueError
            If none is suitable.
        """
        return self.some_of(self.slices, suitable)

    def some_of(self, slices: Sequence[Slice], suitable: Callable[[Slice], bool]) -> list[Slice]:
        """Choose as many of any given slices, evenly spread over each source's suitable ones.

        Raises
        ------
        ValueError
            If none is suitable.
        """
        pool = [one for one in slices if suitable(one)]
        if not pool:
            raise ValueError(
                f"expected slices that {self.experiment.id} can be evaluated on, found none among "
                f"the {len(slices)} of {self.data}"
            )
        return some_of_each(pool, self.images)

    def compared(self, regions: RegionOptions) -> list[Slice]:
        """Choose the slices that contain what the experiment's region is centred on."""
        needs_lesion = self.experiment.region == "roi" and regions.roi != "box"
        return self.chosen(lambda one: not needs_lesion or one.mask is None or bool(one.mask.any()))

    def detect(self, regions: RegionOptions) -> Detect | None:
        """Return a function that finds regions of interest; None unless the experiment needs it.

        Raises
        ------
        FileNotFoundError
            If there is none.
        """
        if self.experiment.region != "roi" or regions.roi != "detector":
            return None
        finder = self.finder()

        def detect(
            image: NDArray[np.float32], intensity_range: tuple[float, float], shape: tuple[int, int]
        ) -> Window | None:
            found = finder.detect(image, intensity_range)
            return box_on(found[0].region, image.shape, shape) if found else None

        return detect


def box_on(box: Window, low_resolution: tuple[int, ...], shape: tuple[int, int]) -> Window:
    """Convert a box from the pixel edges of a low-resolution slice to those of its original."""
    rows, columns = (now / before for now, before in zip(shape, low_resolution, strict=True))
    top, left, bottom, right = box
    return Window(top * rows, left * columns, bottom * rows, right * columns)


@dataclass
class EvaluationOutput:
    """What an evaluation found, in the form that reports print.

    Attributes
    ----------
    tables
        Title and Markdown of each table.
    figures
        File name and caption of each figure.
    ranking
        Condition to methods by falling PSNR.
    not_converged
        Condition to networks below bicubic.
    notes
        Sentences that belong below the tables.
    networks
        The trained networks that took part.
    images
        How many images were compared.
    """

    images: int = 0
    tables: list[tuple[str, str]] = field(default_factory=list)
    figures: list[tuple[str, str]] = field(default_factory=list)
    ranking: dict[str, list[str]] = field(default_factory=dict)
    not_converged: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    networks: dict[str, TrainedNetwork] = field(default_factory=dict)

    def took_part(self, networks: Iterable[TrainedNetwork | None]) -> None:
        """Remember networks by their names."""
        self.networks |= {one.name: one for one in networks if one is not None}
