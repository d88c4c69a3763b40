"""What a record's link opens: its name, and no field, since nobody is signed in."""

from html import escape

from connectors.sandbox.salesforce.store import ONLY_FOR, Row

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title} | Salesforce</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root {{ color-scheme: light dark; --ink: #1c2030; --dim: #5d6478; --paper: #f4f5f8;
  --card: #fff; --line: #dfe2ea; --lead: #0b5cab; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #eceef5; --dim: #9ba3b8;
  --paper: #12141c; --card: #1b1e29; --line: #2d3242; --lead: #4f9bea; }} }}
body {{ margin: 0; padding: 48px 16px; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }}
main {{ max-width: 560px; margin: 0 auto; padding: 28px; border-radius: 16px;
  background: var(--card); border: 1px solid var(--line);
  border-top: 6px solid var(--lead); overflow-wrap: anywhere; }}
small {{ color: var(--lead); font-weight: 600; }} h1 {{ font-size: 22px; margin: 0; }}
p {{ color: var(--dim); margin: 16px 0 0; }}
</style></head><body><main><small>{what}</small><h1>{title}</h1><p>{text}</p></main>
</body></html>"""


def of(kind: str, row: Row | None) -> str:
    """Return the page of a record; what few may see looks like what is not there."""
    if row is None or row["IsDeleted"] or row.get(ONLY_FOR):
        text = "It was deleted, or it is not for you."
        return _PAGE.format(
            what="Salesforce", title="There is no such record", text=text
        )
    title = str(row.get("Subject") or row.get("Name") or row["Id"])
    text = (
        "This is a stand-in of Salesforce without pages of its own. What you may see of "
        "this record, and do with it, is on its card in chat."
    )
    return _PAGE.format(what=escape(kind), title=escape(title), text=text)
