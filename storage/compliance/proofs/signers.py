"""
Which of a company's keys signs, and which signed before: what verifiers are told.

The private keys are files, the public ones are on record in the database. A process
whose files are not those on record signs nothing.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

from bridge.errors import BadInput
from storage.compliance.proofs.checkpoints import Checkpoint
from storage.compliance.proofs.notes import SigningKey, VerifierKey
from storage.compliance.proofs.signing_keys import SigningKeys
from storage.hot import HotStore, Program, Statement

_TITLE = "atom-key/v1"
_RESTORED = "atom-restored/v1"


@dataclass(frozen=True, slots=True)
class Known:
    """A public key, and from which size of the log on it signs."""

    version: int
    key: VerifierKey
    from_size: int
    note: str


@dataclass(frozen=True, slots=True)
class Signers:
    """Every company's signing keys, those on record."""

    store: HotStore
    files: SigningKeys
    clock: Callable[[], int]

    async def known(self, tenant: str) -> list[Known]:
        """Return the keys on record, oldest first."""
        rows = await self.store.fetch(
            Statement(
                "SELECT version, vkey, from_size, note FROM signing_key "
                "WHERE tenant = :tenant ORDER BY version",
                {"tenant": tenant},
            )
        )
        return [
            Known(version, VerifierKey.parse(vkey), size, note)
            for version, vkey, size, note in rows
        ]

    async def current(self, tenant: str) -> SigningKey:
        """
        Return the key that signs now; the first is made, and put on record.

        Raises `BadInput` if the key on record is not among this ATOM's files.
        """
        known = await self.known(tenant)
        if not known:
            key = self.files.current(tenant)
            await self._record(tenant, 1, key.verifier, 0, "")
            known = await self.known(tenant)
        return self._file_of(tenant, known[-1])

    async def sign(self, tenant: str, text: str) -> str:
        """Return a note of `text`, which ends with a newline, signed by the company."""
        return (await self.current(tenant)).sign(text)

    async def next(self, tenant: str, size: int) -> tuple[Known, SigningKey]:
        """
        Make the key that follows, from `size` on; both keys vouch for it.

        A file that was made before, and not put on record, is used up first.
        """
        old = await self.current(tenant)
        last = (await self.known(tenant))[-1]
        versions = (v for v in self.files.versions(tenant) if v > last.version)
        made = [
            key
            for version in versions
            if (key := self.files.load(tenant, version)).name == old.name
        ]
        new = made[0] if made else self.files.add(tenant)
        text = key_text(old.verifier, new.verifier, size)
        note = new.add_to(old.sign(text))
        version = last.version + 1
        await self._record(tenant, version, new.verifier, size, note)
        return Known(version, new.verifier, size, note), new

    async def begin(
        self, tenant: str, kept: int, size: int, signed: Checkpoint
    ) -> Known:
        """
        Make the key of the log that goes on after a backup was restored, from `size` on.

        The note is signed by the key before and by the new one. It says that the first
        `kept` entries are the same as before, and what had been signed in all.
        """
        old = await self.current(tenant)
        new = self.files.begin(tenant)
        told = restored_text((old.verifier, new.verifier), kept, size, signed)
        note = new.add_to(old.sign(told))
        version = self.files.versions(tenant)[-1]
        await self._record(tenant, version, new.verifier, size, note)
        return Known(version, new.verifier, size, note)

    def _file_of(self, tenant: str, known: Known) -> SigningKey:
        for version in self.files.versions(tenant):
            key = self.files.load(tenant, version)
            if key.verifier == known.key:
                return key
        raise BadInput(
            f"the key that signs for {tenant} ({known.key.id.hex()}) is not in "
            f"{self.files.folder}: copy it from where ATOM was set up, or a backup"
        )

    async def _record(
        self, tenant: str, version: int, key: VerifierKey, size: int, note: str
    ) -> None:
        row = {
            "tenant": tenant,
            "version": version,
            "vkey": str(key),
            "from_size": size,
            "note": note,
            "at_us": self.clock(),
        }

        def inserted() -> Program[bool]:
            rows = yield Statement(
                "INSERT INTO signing_key (tenant, version, vkey, from_size, note, "
                "at_us) VALUES (:tenant, :version, :vkey, :from_size, :note, :at_us) "
                "ON CONFLICT DO NOTHING RETURNING version",
                row,
            )
            return bool(rows)

        if not await self.store.run(inserted) and note:
            raise BadInput("another process is making a signing key: try again")


def declared(note: str) -> tuple[int, int] | None:
    """
    Return what a note that a log goes on after a backup says: what was kept, and when.

    Both are sizes. None is for notes about anything else.
    """
    if not note.startswith(f"{_RESTORED}\n"):
        return None
    lines = note.split("\n")
    return int(lines[5].removeprefix("kept ")), int(lines[6].removeprefix("size "))


def key_text(old: VerifierKey, new: VerifierKey, size: int) -> str:
    """Return what both keys sign when the new one takes over at `size`."""
    return f"{_TITLE}\n{new.name}\n{old}\n{new}\nsize {size}\n"


def restored_text(
    keys: tuple[VerifierKey, VerifierKey], kept: int, size: int, signed: Checkpoint
) -> str:
    """Return what both keys sign when a log goes on after a backup was restored."""
    old, new = keys
    root = b64encode(signed.root).decode()
    return (
        f"{_RESTORED}\n{old.name}\n{new.name}\n{old}\n{new}\n"
        f"kept {kept}\nsize {size}\nsigned {signed.size} {root}\n"
    )
