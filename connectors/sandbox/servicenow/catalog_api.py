"""
The Service Catalog API: `/api/sn_sc/[v1/]servicecatalog/…`.

Source: ServiceNow's documentation, "Service Catalog API". `order_now` answers with the
request, or with a cart alone where the instance has a checkout of two steps; then
`cart/submit_order` makes the request. Nothing here is idempotent.
"""

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.servicenow.instance import Instance, Row, id_of
from connectors.sandbox.servicenow.replies import Call, Failure, Reply

_MOST = 10  # of one item in an order


def answer(instance: Instance, call: Call) -> Reply:
    """Do one call of the catalogue's API. Raises `Failure`."""
    match (call.method, *call.path[1:]):
        case ("GET", "items"):
            return _items(instance, call)
        case ("GET", "items", item):
            return Reply({"result": _detail(instance, _item(instance, item))})
        case ("POST", "items", item, "order_now"):
            return _order(instance, _item(instance, item), call)
        case ("POST", "items", item, "add_to_cart"):
            _into_cart(instance, _item(instance, item), call)
            return Reply({"result": _cart(instance, call)})
        case ("POST", "items", item, "submit_producer"):
            return _produce(instance, _item(instance, item), call)
        case ("GET", "cart"):
            return Reply({"result": _cart(instance, call)})
        case ("POST", "cart", "submit_order"):
            return _submit(instance, call)
        case ("GET", "categories", _):
            rows = instance.all("sc_category")
            return Reply({"result": [{"sys_id": r["sys_id"], **r} for r in rows]})
    raise Failure(400, "Requested URI does not represent any resource")


def _items(instance: Instance, call: Call) -> Reply:
    words = call.params.get("sysparm_text", "").casefold().split()
    found = [
        row
        for row in instance.all("sc_cat_item")
        if row["active"] == "true"
        and all(
            word in f"{row['name']} {row['short_description']}".casefold()
            for word in words
        )
    ]
    offset = int(call.params.get("sysparm_offset", "0"))
    limit = int(call.params.get("sysparm_limit", "10"))
    shown = [_brief(instance, row) for row in found[offset : offset + limit]]
    return Reply({"result": shown})


def _brief(instance: Instance, row: Row) -> dict[str, Any]:
    category = instance.rows["sc_category"].get(row["category"], {})
    producer = row["sys_id"] in instance.producers
    return {
        "sys_id": row["sys_id"],
        "name": row["name"],
        "short_description": row["short_description"],
        "description": row["description"],
        "price": row["price"],
        "localized_price": row["price"],
        "show_price": bool(row["price"]),
        "recurring_price": row["recurring_price"],
        "category": {
            "sys_id": row["category"],
            "title": category.get("title", ""),
        },
        "type": "record_producer" if producer else "catalog_item",
        "sys_class_name": "sc_cat_item_producer" if producer else "sc_cat_item",
        "mandatory_attachment": False,
        "request_method": "submit" if producer else "order",
        "turn_off_nowsm_ordering": False,
    }


def _detail(instance: Instance, row: Row) -> dict[str, Any]:
    return {
        **_brief(instance, row),
        "variables": instance.variables.get(row["sys_id"], []),
        "ui_policy": [],
        "client_script": {"onChange": [], "onLoad": [], "onSubmit": []},
    }


def _item(instance: Instance, sys_id: str) -> Row:
    row = instance.rows["sc_cat_item"].get(sys_id)
    if row is None or row["active"] != "true":
        raise Failure(404, "No Record found", "Invalid catalog item or no access")
    return row


def _variables(instance: Instance, item: Row, call: Call) -> dict[str, str]:
    """Return the variables as entered. Raises `Failure` where one has to be."""
    entered: Mapping[str, Any] = call.body.get("variables") or {}
    missing = [
        spec["label"]
        for spec in instance.variables.get(item["sys_id"], [])
        if spec["mandatory"] and not str(entered.get(spec["name"], "")).strip()
    ]
    if missing:
        raise Failure(400, "Mandatory Variables are required", ", ".join(missing))
    return {name: str(value) for name, value in entered.items()}


def _into_cart(instance: Instance, item: Row, call: Call) -> None:
    quantity = str(call.body.get("sysparm_quantity", ""))
    if not quantity.isdecimal() or not 0 < int(quantity) <= _MOST:
        raise Failure(400, "Invalid Quantity", f"1 to {_MOST}")
    wanted = str(call.body.get("sysparm_requested_for") or call.user.id)
    if wanted not in instance.rows["sys_user"]:
        raise Failure(400, "Invalid Requested For", "no such user")
    instance.carts[call.user.id].append(
        {
            "item": item["sys_id"],
            "quantity": quantity,
            "for": wanted,
            "variables": _variables(instance, item, call),
        }
    )


def _cart(instance: Instance, call: Call) -> dict[str, Any]:
    return {
        "cart_id": id_of("cart", call.user.id),
        "items": list(instance.carts[call.user.id]),
    }


def _order(instance: Instance, item: Row, call: Call) -> Reply:
    if item["sys_id"] in instance.producers:
        raise Failure(400, "Invalid item type", "submit the record producer instead")
    instance.carts[call.user.id].clear()
    _into_cart(instance, item, call)
    if instance.properties.two_step:
        return Reply({"result": {"cart_id": id_of("cart", call.user.id)}})
    return _submit(instance, call)


def _submit(instance: Instance, call: Call) -> Reply:
    cart = instance.carts[call.user.id]
    if not cart:
        raise Failure(400, "Cart is empty", "nothing to check out")
    request = instance.insert(
        "sc_request",
        {
            "requested_for": cart[0]["for"],
            "opened_by": call.user.id,
            "request_state": "requested",
            "approval": "requested",
            "short_description": "",
        },
        call.user.name,
    )
    for line in cart:
        item = instance.rows["sc_cat_item"][line["item"]]
        instance.insert(
            "sc_req_item",
            {
                "request": request["sys_id"],
                "cat_item": item["sys_id"],
                "short_description": item["name"],
                "quantity": line["quantity"],
                "requested_for": line["for"],
                "opened_by": call.user.id,
                "price": item["price"],
                "stage": "waiting_for_approval",
            },
            call.user.name,
        )
    priced = any(instance.rows["sc_cat_item"][line["item"]]["price"] for line in cart)
    cart.clear()
    if priced and instance.properties.approver:
        approval = {"approver": instance.properties.approver}
        approval |= {"sysapproval": request["sys_id"], "source_table": "sc_request"}
        approval["document_id"] = request["sys_id"]
        instance.insert("sysapproval_approver", approval, "system")
    number, id_ = request["number"], request["sys_id"]
    told: dict[str, Any] = {"sys_id": id_, "number": number, "table": "sc_request"}
    told |= {"request_number": number, "request_id": id_, "parent_id": None}
    return Reply({"result": told})


def _produce(instance: Instance, item: Row, call: Call) -> Reply:
    table = instance.producers.get(item["sys_id"])
    if table is None:
        raise Failure(400, "Invalid item type", "not a record producer")
    entered = _variables(instance, item, call)
    values = {"short_description": entered.get("short_description", item["name"])}
    values |= {"description": entered.get("description", "")}
    values |= {"opened_by": call.user.id, "caller_id": call.user.id}
    row = instance.insert(table, values, call.user.name)
    place = f"/{table}.do?sys_id={row['sys_id']}"
    told: dict[str, Any] = {"sys_id": row["sys_id"], "number": row["number"]}
    told["table"] = table
    told |= {"redirect_url": place, "parent_id": None, "redirect_portal_url": place}
    return Reply({"result": told})
