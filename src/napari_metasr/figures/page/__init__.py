"""A page that zooms itself: one HTML file with a slice's codes and a renderer, for any browser."""
