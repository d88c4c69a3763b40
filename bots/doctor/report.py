"""Print what the doctor found."""

from collections.abc import Sequence

from bots.command_line.output import print_json, print_table, say
from bots.doctor.findings import Finding, State


def healthy(findings: Sequence[Finding]) -> bool:
    """Say whether ATOM can work; warnings do not keep it from working."""
    return all(finding.state is not State.FAIL for finding in findings)


def show(findings: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        print_json({"ok": healthy(findings), "checks": [_data(f) for f in findings]})
        return
    rows = [(f.state.upper(), f.what, f.detail, f.fix) for f in findings]
    print_table(("", "what", "found", "how to fix it"), rows)
    say("")
    say("Ready to serve." if healthy(findings) else "Not ready: fix what failed.")


def _data(finding: Finding) -> dict[str, str]:
    return {
        "what": finding.what,
        "state": finding.state,
        "detail": finding.detail,
        "fix": finding.fix,
    }
