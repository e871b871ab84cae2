"""Files of NRRD and MetaImage with headers of one's own, and the voxels behind them."""

from __future__ import annotations


def nrrd_file(path, data, *, body=b"", **fields):
    """A header of one's own, with the voxels behind it."""
    header = {
        "type": "short",
        "dimension": data.ndim,
        "space": "left-posterior-superior",
        "sizes": " ".join(map(str, data.shape)),
        "space directions": "(-0.7,0,0) (0,1.1,0) (0,0,2.5)",
        "endian": "little",
        "encoding": "raw",
        "space origin": "(3,4,5)",
    } | {name.replace("_", " "): value for name, value in fields.items()}
    lines = [f"{name}: {value}" for name, value in header.items() if value is not None]
    text = "NRRD0004\n# a comment\n" + "\n".join(lines) + "\nkey:=value\n\n"
    path.write_bytes(text.encode() + (body or data.tobytes("F")))
    return path


def meta_file(path, data, *, body=None, **fields):
    header = {
        "ObjectType": "Image",
        "NDims": data.ndim,
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "TransformMatrix": "0 1 0 -1 0 0 0 0 1",
        "Offset": "3 4 5",
        "ElementSpacing": "0.7 1.1 2.5",
        "DimSize": " ".join(map(str, data.shape)),
        "ElementType": "MET_SHORT",
    } | fields
    name = header.pop("ElementDataFile", "LOCAL")
    lines = [f"{name} = {value}" for name, value in header.items() if value is not None]
    text = "\n".join([*lines, f"ElementDataFile = {name}\n"])
    path.write_bytes(text.encode() + (data.tobytes("F") if body is None else body))
    return path
