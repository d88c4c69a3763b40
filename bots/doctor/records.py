"""What the doctor asks business systems: whether ATOM itself gets in there."""

from collections.abc import Mapping, Sequence

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from bots.connecting_side import integration_of, place_of
from bots.core import clock_us
from bots.doctor.findings import Finding, bad, good, poor
from bots.settings import Settings
from bots.settings_records import RecordSettings
from bridge.errors import AtomError, NotAllowed, ServiceUnavailable
from bridge.records.model import System
from connectors.sign_in.asking import Asking

_TIMEOUT = 10.0
# What any account may read, to see whether a token is good.
_PROBES: Mapping[System, str] = {
    System.SERVICENOW: "api/now/ui/user/current_user",
    System.HUBSPOT: "crm/v3/objects/contacts?limit=1",
    System.SALESFORCE: "services/data",
}


async def records(settings: Settings) -> Sequence[Finding]:
    """Look at each configured system; nothing is said where there is none."""
    found: list[Finding] = []
    async with ClientSession() as session:
        for name, one in settings.records.items():
            found += await _system(session, name, one)
    with_sign_in = [one for one in settings.records.values() if one.has_sign_in]
    if with_sign_in and settings.public_url is None:
        fix = "set ATOM_PUBLIC_URL to where browsers reach ATOM"
        found.append(poor("records", "nobody can connect an account yet", fix))
    return found


async def _system(
    session: ClientSession, name: str, settings: RecordSettings
) -> Sequence[Finding]:
    what = f"records {name}"
    system = settings.kind
    asking = Asking(session, system.shown, clock_us)
    if not await _reachable(session, place_of(settings).api):
        fix = "look at its url and at the network"
        return [bad(what, f"{system.shown} is not reached", fix)]
    try:
        tokens = await integration_of(name, settings, asking).tokens()
        if settings.auth == "token" and (probe := _PROBES.get(system)):
            base = str(place_of(settings).api).rstrip("/")
            await asking.get(URL(f"{base}/{probe}"), tokens.access)
    except NotAllowed:
        fix = "look at its client id and secret, or its token, and its rights there"
        return [bad(what, f"{system.shown} does not let ATOM in", fix)]
    except ServiceUnavailable as error:
        return [bad(what, str(error), "look at its url, client id and secret")]
    except (AtomError, ValueError) as error:
        return [
            bad(what, f"cannot sign in ({type(error).__name__})", "look at its key")
        ]
    if not settings.has_sign_in and system is not System.HR:
        fix = "set client_id and client_secret, or people can only look"
        return [poor(what, f"{system.shown} lets ATOM in, and no people", fix)]
    return [good(what, f"{system.shown} lets ATOM in")]


async def _reachable(session: ClientSession, url: URL) -> bool:
    """Say whether anything answers there, whatever it says."""
    try:
        async with session.get(
            url, timeout=ClientTimeout(total=_TIMEOUT), allow_redirects=False
        ):
            return True
    except (ClientError, OSError):
        return False
