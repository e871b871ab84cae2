"""The tour is offered once, when the plugin is first used."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import napari
from napari.utils.notifications import Notification, NotificationSeverity, notification_manager

from napari_metasr.widgets.tour.tour import has_tours, start_tour
from napari_metasr.widgets.viewer.preferences import preferences, remember

if TYPE_CHECKING:
    from napari import Viewer

OFFER = "New to Meta-SR? A tour of two minutes is in Plugins > Meta-SR."


def offer_tour() -> None:
    """Offer the tour in the viewer that is used, unless that has been done before."""
    viewer = napari.current_viewer()
    if viewer is None or not has_tours() or preferences()["tour_offered"]:
        return
    if not told():
        return
    reference = weakref.ref(viewer)  # napari keeps all notifications of a session
    note = Notification(
        OFFER, NotificationSeverity.INFO, actions=[("Take the tour", lambda _: _start(reference()))]
    )
    notification_manager.dispatch(note)


def told() -> bool:
    """Keep in mind that the user knows of the tour; return whether that could be kept."""
    remember(tour_offered=True)
    return bool(preferences()["tour_offered"])


def _start(viewer: Viewer | None) -> None:
    if viewer is not None:
        start_tour(viewer)
