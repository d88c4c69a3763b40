"""
The bearer tokens that identity providers come with: made, replaced, taken back.

A token is `atom_scim_`, eight characters that name it, a secret of 43 characters with
256 bits in it, and six that are its checksum. It is kept as a hash: with so much chance
in it, a salt or a slow hash would add nothing. Two are live at most, so that one can be
put in place while the other still serves; it then ends by itself.
"""

import hmac
import secrets
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from bridge.compliance import Officer
from bridge.directory.scim import Made, Token
from bridge.errors import BadInput, Conflict, NotFound
from storage.compliance.acts import Act, Acts
from storage.hot import HotStore, Row, Statement, run_one

LONGEST_DAYS = 90
OVERLAP_DAYS = 7
LIVE = 2

_DAY_US = 86_400_000_000
_USED_EVERY_US = 3_600_000_000
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PREFIX = "atom_scim_"
_ID, _SECRET, _CHECK = 8, 43, 6
_COLUMNS = "id, tenant, note, created_by, created_us, expires_us, revoked_us, used_us"


def well_formed(text: str) -> bool:
    """Say whether a text can be a token at all: its checksum is right."""
    body, check = text[:-_CHECK], text[-_CHECK:]
    return (
        text.isascii()
        and text.startswith(_PREFIX)
        and len(text) == len(_PREFIX) + _ID + 1 + _SECRET + _CHECK
        and hmac.compare_digest(check, _checksum(body))
    )


@dataclass(frozen=True, slots=True)
class StoredTokens:
    """Implements `bridge.directory.scim.ScimTokens`, and makes tokens."""

    store: HotStore
    acts: Acts
    clock: Callable[[], int]

    async def tenant_of(self, text: str) -> Token | None:
        if not well_formed(text):
            return None
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS}, digest FROM scim_token WHERE id = :id",
                {"id": _id_of(text)},
            )
        )
        if not rows or not hmac.compare_digest(rows[0][8], _digest(text)):
            return None
        token = _token(rows[0])
        if not token.live(self.clock()):
            return None
        await self._used(token)
        return token

    async def all(self, tenant: str) -> Sequence[Token]:
        """Return the company's tokens, the newest first, also those that ended."""
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM scim_token WHERE tenant = :tenant "
                "ORDER BY created_us DESC, id",
                {"tenant": tenant},
            )
        )
        return [_token(row) for row in rows]

    async def create(
        self, tenant: str, actor: Officer, note: str, days: int = LONGEST_DAYS
    ) -> Made:
        """
        Make a token; one that lives already ends within a week.

        Raises `Conflict` if two are live, `BadInput` for more than 90 days.
        """
        if not 1 <= days <= LONGEST_DAYS:
            raise BadInput(f"a token lives for 1 to {LONGEST_DAYS} days")
        now = self.clock()
        known = await self.all(tenant)
        live = [token for token in known if token.live(now)]
        if len(live) >= LIVE:
            raise Conflict(
                f"{live[-1].id} and {live[0].id} are live: revoke the one that is "
                f"not used any more with 'atom directory scim token revoke "
                f"{live[-1].id}'"
            )
        text = _made()
        token = Token(_id_of(text), tenant, note, actor.name, now, now + days * _DAY_US)
        act = Act(
            tenant,
            "admin.config",
            actor.name,
            f"made SCIM token {token.id}",
            {"what": f"scim:token:{token.id}", "old": "", "new": note},
        )
        # Two who make one at once would each believe that there is room for it.
        receipt = await self.acts.note(
            act,
            (_inserted(token, text), _ending(tenant, token, now)),
            f"scim:token:{len(known)}",
        )
        if receipt.duplicate:
            raise Conflict("Somebody made a token just now: look again.")
        return Made(token, text)

    async def revoke(self, tenant: str, actor: Officer, token: str) -> None:
        """End a token now; to end it twice changes nothing. Raises `NotFound`."""
        known = [each for each in await self.all(tenant) if each.id == token]
        if not known:
            raise NotFound(f"There is no SCIM token {token}.")
        if known[0].revoked_us:
            return
        act = Act(
            tenant,
            "admin.config",
            actor.name,
            f"revoked SCIM token {token}",
            {"what": f"scim:token:{token}", "old": known[0].note, "new": ""},
        )
        changed = Statement(
            "UPDATE scim_token SET revoked_us = :now WHERE tenant = :tenant "
            "AND id = :id AND revoked_us = 0",
            {"now": self.clock(), "tenant": tenant, "id": token},
        )
        await self.acts.note(act, (changed,))

    async def _used(self, token: Token) -> None:
        """Write down, once an hour, that a token is in use."""
        now = self.clock()
        if now - token.used_us < _USED_EVERY_US:
            return

        await run_one(
            self.store,
            Statement(
                "UPDATE scim_token SET used_us = :now WHERE id = :id",
                {"now": now, "id": token.id},
            ),
        )


def _made() -> str:
    letters = [secrets.choice(_LETTERS) for _ in range(_ID + _SECRET)]
    body = f"{_PREFIX}{''.join(letters[:_ID])}_{''.join(letters[_ID:])}"
    return body + _checksum(body)


def _checksum(body: str) -> str:
    number, letters = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK):
        number, rest = divmod(number, len(_LETTERS))
        letters = _LETTERS[rest] + letters
    return letters


def _id_of(text: str) -> str:
    return text[len(_PREFIX) : len(_PREFIX) + _ID]


def _digest(text: str) -> str:
    return sha256(f"atom scim token {text}".encode()).hexdigest()


def _inserted(token: Token, text: str) -> Statement:
    return Statement(
        f"INSERT INTO scim_token ({_COLUMNS}, digest) VALUES (:id, :tenant, :note, "
        ":created_by, :created_us, :expires_us, 0, 0, :digest)",
        {
            "id": token.id,
            "tenant": token.tenant,
            "note": token.note,
            "created_by": token.created_by,
            "created_us": token.created_us,
            "expires_us": token.expires_us,
            "digest": _digest(text),
        },
    )


def _ending(tenant: str, newest: Token, now: int) -> Statement:
    """Let what lived before the newest token live for a week more at most."""
    until = now + OVERLAP_DAYS * _DAY_US
    return Statement(
        "UPDATE scim_token SET expires_us = :until WHERE tenant = :tenant "
        "AND id <> :id AND revoked_us = 0 AND expires_us > :until",
        {"until": until, "tenant": tenant, "id": newest.id},
    )


def _token(row: Row) -> Token:
    return Token(*row[:8])
