"""Ten thousand people: paged through, each once, and found."""

import orjson

from storage.hot import Insert, Program, Statement
from tests.scim_client import ScimServer

MANY = 10_000


async def fill(server: ScimServer) -> None:
    rows = [
        {
            "tenant": "acme",
            "id": f"id-{n}",
            "kind": "User",
            "number": n + 1,
            "version": 1,
            "change": n + 1,
            "label": f"u{n:05}",
            "external": f"x{n}",
            "document": orjson.dumps(
                {
                    "userName": f"u{n:05}",
                    "externalId": f"x{n}",
                    "title": f"t{n % 7}",
                    "active": True,
                }
            ).decode(),
            "created_us": 1_900_000_000_000_000,
            "modified_us": 1_900_000_000_000_000,
            "deleted": 0,
        }
        for n in range(MANY)
    ]

    def program() -> Program[None]:
        yield Insert("scim_resource", rows)
        yield Statement(
            "INSERT INTO scim_head (tenant, change) VALUES ('acme', :change)",
            {"change": MANY},
        )

    await server.core.database.hot.run(program)


async def test_paging_through_ten_thousand_names_everybody_once(
    server: ScimServer,
) -> None:
    await fill(server)

    seen: list[str] = []
    while len(seen) < MANY:
        page = await server.get(
            f"/Users?startIndex={len(seen) + 1}&count=1000&attributes=userName"
        )
        assert page.body["totalResults"] == MANY
        seen += [each["userName"] for each in page.body["Resources"]]

    assert seen == [f"u{n:05}" for n in range(MANY)]


async def test_somebody_among_ten_thousand_is_found_by_any_filter(
    server: ScimServer,
) -> None:
    await fill(server)

    async def found(query: str) -> tuple[int, list[str]]:
        body = (await server.get(f"/Users?{query}")).body
        names = [each["userName"] for each in body["Resources"]]
        return body["totalResults"], names

    assert await found('filter=userName eq "U09999"') == (1, ["u09999"])
    assert await found('filter=externalId eq "x42"') == (1, ["u00042"])
    assert await found('filter=externalId eq "X42"') == (0, [])
    total, names = await found(
        'filter=title eq "T3" and not (userName sw "u0")&count=2'
        "&sortBy=userName&sortOrder=descending"
    )
    assert total == 0
    assert names == []
    total, names = await found(
        'filter=title eq "t3"&count=2&sortBy=userName&sortOrder=descending'
    )
    assert total == len([n for n in range(MANY) if n % 7 == 3])
    assert names == ["u09999", "u09992"] if MANY % 7 == 4 else names[0] > names[1]
