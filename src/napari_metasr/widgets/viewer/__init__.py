"""The napari viewer as the docks see it: layers, camera, canvas overlays."""
