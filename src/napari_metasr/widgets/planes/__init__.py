"""The dock with three linked planes: axial, coronal and sagittal through one point."""
