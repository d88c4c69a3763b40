"""
Which detectors these are.

What they find changes with the code, and with the lists of numbers and countries that
come with libraries; nobody has to remember to count up.
"""

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files

# Modules that have no say in what is found.
_OTHERS = frozenset({"cases.py", "inspector.py", "version.py"})
_LIBRARIES = ("google-re2", "phonenumbers", "python-stdnum")
_DIGITS = 12


@cache
def detectors_version() -> str:
    """Return what names the detectors of this ATOM, the same wherever it runs."""
    digest = sha256()
    for each in sorted(files("policy.dlp").iterdir(), key=lambda path: path.name):
        if each.name.endswith(".py") and each.name not in _OTHERS:
            digest.update(f"{each.name}\0".encode() + each.read_bytes() + b"\0")
    for library in _LIBRARIES:
        digest.update(f"{library} {version(library)}\0".encode())
    return digest.hexdigest()[:_DIGITS]
