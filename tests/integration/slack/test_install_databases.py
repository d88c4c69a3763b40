"""Installs are kept by either database, in the tables that the migrations make."""

from slack_sdk.oauth.installation_store import Installation

from bots.slack.install import Installations, OAuth, _states
from storage.database import engine_for
from storage.database_url import database_url as parsed
from storage.migrate import upgrade


async def test_trap_installs_are_kept_in_tables_that_migrations_make(
    database_url: str,
) -> None:
    engine = engine_for(parsed(database_url))
    await upgrade(engine)
    installations = Installations(engine, OAuth("client", "secret"), "fallback")
    assert installations.store is not None
    await installations.store.async_save(
        Installation(
            app_id="A01ATOM",
            team_id="T02GLOBEX",
            user_id="U11GRACE",
            bot_token="installed",
            bot_id="BATOM2",
            bot_user_id="UATOM2",
        )
    )

    assert await installations.token("T02GLOBEX") == "installed"

    await installations.remove("T02GLOBEX")
    assert await installations.token("T02GLOBEX") == "fallback"
    await engine.dispose()


async def test_an_install_state_is_good_once(database_url: str) -> None:
    engine = engine_for(parsed(database_url))
    await upgrade(engine)
    states = _states(engine)
    state = await states.async_issue()

    assert await states.async_consume(state)
    assert not await states.async_consume(state)
    await engine.dispose()
