"""The zoom dock: a slice at any scale, beside an interpolation."""
