"""
The Knowledge API: `/api/sn_km_api/[v1/]knowledge/articles[/{id}]`.

Source: ServiceNow's documentation, "Knowledge Management REST API".
"""

from typing import Any

from connectors.sandbox.servicenow.dictionary import TABLES
from connectors.sandbox.servicenow.instance import Instance, Row
from connectors.sandbox.servicenow.replies import NO_RECORD, Call, Failure, Reply


def answer(instance: Instance, call: Call) -> Reply:
    """Do one call of the knowledge API. Raises `Failure`."""
    match (call.method, *call.path[1:]):
        case ("GET", "articles"):
            return _articles(instance, call)
        case ("GET", "articles", sys_id):
            row = instance.rows["kb_knowledge"].get(sys_id)
            if row is None or row["workflow_state"] != "published":
                raise Failure(404, *NO_RECORD)
            told = {"sys_id": sys_id, "number": row["number"], "content": row["text"]}
            told["short_description"] = row["short_description"]
            return Reply({"result": told})
    raise Failure(400, "Requested URI does not represent any resource")


def _articles(instance: Instance, call: Call) -> Reply:
    words = call.params.get("query", "").casefold().split()
    found = []
    for row in instance.all("kb_knowledge"):
        text = f"{row['number']} {row['short_description']} {row['text']}".casefold()
        hits = sum(text.count(word) for word in words)
        if row["workflow_state"] == "published" and all(w in text for w in words):
            found.append((hits, row))
    found.sort(key=lambda each: -each[0])
    offset = int(call.params.get("offset", "0"))
    limit = int(call.params.get("limit", "30"))
    fields = [name for name in call.params.get("fields", "").split(",") if name]
    shown = [
        _article(instance, row, rank, score, fields)
        for rank, (score, row) in enumerate(found[offset : offset + limit], start=1)
    ]
    meta = {
        "start": offset,
        "end": offset + len(shown),
        "fields": ",".join(fields),
        "query": call.params.get("query", ""),
        "filter": "",
        "kb": "",
        "language": "en",
        "count": len(found),
        "status": {"code": 200},
    }
    return Reply({"result": {"meta": meta, "articles": shown}})


def _article(
    instance: Instance, row: Row, rank: int, score: int, fields: list[str]
) -> dict[str, Any]:
    known = TABLES["kb_knowledge"].fields
    return {
        "link": f"?id=kb_article_view&sys_kb_id={row['sys_id']}",
        "rank": rank,
        "id": f"kb_knowledge:{row['sys_id']}",
        "title": row["short_description"],
        "snippet": row["text"][:200],
        "score": float(score),
        "number": row["number"],
        "fields": {
            name: {
                "display_value": instance.shown(known[name], row[name]),
                "name": name,
                "label": known[name].label,
                "type": known[name].kind,
                "value": row[name],
            }
            for name in fields
            if name in known
        },
    }
