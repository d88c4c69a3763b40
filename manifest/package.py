"""The package that Teams takes: a flat zip of the manifest and two icons."""

import json
import struct
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files give the same package
_FILE = 0o644 << 16
_PNG = b"\x89PNG\r\n\x1a\n"
_SIZES = {"color": (192, 192), "outline": (32, 32)}
_WITH_ALPHA = {4, 6}


def packed(manifest: Mapping[str, Any], icons: Mapping[str, bytes]) -> bytes:
    """Return the zip's bytes; `icons` are the files by name."""
    files = {"manifest.json": _json(manifest), **icons}
    target = BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as package:
        for name, content in files.items():
            entry = ZipInfo(name, _EPOCH)
            entry.external_attr, entry.create_system = _FILE, 3
            entry.compress_type = ZIP_DEFLATED
            package.writestr(entry, content)
    return target.getvalue()


def package_problems(package: bytes) -> list[str]:
    """Return what Teams would refuse in a package, the manifest's sense aside."""
    with ZipFile(BytesIO(package)) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    if "manifest.json" not in files:
        return ["manifest.json must stand at the package's root"]
    problems = [f"{name} stands in a folder" for name in files if "/" in name]
    icons = json.loads(files["manifest.json"])["icons"]
    for kind, name in icons.items():
        problems += _icon_problems(kind, name, files.get(name))
    return problems


def _icon_problems(kind: str, name: str, content: bytes | None) -> Iterator[str]:
    if content is None:
        yield f"{name} is missing"
        return
    if not content.startswith(_PNG):
        yield f"{name} is no PNG"
        return
    width, height, _, colour = struct.unpack(">IIBB", content[16:26])
    if (width, height) != _SIZES[kind]:
        yield f"{name} must be {_SIZES[kind][0]} pixels wide and high"
    if kind == "outline" and colour not in _WITH_ALPHA:
        yield f"{name} must be transparent"


def _json(manifest: Mapping[str, Any]) -> bytes:
    return json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n"
