"""How patient ATOM is with what it delivers."""

from dataclasses import dataclass

from bridge.messages import Platform

SLACK_PART = 3_900
TEAMS_PART = 80_000


@dataclass(frozen=True, slots=True)
class Tuning:
    """
    How patient a courier is. Times in microseconds.

    `slack_part` and `teams_part` are how much is sent as one message: characters in
    Slack, where an edit takes 4,000, and bytes of UTF-16 in Teams, which takes 100 KB.
    `clock_skew_us` is by how much two machines' clocks may differ, ours and the
    platforms' among them: what may have happened is looked for that much earlier.
    `undecided_us` is how long a message waits for a policy that cannot decide on it.
    """

    tries: int = 8
    first_pause_us: int = 500_000
    longest_pause_us: int = 60_000_000
    reconcile_after_us: int = 5_000_000
    longest_call_us: int = 10_000_000
    clock_skew_us: int = 900_000_000
    orphan_patience_us: int = 3_000_000
    paused_link_us: int = 1_000_000
    undecided_us: int = 300_000_000
    undecided_pause_us: int = 1_000_000
    dormant_us: int = 14 * 86_400_000_000
    slack_part: int = SLACK_PART
    teams_part: int = TEAMS_PART

    def part(self, platform: Platform) -> int:
        """Return how much one message may weigh on a platform."""
        return self.slack_part if platform is Platform.SLACK else self.teams_part

    def over_us(self, since_us: int, now_us: int) -> int:
        """
        Return when a call that another process began is surely over.

        It noted `since_us` by its own clock, and that may have been behind.
        """
        wait = self.reconcile_after_us + self.longest_call_us
        lately = now_us - since_us < self.clock_skew_us + wait
        return (now_us if lately else since_us) + wait

    @property
    def longest_unknown_us(self) -> int:
        """How long a copy may stand there before ATOM knows of it."""
        waits = self.reconcile_after_us + self.longest_call_us
        return waits + self.orphan_patience_us
