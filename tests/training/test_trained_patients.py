"""Who trained a model, and who it is measured on."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest
from fakes.training import slices, write_data

from metasr_training.trained_patients import (
    patient_hash,
    patient_hashes,
    slices_of_split,
    warn_of_trained,
)


def test_a_patient_has_one_hash_for_all_contrasts_and_no_name_in_it():
    assert patient_hash("contrasts/a", "P1") == patient_hash("a", "P1")
    assert len({patient_hash(*one) for one in (("a", "P1"), ("a", "P2"), ("b", "P1"))}) == 3
    one, other = slices(2)
    assert len(patient_hashes([one, other, replace(one, name="second")])) == 2


def test_those_that_trained_it_are_named(caplog):
    one, other = slices(2)
    with caplog.at_level(logging.WARNING):
        warn_of_trained("mine", patient_hashes([one]), [other])
        warn_of_trained("mine", (), [one, other])
    assert not caplog.messages
    with caplog.at_level(logging.WARNING):
        warn_of_trained("mine", patient_hashes([one]), [one, other])
    assert "mine was trained on 1 of the patients that it is measured on (disc 0)" in caplog.text


def test_a_given_split_is_followed_and_never_written(tmp_path):
    folder = write_data(tmp_path / "data") / "tumour-slices" / "tcga-lgg"
    scans = tmp_path / "scans"
    scans.mkdir()
    for path in folder.rglob("*_t1ce.nii.gz"):
        path.rename(scans / path.name)
    split = tmp_path / "split.json"
    with pytest.raises(FileNotFoundError):
        slices_of_split(scans, "val", (), split)
    assert not split.exists()
    patients = sorted({one.patient for name in ("train", "val") for one in
                       slices_of_split(scans, name, (), None)})  # fmt: skip
    everyone = sorted(path.name.partition("_")[0] for path in scans.iterdir())
    others = [one for one in everyone if one != patients[0]]
    split.write_text(json.dumps({"val": {"scans": [patients[0]]}, "train": {"scans": others}}))
    found = slices_of_split(scans, "val", (), split)
    assert {one.patient for one in found} == {patients[0]}
