"""Every kind of evaluation, by the name that experiments give."""

from __future__ import annotations

from collections.abc import Callable

from metasr_training.evaluation.bench import Bench, EvaluationOutput
from metasr_training.evaluation.detection.kind import evaluate_detection
from metasr_training.evaluation.every_scale import evaluate_every_scale
from metasr_training.evaluation.method_table import evaluate_table
from metasr_training.evaluation.opinion.kind import evaluate_opinion
from metasr_training.evaluation.samples import evaluate_samples
from metasr_training.evaluation.scales import evaluate_scales
from metasr_training.evaluation.through_plane import evaluate_through_plane
from metasr_training.evaluation.timing import evaluate_time

KINDS: dict[str, Callable[[Bench], EvaluationOutput]] = {
    "table": evaluate_table,
    "samples": evaluate_samples,
    "scales": evaluate_scales,
    "detection": evaluate_detection,
    "opinion": evaluate_opinion,
    "time": evaluate_time,
    "through-plane": evaluate_through_plane,
    "zoom": evaluate_every_scale,
}
