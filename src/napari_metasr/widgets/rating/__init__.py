"""The rating dock: blinded scores of image quality."""
