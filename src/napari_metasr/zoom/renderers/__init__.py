"""Renderers: what turns an encoded slice into an image, one for each kind of network."""
