"""published.csv: every figure as the papers print it."""

from __future__ import annotations

import math

import pytest

from metasr_training.catalogue import experiment, experiment_ids
from metasr_training.evaluation.published import (
    published_figure,
    published_figures,
    published_text,
    same_name,
)

PAPERS = {
    "Tan 2020": "meta-srgan_tan-zhu-lio_2020.md",
    "Zhu 2018": "lfsr_zhu-yang-lio_2018.md",
    "Zhu 2019": "ms-gan_zhu-yang-lio_2019.md",
}
IN_WORDS = {  # printed in words, or with another unit
    ("EDSR", "parameters"): "40.7M",
    ("SRGAN", "parameters"): "0.565M",
    ("Meta-SRGAN", "parameters"): "0.561M",
    ("Meta-SRGAN", "times_smaller_than_edsr"): "fifty times smaller",
    ("Meta-SRGAN", "training_days"): "three days",
    ("LFSR", "batch_over_srgan"): "double the batch size",
    ("", "raters"): "An MR physicist",
}


def rows(metric):
    return [figure for figure in published_figures() if figure.metric == metric]


@pytest.mark.parametrize(
    ("name", "condition", "method", "metric", "value", "std"),
    [
        ("meta-srgan-table1", "x2", "Bicubic", "psnr", 17.98, 5.674),
        ("meta-srgan-table1", "x2", "EDSR", "ssim", 0.6885, 0.1814),
        ("meta-srgan-table1", "x2", "Meta-SRGAN", "psnr", 18.72, 5.338),
        ("lfsr-table1", "x4", "SRResNet", "psnr", 27.9, None),
        ("lfsr-table1", "x2-noise20", "LFSR", "ssim", 0.832, None),
        ("lfsr-table1", "x2-noise40", "B+NLD", "psnr", 17.1, None),
        ("lfsr-table1", "x4", "SRGAN", "epoch_seconds", 370.8, None),
        ("lfsr-detection", "x4", "LD", "acceptable_percent", 94.1, None),
        ("ms-gan-table1", "x4", "MS-GAN", "ssim", 0.789, 0.0554),
        ("ms-gan-table1", "x4", "Ground truth", "mos", 3.28, 0.838),
        ("ms-gan-mos", "x4", "WGAN", "flag_u", 7, None),
        ("ms-gan-time", "x4", "WGAN-GP+MSE_X2", "epoch_seconds", 314.3, None),
    ],
)
def test_figures_typed_again_from_the_papers(name, condition, method, metric, value, std):
    figure = published_figure(name, condition, method, metric)
    assert (figure.value, figure.std) == (value, std)


def test_every_figure_stands_in_its_paper(shared_data):
    folder = shared_data.parent / "papers"
    if not folder.is_dir():
        pytest.skip("needs the papers' text, which is not here")
    texts = {key: (folder / name).read_text() for key, name in PAPERS.items()}
    for figure in published_figures():
        text = texts[figure.source[:8]]
        printed = IN_WORDS.get((figure.method, figure.metric))
        for part in [printed] if printed else figure.printed.split(" ± "):
            assert part in text, figure


def test_every_figure_belongs_to_an_experiment_and_its_methods():
    known = set(experiment_ids())
    for figure in published_figures():
        assert set(figure.experiments) <= known
        assert math.isfinite(figure.value)
        assert figure.source[:8] in PAPERS
        first = experiment(figure.experiments[0])
        labels = [method.label for method in first.methods]
        compared = figure.metric in {"psnr", "ssim", "parameters", "epoch_seconds", "mos"}
        if compared and figure.method != "Ground truth":
            assert any(same_name(figure.method, label) for label in labels), figure
            assert figure.condition in {condition.name for condition in first.conditions}


def test_opinions_follow_from_the_counts():
    """The papers' means and (population) standard deviations are those of their counts."""
    for figure in rows("mos"):
        counts = [
            published_figure("ms-gan-mos", "x4", figure.method, f"count_{grade}").value
            for grade in ("poor", "fair", "good", "great")
        ]
        assert sum(counts) == 100
        mean = sum(grade * count for grade, count in enumerate(counts, start=1)) / 100
        square = sum((grade - mean) ** 2 * n for grade, n in enumerate(counts, start=1)) / 100
        assert figure.value == pytest.approx(mean, abs=0.0051)
        assert figure.std == pytest.approx(square**0.5, abs=0.00051)


def test_percentages_follow_from_the_numbers_of_images():
    for condition in ("x2", "x4"):
        perfect, more, percent, acceptable = (
            published_figure("lfsr-detection", condition, "LD", metric).value
            for metric in (
                "perfect_images",
                "acceptable_more_images",
                "perfect_percent",
                "acceptable_percent",
            )
        )
        assert percent == pytest.approx(100 * perfect / 2368, abs=0.051)
        assert acceptable == pytest.approx(100 * (perfect + more) / 2368, abs=0.051)


def test_the_odd_heads_of_the_noise_columns_are_noted():
    noisy = [figure for figure in rows("psnr") if figure.condition == "x2-noise20"]
    assert len(noisy) == 4
    assert all("X2(sigma = 40)" in figure.note for figure in noisy)


def test_figures_are_shown_as_printed():
    assert published_text("meta-srgan-table1", "x2", "EDSR", "psnr") == "18.93 ± 4.2909"
    assert published_text("lfsr-table1", "x2", "B+NLD", "ssim") == "0.900"
    assert published_text("lfsr-table1", "x2", "EDSR", "ssim") == ""


def test_labels_agree_whatever_joins_their_words():
    assert same_name("WGAN-GP+MSE_X2", "wgan-gp + MSE(x2)")
    assert not same_name("WGAN", "WGAN-GP")
