"""What a record's link opens: its name, and no field, since nobody is signed in."""

from html import escape

from aiohttp import web

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title} | {system}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root {{ color-scheme: light dark; --ink: #1c2030; --dim: #5d6478; --paper: #f4f5f8;
  --card: #fff; --line: #dfe2ea; --lead: {lead}; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #eceef5; --dim: #9ba3b8;
  --paper: #12141c; --card: #1b1e29; --line: #2d3242; --lead: {bright}; }} }}
body {{ margin: 0; padding: 48px 16px; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }}
main {{ max-width: 560px; margin: 0 auto; padding: 28px; border-radius: 16px;
  background: var(--card); border: 1px solid var(--line);
  border-top: 6px solid var(--lead); overflow-wrap: anywhere; }}
small {{ color: var(--lead); font-weight: 600; }} h1 {{ font-size: 22px; margin: 0; }}
p {{ color: var(--dim); margin: 16px 0 0; }}
</style></head><body><main><small>{what}</small><h1>{title}</h1><p>{text}</p></main>
</body></html>"""


# Each system's colour on light and on dark.
_COLOURS = {
    "Salesforce": ("#0b5cab", "#4f9bea"),
    "ServiceNow": ("#1f6b52", "#5ec2a0"),
    "Jira": ("#1d4fc4", "#7ea6f8"),
    "HubSpot": ("#b8431f", "#f4906f"),
    "HR": ("#6b3fa0", "#b592e6"),
}


def of(system: str, what: str, title: str) -> web.Response:
    """Return the page of a record; without a title, of one that is not there."""
    lead, bright = _COLOURS[system]
    if title:
        text = (
            f"This is a stand-in of {system} without pages of its own. What you may see "
            "of this record, and do with it, is on its card in chat."
        )
    else:
        # What few may see looks the same.
        what, title = system, "There is no such record"
        text = "It was deleted, or it is not for you."
    page = _PAGE.format(
        system=system,
        lead=lead,
        bright=bright,
        what=escape(what),
        title=escape(title),
        text=text,
    )
    status = 404 if what == system else 200
    return web.Response(text=page, content_type="text/html", status=status)
