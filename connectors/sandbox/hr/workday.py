"""
A stand-in for Workday's REST API: a token for a refresh token, workers page by page.

A page holds at most 100 workers; `total` counts them all at the moment of the page, so
a list that changes meanwhile shows.
"""

import base64
from secrets import token_urlsafe

from aiohttp.web import Request, Response, json_response

from connectors.sandbox.hr.company import Company

_MOST = 100
_USUAL = 20


class Workday:
    """Answers for one tenant."""

    def __init__(self, company: Company) -> None:
        self._company = company

    async def token(self, request: Request) -> Response:
        form = await request.post()
        pair = ":".join(self._company.client).encode()
        wanted = f"Basic {base64.b64encode(pair).decode()}"
        if request.headers.get("Authorization") != wanted:
            return json_response({"error": "invalid_client"}, status=401)
        given = (form.get("grant_type"), form.get("refresh_token"))
        if given != ("refresh_token", self._company.refresh_token):
            return json_response({"error": "invalid_grant"}, status=400)
        made = token_urlsafe(24)
        self._company.tokens.add(made)
        told = {"access_token": made, "token_type": "Bearer", "expires_in": 3600}
        return json_response(told)

    async def workers(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        try:
            limit = int(request.query.get("limit", _USUAL))
            offset = int(request.query.get("offset", "0"))
        except ValueError:
            return _error(400, "limit and offset are numbers")
        if not 0 < limit <= _MOST:
            return _error(400, f"limit is at most {_MOST}")
        told = self._company.workers
        if offset and self._company.vanishing:
            self._company.vanishing -= 1
            told.pop(0)
        page = told[offset : offset + limit]
        return json_response({"data": page, "total": len(told)})

    async def report(self, request: Request) -> Response:
        """A report that the company publishes as a service: all of it at once."""
        if (refused := self._refused(request)) is not None:
            return refused
        return json_response({"Report_Entry": self._company.workers})

    def _refused(self, request: Request) -> Response | None:
        if request.match_info["tenant"] != self._company.name:
            return _error(404, "The tenant is not known")
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or given not in self._company.tokens:
            return _error(401, "invalid or expired token")
        return None


def _error(status: int, message: str) -> Response:
    return json_response({"error": message, "errors": []}, status=status)
