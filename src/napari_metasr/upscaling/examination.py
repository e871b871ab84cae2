"""What is learnt of an input before it is upscaled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.acquisition import estimate
from napari_metasr.trust.assumption import assume
from napari_metasr.trust.told import Words, tell
from napari_metasr.upscaling.lesion_search import LesionBoxes
from napari_metasr.upscaling.progress import Phase
from napari_metasr.upscaling.unpacking import UnpackedVolume, measure, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from napari_metasr.io.mapped import MappedArray
    from napari_metasr.trust.assumption import Assumption
    from napari_metasr.trust.told import Told
    from napari_metasr.upscaling.course import Course
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.progress import Progress
    from napari_metasr.upscaling.provenance import Input
    from napari_metasr.upscaling.workspace import Findings


class Examination:
    """The look at one input.

    Parameters
    ----------
    plan, source
        Plan of the work, and its input.
    unpacked
        Where the input is unpacked to.
    course
        Is told how far it is.
    """

    def __init__(self, plan: Plan, source: Input, unpacked: MappedArray, course: Course) -> None:
        self._plan, self._source, self._unpacked, self._course = plan, source, unpacked, course

    def steps(
        self, timed: Callable[[Phase], AbstractContextManager[None]]
    ) -> Generator[Progress, None, Findings]:
        """Unpack the input, measure it, and search it for lesions if the plan says so.

        Parameters
        ----------
        timed
            Gives the context in which the time of a phase is taken.

        Raises
        ------
        ValueError
            If the input is damaged or has changed, or no lesions are found.
        OSError
            If it cannot be read, or the disk lacks the space.
        """
        volume, search = self._source.volume, self._plan.search
        with timed(Phase.READING):
            try:
                for done in unpack(volume, self._unpacked):
                    yield self._course.reached(Phase.READING, done)
            except (OSError, ValueError):
                self._source.check_unchanged()
                raise
            self._source.check_unchanged()
        name = str(volume.path)
        with timed(Phase.MEASURING):
            findings = measure(name, self._unpacked, own_ranges=self._plan.own_ranges)
            seen = self.seen(findings)
            assumption, told = self.assumption(findings), self.told(findings)
            findings = findings.model_copy(
                update={
                    "acquisition": estimate(seen).lines,
                    "told": None if told is None else told.title,
                    "consistent_with": None if assumption is None else assumption.title,
                }
            )
            self._course.reached(Phase.MEASURING, 1.0)
        if search is None:
            return findings
        with timed(Phase.SEARCHING):
            for step in search.steps(seen):
                if isinstance(step, LesionBoxes):
                    found = {"boxes": step.boxes, "concerns": step.concerns}
                    findings = findings.model_copy(update=found)
                else:
                    yield self._course.reached(Phase.SEARCHING, step.done / step.total)
        return findings

    def seen(self, findings: Findings) -> UnpackedVolume:
        """Return the unpacked input, whose slices can be looked at."""
        volume = self._source.volume
        return UnpackedVolume(str(volume.path), volume, self._unpacked, findings)

    def assumption(self, findings: Findings) -> Assumption | None:
        """Return the acquisition with which the result is made consistent, if with any."""
        options = self._plan.options
        if options.consistent is None or self._plan.in_plane is None:
            return None
        return assume(options.consistent, self.seen(findings), options.plane)

    def told(self, findings: Findings) -> Told | None:
        """Return what the network of slices in plane is told, if it can be told anything."""
        options, card = self._plan.options, self._plan.in_plane
        if card is None or not card.can_be_told:
            return None
        words = Words() if options.assume is None else Words.parse(options.assume)
        return tell(words, self.seen(findings), options.plane)
