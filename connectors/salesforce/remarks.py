"""What is said on cases, as far as customers may read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bridge.records.model import RecordRef, Remark
from bridge.records.ports import Access
from connectors.made import Made
from connectors.salesforce import ids, soql
from connectors.salesforce.adding import COMMENT
from connectors.salesforce.client import Client
from connectors.salesforce.rendering import moment

_MOST = 100


@dataclass(frozen=True, slots=True)
class Comments:
    """Reads the public comments of cases."""

    client: Client

    async def since(
        self, access: Access, ref: RecordRef, since_us: int
    ) -> Sequence[Remark]:
        if ref.kind != "case":
            return []
        begin = datetime.fromtimestamp(since_us // 1_000_000, UTC)
        query = soql.select(
            COMMENT,
            ["Id", "CommentBody", "IsPublished", "CreatedDate", "CreatedBy.Name"],
            f"ParentId = {soql.quoted(ids.long(ref.id))} AND IsPublished = true "
            f"AND CreatedDate >= {begin:%Y-%m-%dT%H:%M:%SZ}",
            tail=f"ORDER BY CreatedDate ASC LIMIT {_MOST}",
        )
        rows = await self.client.query(access, query, urgent=False)
        return [
            Remark(
                str(row["Id"]),
                str((row.get("CreatedBy") or {}).get("Name") or ""),
                str(row.get("CommentBody") or ""),
                round(moment(str(row["CreatedDate"])).timestamp() * 1_000_000),
                names=frozenset({str(Made(COMMENT, ids.long(str(row["Id"]))))}),
            )
            for row in rows
            if row.get("IsPublished") is True
        ]
