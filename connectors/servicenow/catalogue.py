"""
Order from the catalogue: a form of the item's own variables, and one request for it.

Ordering cannot be repeated safely, and an order has no place for a mark of ours, so
that an earlier try is looked for among what this person has just ordered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.forms import Deed, Form, Input, InputKind
from bridge.records.model import Record, RecordRef
from bridge.records.ports import Access, Done, Gone, Rejected, Unsure
from connectors.servicenow.calls import CATALOGUE, Answer, Page, Part, rows_of
from connectors.servicenow.checks import SKEW, digest, fits, required
from connectors.servicenow.query import Op, Query, where
from connectors.servicenow.reading import item_part
from connectors.servicenow.rows import written
from connectors.servicenow.tables import BY_NAME, ITEM, REQUEST, sys_id
from connectors.servicenow.variables import LOOKED_UP, inputs_of, variables_of
from connectors.servicenow.writing import Writing

_QUANTITY, _FOR = "quantity", "requested_for"
_FOR_ANOTHER = "order-for"
_ACTS = frozenset({"order", _FOR_ANOTHER})
_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Forms for what can be ordered, and orders."""

    writing: Writing
    ordered: dict[str, str] = field(default_factory=dict)  # request -> deed's mark

    async def form(self, access: Access, act: str, ref: RecordRef | None) -> Form:
        """Return an item's form. Raises `BadInput` where a chat cannot ask for it."""
        if ref is None or act not in _ACTS:
            raise BadInput("choose something of the catalogue to order")
        item = await self._item(access, ref)
        inputs = inputs_of(item)
        if not _produces(item):
            inputs = _with_the_order(inputs, for_another=act == _FOR_ANOTHER)
        rules = item.get("ui_policy") or (item.get("client_script") or {}).get(
            "onSubmit"
        )
        note = "ServiceNow may ask for more than is asked here." if rules else ""
        name = str(item.get("name") or "")
        return Form(act, f"Order {name}", inputs, "Order", ref=ref, note=note)

    async def perform(self, access: Access, deed: Deed) -> Done:
        """Order something, once. Raises what `Records.perform` does."""
        if deed.ref is None or deed.act not in _ACTS:
            raise BadInput("choose something of the catalogue to order")
        if deed.act == _FOR_ANOTHER:
            required(deed.values, {_FOR: "For whom"})
        item = await self._item(access, deed.ref)
        me = await self.writing.me(access)
        variables = await self._variables(access, item, deed.values)
        async with self.writing.turn(f"order:{me.id}"):
            if _produces(item):
                return await self._submit(access, deed, variables)
            whom = deed.values.get(_FOR, "").strip()
            wanted = me.id
            if whom:
                fields = LOOKED_UP["sys_user"]
                wanted = await self.writing.named(
                    access, "sys_user", whom, fields, _FOR
                )
            body = {
                "sysparm_quantity": _quantity(deed.values.get(_QUANTITY, "1")),
                "sysparm_requested_for": wanted,
                "variables": variables,
            }
            earlier = await self._earlier(access, deed, me.id, wanted, deed.tried_us)
            if earlier is not None:
                return Done(await self._request(access, earlier), again=True)
            return await self._order(access, deed, body, me.id)

    async def _order(
        self, access: Access, deed: Deed, body: Mapping[str, Any], me: str
    ) -> Done:
        item = deed.ref
        if item is None:
            raise BadInput("choose something of the catalogue to order")
        since_us = deed.tried_us or self.writing.reading.now_us()
        try:
            answer = await self._checked_out(access, item, body)
        except Unsure:
            wanted = str(body["sysparm_requested_for"])
            found = await self._earlier(access, deed, me, wanted, since_us)
            if found is None:
                raise
            return Done(await self._request(access, found))
        self.writing.refuse(answer)
        told = answer.result if isinstance(answer.result, Mapping) else {}
        request = str(told.get("request_id") or told.get("sys_id") or "")
        if not request:
            raise Unsure("ServiceNow did not say what became of the order: look there")
        self._remember(sys_id(request), digest(deed.key))
        record = await self._request(access, request)
        return Done(record, answer.request, after={"number": record.key})

    async def _checked_out(
        self, access: Access, item: RecordRef, body: Mapping[str, Any]
    ) -> Answer:
        """Order, and check out as well where the instance takes two steps for that."""
        part = Part(CATALOGUE, f"/servicecatalog/items/{sys_id(item.id)}/order_now")
        answer = await self.writing.calls.write(access, "POST", part, body)
        told = answer.result if answer.ok and isinstance(answer.result, Mapping) else {}
        if not told.get("cart_id") or told.get("request_id") or told.get("sys_id"):
            return answer
        part = Part(CATALOGUE, "/servicecatalog/cart/submit_order")
        return await self.writing.calls.write(access, "POST", part, {})

    async def _submit(
        self, access: Access, deed: Deed, variables: Mapping[str, str]
    ) -> Done:
        """Fill in a record producer, whose record may be of any table."""
        if deed.ref is None:
            raise BadInput("choose something of the catalogue to fill in")
        known = [
            made for made, mark in self.ordered.items() if mark == digest(deed.key)
        ]
        if known:
            table, _, id_ = known[0].rpartition(":")
            return Done(await self._made(access, deed.ref, table, id_), again=True)
        part = Part(
            CATALOGUE, f"/servicecatalog/items/{sys_id(deed.ref.id)}/submit_producer"
        )
        body = {"variables": dict(variables)}
        answer = await self.writing.calls.write(access, "POST", part, body)
        self.writing.refuse(answer)
        told = answer.result if isinstance(answer.result, Mapping) else {}
        table, id_ = str(told.get("table")), sys_id(str(told.get("sys_id")))
        self._remember(f"{table}:{id_}", digest(deed.key))
        record = await self._made(access, deed.ref, table, id_)
        number = str(told.get("number") or record.key)
        return Done(record, answer.request, after={"number": number}, note=number)

    async def _made(
        self, access: Access, item: RecordRef, table: str, id_: str
    ) -> Record:
        """Return what a producer made, or the item where that is of no known kind."""
        known = BY_NAME.get(table)
        if known is None:
            return await self.writing.record(access, item)
        ref = self.writing.reading.ref(known.kind, id_)
        return await self.writing.record(access, ref)

    async def _earlier(
        self, access: Access, deed: Deed, me: str, wanted: str, since_us: int
    ) -> str | None:
        """Return the request that a try of the same deed made since; 0: none was."""
        mark = digest(deed.key)
        for request, known in self.ordered.items():
            if known == mark:
                return request
        if deed.ref is None or not since_us:
            return None
        since = written(since_us // 1_000_000 - SKEW)
        query = Query(
            (
                where("cat_item", Op.IS, deed.ref.id),
                where("opened_by", Op.IS, me),
                where("sys_created_on", Op.FROM, since),
            ),
            "sys_created_on",
        )
        part = rows_of("sc_req_item", Page(query, ["request", "requested_for"], 20))
        (answer,) = await self.writing.calls.ask(access, [part])
        rows = self.writing.reading.kept("sc_req_item", query, answer)
        if rows is None:
            raise ServiceUnavailable("ServiceNow does not say what you ordered before")
        for row in rows:
            request = row.value("request")
            theirs = row.value("requested_for") or wanted
            if request not in self.ordered and theirs == wanted:
                self._remember(request, mark)
                return request
        return None

    def _remember(self, request: str, mark: str) -> None:
        self.ordered[request] = mark
        while len(self.ordered) > _REMEMBERED:
            del self.ordered[next(iter(self.ordered))]

    async def _request(self, access: Access, request: str) -> Record:
        ref = self.writing.reading.ref(REQUEST.kind, sys_id(request))
        return await self.writing.record(access, ref)

    async def _item(self, access: Access, ref: RecordRef) -> Mapping[str, Any]:
        if ref.kind != ITEM.kind:
            raise BadInput("choose something of the catalogue to order")
        answer = await self.writing.calls.get(access, item_part(sys_id(ref.id)))
        if answer.status in {403, 404}:
            raise Gone("it is not in the catalogue any more, or not for you")
        self.writing.refuse(answer)
        if not isinstance(answer.result, Mapping):
            raise ServiceUnavailable("ServiceNow does not show this item now")
        return answer.result

    async def _variables(
        self, access: Access, item: Mapping[str, Any], values: Mapping[str, str]
    ) -> dict[str, str]:
        """Return what was entered as the item's variables take it."""
        inputs = {each.id: each for each in inputs_of(item)}
        entered = {name: text for name, text in values.items() if name in inputs}
        unknown = set(values) - set(inputs) - {_QUANTITY, _FOR}
        if unknown:
            raise BadInput("the item has changed: open its form again")
        needed = {each.id: each.label for each in inputs.values() if each.required}
        required(entered, needed)
        found = {}
        for name, (input_, table) in variables_of(item).items():
            text = entered.get(input_.id, "").strip()
            if table and text:
                fields = LOOKED_UP[table]
                text = await self.writing.named(access, table, text, fields, input_.id)
            elif text:
                fits([input_], {input_.id: text})
            if text:
                found[name] = text
        return found


def _with_the_order(
    inputs: tuple[Input, ...], *, for_another: bool
) -> tuple[Input, ...]:
    """Ask how many are wanted as well, and for whom: first, if it is for another."""
    many = Input(_QUANTITY, "Quantity", InputKind.NUMBER, "1", required=True)
    if for_another:
        whom = Input(_FOR, "For whom", required=True, hint="their e-mail address")
        return (whom, *inputs, many)
    whom = Input(
        _FOR, "For someone else", hint="their e-mail address; empty for yourself"
    )
    return (*inputs, many, whom)


def _quantity(text: str) -> int:
    if not text.strip().isascii() or not text.strip().isdecimal():
        raise Rejected("the quantity is a number", {_QUANTITY: "a number from 1"})
    many = int(text.strip()[:6])
    if not many:
        raise Rejected("the quantity is a number", {_QUANTITY: "a number from 1"})
    return many


def _produces(item: Mapping[str, Any]) -> bool:
    return item.get("sys_class_name") == "sc_cat_item_producer"
