"""The zoom engine: encode a slice once, render it at any scale."""
