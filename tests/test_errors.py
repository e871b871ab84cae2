"""Errors in words: the nearest name, and what is wrong with a document."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field, ValidationError, model_validator

from napari_metasr.errors import in_words, nearest_hint, problems


class Inner(BaseModel, extra="forbid"):
    numbers: tuple[int, ...] = ()
    share: float = Field(default=0.5, gt=0)


class Document(BaseModel, extra="forbid"):
    name: str
    inner: Inner = Inner()

    @model_validator(mode="after")
    def _one_name(self) -> Document:
        if self.name == "both":
            raise ValueError("expected a name or none, found both")
        return self


def refusal(text: str) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        Document.model_validate_json(text)
    return refused.value


@pytest.mark.parametrize(
    ("name", "hint"), [("meta-sgran", "; did you mean 'meta-srgan'?"), ("edsr", "")]
)
def test_the_nearest_name(name, hint):
    assert nearest_hint(name, ["meta-srgan", "ms-gan-x4"]) == hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", "name: Field required"),
        ('{"name": "a", "inner": {"share": -1}}', "inner.share: expected greater than 0, found -1"),
        ('{"name": "both"}', "the file: expected a name or none, found both"),
        ("[", "the file: Invalid JSON: EOF while parsing a list at line 1 column 1"),
    ],
)
def test_each_problem_has_its_place(text, expected):
    assert problems(refusal(text), "the file") == expected


def test_many_problems_are_counted():
    numbers = ", ".join(f'"{letter}"' for letter in "abcdef")
    told = in_words(refusal(f'{{"name": "a", "inner": {{"numbers": [{numbers}]}}}}'))
    assert told.startswith("inner.numbers.0: expected a valid integer")
    assert told.endswith("; and 3 more")


def test_long_input_is_shortened():
    told = in_words(refusal(f'{{"name": "a", "inner": {{"share": "{"9" * 500}x"}}}}'))
    assert len(told) < 200
