"""The organisation: which workspaces it has, and what its app may do there."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from uuid import uuid4

from bots.sandbox.settings import Settings
from bots.sandbox.slack import grid_seed
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.model import User, Usergroup


@dataclass(slots=True)
class Session:
    """One place where somebody is signed in."""

    id: int
    user: str
    team: str
    mobile: bool


@dataclass(slots=True)
class _Token:
    text: str
    until: float


class Grid:
    """
    What an organisation holds beside its workspaces.

    It is there all the time, and of no effect while the setting `slack.grid` is off.
    """

    def __init__(
        self, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._numbers = count(1001)
        self.reset()

    def reset(self) -> None:
        self.teams = list(grid_seed.TEAMS)
        self.groups = {one.id: one for one in grid_seed.idp_groups()}
        self.group_teams: dict[str, list[str]] = {one: [] for one in self.groups}
        self.default_channels: dict[str, list[str]] = {}
        self.sessions: list[Session] = []
        self.installed = False
        self.granted: list[str] = []
        self.moving: set[str] = set()
        self._tokens: list[_Token] = []
        self._refresh = ""

    @property
    def on(self) -> bool:
        return bool(self._settings.get("slack.grid"))

    def enterprise_of(self, team: str) -> str:
        """The organisation of a workspace, or an empty string."""
        return grid_seed.ORG if self.on and team in self.teams else ""

    def hides(self, team: str) -> bool:
        """Whether a workspace only exists when there is an organisation."""
        return not self.on and team in self.teams and team != grid_seed.TEAMS[0]

    def group(self, group: str) -> Usergroup:
        try:
            return self.groups[group]
        except KeyError:
            raise SlackRefusal("group_not_found") from None

    def sign_in(self, user: User, team: str, *, mobile: bool) -> Session:
        session = Session(next(self._numbers), user.id, team, mobile)
        self.sessions.append(session)
        return session

    def is_token(self, token: str) -> bool:
        return self.installed and any(one.text == token for one in self._tokens)

    def expired(self, token: str) -> bool:
        return any(
            one.text == token and self._clock() > one.until for one in self._tokens
        )

    def issue(self) -> tuple[str, str, float]:
        """
        Give out an access token; with rotation a refresh token and a life as well.

        The oldest tokens die when there are more than may live.
        """
        if not self._settings.get("slack.token_rotation"):
            self._tokens = [_Token(grid_seed.ORG_BOT_TOKEN, float("inf"))]
            return grid_seed.ORG_BOT_TOKEN, "", 0.0
        seconds = float(self._settings.get("slack.token_seconds"))
        token = f"xoxe.xoxb-1-{uuid4().hex}"
        self._refresh = f"xoxe-1-{uuid4().hex}"
        most = int(self._settings.get("slack.live_tokens"))
        self._tokens = [*self._tokens, _Token(token, self._clock() + seconds)][-most:]
        return token, self._refresh, seconds

    def refreshed(self, refresh: str) -> tuple[str, str, float]:
        """Give out the next tokens for a refresh token, which is then used up."""
        if not refresh or refresh != self._refresh or not self.installed:
            raise SlackRefusal("invalid_refresh_token")
        return self.issue()

    def forget_tokens(self) -> None:
        self._tokens, self._refresh = [], ""
