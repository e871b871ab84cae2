"""A cluster as users run their own, for tests of the cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.cohort import cluster

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def client() -> Iterator:
    with cluster(2) as client:
        yield client


@pytest.fixture(scope="module")
def address(client) -> str:
    return client.scheduler.address
