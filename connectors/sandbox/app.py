"""All stand-ins in one process, each below its name: `/salesforce`, `/servicenow`, …"""

from collections.abc import Sequence

from aiohttp import web

from connectors.sandbox.stand_in import PREFIX, StandIn


def create_app(stand_ins: Sequence[StandIn]) -> web.Application:
    """Return an app that serves each stand-in below `/{name}`."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    for stand_in in stand_ins:
        inner = stand_in.build()
        inner[PREFIX] = f"/{stand_in.name}"
        app.add_subapp(f"/{stand_in.name}/", inner)
    return app
