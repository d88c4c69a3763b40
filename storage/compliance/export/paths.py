"""Names in an export: each one part of a path, and no two alike."""

from dataclasses import dataclass, field

from storage.compliance.export.text import safe_part


@dataclass(slots=True)
class Names:
    """Gives out safe names. Two that differ only in case are the same on a Mac."""

    _taken: set[str] = field(default_factory=set)

    def one(self, name: str) -> str:
        """Return a name that was not given out yet, in the order of asking."""
        safe, number = safe_part(name), 1
        chosen = safe
        while chosen.casefold() in self._taken:
            number += 1
            stem, dot, extension = safe.rpartition(".")
            chosen = f"{stem} ({number}).{extension}" if dot else f"{safe} ({number})"
        self._taken.add(chosen.casefold())
        return chosen
