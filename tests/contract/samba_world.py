"""Active Directory as a world of the suite that every source has to pass."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from bridge.directory.ports import Source
from policy.directory.active_directory.source import ActiveDirectory
from tests.samba import Samba, running_samba, samba_template
from tests.samba_told import settings_for
from tests.samba_world import ROOT, SECURITY_GLOBAL, Admin


class SambaWorld:
    """A unit of its own in a domain, with everybody of the suite in it."""

    def __init__(self, samba: Samba) -> None:
        self._samba = samba
        # Accounts are unique in a domain, and names in a unit.
        self._mark = uuid4().hex[:8]
        self._unit = f"OU={self._mark},{ROOT}"
        self._fin = f"CN=fin,{self._unit}"
        self.source: Source = self.restarted()

    def restarted(self) -> Source:
        inside = (self._unit,)
        return ActiveDirectory(
            settings_for(self._samba, bases=inside, group_bases=inside)
        )

    async def found(self) -> None:
        await self._do(lambda admin: admin.add(self._unit, "organizationalUnit"))
        for name in ("ana", "ben"):
            await self.hire(name)
        more = {"sAMAccountName": f"fin{self._mark}", "groupType": SECURITY_GLOBAL}
        await self._do(
            lambda admin: admin.add(
                self._fin, "group", member=[self._dn("ana")], **more
            )
        )

    async def hire(self, name: str) -> None:
        account = {"sAMAccountName": f"{name}{self._mark}", "userAccountControl": 544}
        await self._do(lambda admin: admin.add(self._dn(name), "user", **account))

    async def join(self, name: str) -> None:
        await self._do(lambda admin: admin.put_in(self._fin, self._dn(name)))

    async def leave(self, name: str) -> None:
        await self._do(lambda admin: admin.take_out(self._fin, self._dn(name)))

    async def disable(self, name: str) -> None:
        await self._do(lambda admin: admin.set(self._dn(name), userAccountControl=546))

    async def delete(self, name: str) -> None:
        await self._do(lambda admin: admin.delete(self._dn(name)))

    async def break_off(self) -> None:
        self._samba.kill()

    async def mend(self) -> None:
        self._samba.start()

    def _dn(self, name: str) -> str:
        return f"CN={name},{self._unit}"

    async def _do(self, act: Callable[[Admin], object]) -> None:
        def done() -> None:
            with self._samba.admin() as admin:
                act(admin)

        await asyncio.to_thread(done)


@asynccontextmanager
async def samba_world(folder: Path) -> AsyncIterator[SambaWorld]:
    """Lend a domain controller of one's own; `folder` is a test's."""
    shared = folder.parent
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with running_samba(samba_template(shared)) as samba:
        made = SambaWorld(samba)
        await made.found()
        yield made
