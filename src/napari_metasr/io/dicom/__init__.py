"""DICOM series as volumes: found, checked, told apart, and read a part at a time.

The way of the data: `files` finds what may be DICOM, `headers` reads what is needed of it,
`splitting` makes out what belongs together, `stacking` puts it in its place or says why that cannot
be done, `moments` tells time points from copies; `series` is what came of it, `finding` all that
there is, and `volume` reads the voxels through `pixels`.

No name, number, date or UID by which a patient or a study could be known leaves this package:
messages and names are made of the series' number, its modality and its redacted description.
"""
