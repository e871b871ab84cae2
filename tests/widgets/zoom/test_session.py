"""The session's bookkeeping: which request wins, what is kept, what is freed."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from napari_metasr.geometry.windows import Window
from napari_metasr.zoom.session import SliceKey, ZoomSession

WINDOW = Window(0.0, 0.0, 10.0, 10.0)


def key(index=0, layer=1, axes=(1, 2), model="m"):
    return SliceKey(layer, axes, (index,), model, "cpu")


@dataclass
class Encoded:
    nbytes: int = 100
    windows: list = field(default_factory=lambda: [WINDOW])

    def is_ready(self, window):
        return window in self.windows


def encode(session, request):
    for one, window in request.windows:
        session.accept(request, one, Encoded(windows=[window]))
    session.done(request)


def test_a_new_slice_is_to_be_encoded_once_and_is_ready_then():
    session = ZoomSession()
    request = session.want({key(): WINDOW})
    assert request.windows == ((key(), WINDOW),)
    assert session.ready(key(), WINDOW) is None
    encode(session, request)
    assert session.ready(key(), WINDOW) is not None
    assert session.want({key(): WINDOW}) is None


@pytest.mark.parametrize("other", [key(1), key(layer=2), key(axes=(0, 2)), key(model="n")], ids=str)
def test_nothing_stands_in_for_another_slice_layer_plane_or_model(other):
    session = ZoomSession()
    encode(session, session.want({key(): WINDOW}))
    assert session.ready(other, WINDOW) is None
    assert session.want({other: WINDOW}) is not None


def test_only_one_request_runs_and_the_newest_slice_wins():
    session = ZoomSession()
    first = session.want({key(0): WINDOW})
    for index in range(1, 50):
        assert session.want({key(index): WINDOW}) is None
    assert session.is_stale(first)
    assert not session.accept(first, key(0), Encoded())
    session.done(first)
    assert session.want({key(49): WINDOW}).windows == ((key(49), WINDOW),)


def test_coming_back_to_the_running_slice_makes_it_current_again():
    session = ZoomSession()
    first = session.want({key(0): WINDOW})
    session.want({key(1): WINDOW})
    session.want({key(0): WINDOW})
    assert not session.is_stale(first)
    assert session.accept(first, key(0), Encoded())


def test_a_request_for_a_larger_window_serves_a_smaller_one():
    session = ZoomSession()
    first = session.want({key(): WINDOW})
    assert session.want({key(): Window(1.0, 1.0, 5.0, 5.0)}) is None
    assert not session.is_stale(first)
    session.want({key(): Window(0.0, 0.0, 11.0, 10.0)})
    assert session.is_stale(first)


def test_what_failed_is_not_tried_again_until_asked():
    session = ZoomSession()
    request = session.want({key(): WINDOW})
    session.done(request, failed=True)
    assert session.has_failed(key())
    assert session.want({key(): WINDOW}) is None
    session.retry()
    assert session.want({key(): WINDOW}) is not None


def test_the_least_recently_shown_are_dropped_beyond_the_budget_but_never_what_is_shown():
    session = ZoomSession(byte_budget=250)
    for index in range(4):
        encode(session, session.want({key(index): WINDOW}))
    assert session.nbytes <= 250
    assert session.get(key(0)) is None
    assert session.ready(key(3), WINDOW) is not None
    small = ZoomSession(byte_budget=1)
    encode(small, small.want({key(0): WINDOW, key(1): WINDOW}))
    assert len(small) == 2


def test_a_removed_layer_leaves_nothing_behind_and_its_late_results_are_refused():
    session = ZoomSession()
    encode(session, session.want({key(0): WINDOW}))
    request = session.want({key(1): WINDOW})
    session.forget_layer(1)
    assert len(session) == 0
    assert not session.accept(request, key(1), Encoded())


def test_cancelling_makes_the_running_request_stale():
    session = ZoomSession()
    request = session.want({key(): WINDOW})
    session.cancel()
    assert session.is_stale(request)


def test_results_of_numbers_that_were_replaced_are_refused_and_asked_for_anew():
    session = ZoomSession()
    outdated = session.want({key(): WINDOW})
    session.forget_layer(1)
    assert session.want({key(): WINDOW}) is None  # the same slice as before, of other numbers
    assert session.is_stale(outdated)
    assert not session.accept(outdated, key(), Encoded())
    session.done(outdated, failed=True)
    request = session.want({key(): WINDOW})
    assert request.windows == ((key(), WINDOW),)
    assert session.accept(request, key(), Encoded())


def test_a_running_request_is_not_disturbed_by_another_layer():
    session = ZoomSession()
    request = session.want({key(): WINDOW})
    session.forget_layer(2)
    assert not session.is_stale(request)
    assert session.accept(request, key(), Encoded())
