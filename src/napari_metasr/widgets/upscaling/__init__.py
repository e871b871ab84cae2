"""The upscaling dock: a whole volume on a finer grid."""
