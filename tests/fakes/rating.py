"""What tests of rating studies share."""

METHODS = ("bicubic", "network", "truth")
