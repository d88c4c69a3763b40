"""The shipped script, run in a JavaScript engine, is believed by what reads it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import playwright
import pytest

from bridge.errors import NotAllowed
from bridge.records.model import NEVER, ChangeKind, RecordChange
from connectors.sandbox.servicenow.app import SECRET
from connectors.servicenow.connector import business_rule
from connectors.servicenow.hooks import Hooks
from tests.unit.connectors.servicenow.world import INC1, WAITING, ref

NODE = Path(playwright.__file__).parent / "driver" / "node"
NOW = 1_800_000_000
# What of an instance the script uses, in as few words as it needs.
GLIDE = """
const crypto = require('crypto');
const {now, secret, row, change} = JSON.parse(process.argv[1]);
const gs = {
  getProperty: name => ({'atom.webhook.url': 'https://atom.example/hooks/servicenow',
                         'atom.webhook.secret': secret})[name],
  generateGUID: () => 'c0ffee',
};
class GlideDateTime { getNumericValue() { return now * 1000 + 999; } }
class CertificateEncryption {
  generateMac(key, algorithm, data) {
    if (algorithm !== 'HmacSHA256') throw new Error(algorithm);
    return crypto.createHmac('sha256', Buffer.from(key, 'base64'))
      .update(data).digest('base64');
  }
}
const GlideStringUtil = {base64Encode: text => Buffer.from(text).toString('base64')};
const names = row.changed || [];
const GlideScriptRecordUtil = {get: () => ({getChangedFieldNames: () =>
  ({size: () => names.length, get: i => names[i].toUpperCase()})})};
const wrap = fields => ({
  getTableName: () => fields.table, operation: () => fields.op,
  getUniqueValue: () => fields.sys_id,
  getValue: name => name in fields ? fields[name] : null,
});
class GlideRecord {
  get(id) { if (!change || id !== change.sys_id) return false;
            Object.assign(this, wrap(change)); return true; }
}
const sent = {headers: {}};
const sn_ws = {RESTMessageV2: class {
  setHttpMethod(v) { sent.method = v; } setEndpoint(v) { sent.url = v; }
  setHttpTimeout() {} setRequestHeader(n, v) { sent.headers[n] = v; }
  setRequestBody(v) { sent.body = v; } executeAsync() { sent.done = true; }
}};
const current = wrap(row), previous = null;
"""
INCIDENT = {
    "table": "incident",
    "op": "update",
    "sys_id": INC1.id,
    "number": "INC0010001",
    "sys_mod_count": "7",
    "sys_updated_on": "2026-11-22 20:41:00",
    "sys_updated_by": "beth",
    "short_description": "TOP SECRET – ä",
    "changed": ["state", "short_description"],
}
APPROVAL = {
    "table": "sysapproval_approver",
    "op": "update",
    "sys_id": "b" * 32,
    "source_table": "change_request",
    "sysapproval": WAITING.id,
    "sys_updated_by": "alice",
}
CHANGE = {**INCIDENT, "table": "change_request", "sys_id": WAITING.id}


def run(row: dict[str, Any], secret: str = SECRET, **more: Any) -> dict[str, Any]:
    told = json.dumps({"now": NOW, "secret": secret, "row": row, **more})
    script = f"{GLIDE}\n{business_rule()}\nconsole.log(JSON.stringify(sent));"
    done = subprocess.run(
        [NODE, "-e", script, told], capture_output=True, text=True, check=True
    )
    sent: dict[str, Any] = json.loads(done.stdout)
    return sent


def heard(sent: dict[str, Any], secret: str = SECRET) -> RecordChange:
    hooks = Hooks("acme", (secret,), lambda _id, _count: False)
    (change,) = hooks.heard(sent["headers"], sent["body"].encode(), NOW)
    return change


@pytest.mark.parametrize("secret", [SECRET, "ä" * 20, "x" * 200])
def test_what_the_script_signs_is_believed(secret: str) -> None:
    sent = run(INCIDENT, secret)

    change = heard(sent, secret)

    assert (change.ref, change.rev.order, change.actor) == (INC1, 7, "beth")
    assert change.fields == ("state", "short_description")
    assert sent["done"]
    assert "TOP SECRET" not in sent["body"]
    assert secret not in json.dumps(sent)
    with pytest.raises(NotAllowed):
        heard(sent, "another-secret-of-length")


@pytest.mark.parametrize(
    ("op", "kind"), [("insert", ChangeKind.CREATED), ("delete", ChangeKind.DELETED)]
)
def test_it_says_what_happened(op: str, kind: ChangeKind) -> None:
    assert heard(run({**INCIDENT, "op": op})).kind is kind


def test_an_approval_is_told_as_its_changes() -> None:
    change = heard(run(APPROVAL, change=CHANGE))

    assert (change.ref, change.fields) == (WAITING, ("approvals",))
    assert change.actor == "alice"


def test_an_item_is_told_as_its_requests() -> None:
    item = {"table": "sc_req_item", "op": "update", "sys_id": "b" * 32}
    request = {**CHANGE, "table": "sc_request"}

    change = heard(run({**item, "request": WAITING.id}, change=request))

    assert change.ref == ref("request", WAITING.id)
    assert (change.fields, change.rev) == (("items",), NEVER)


def test_approvals_of_other_things_and_no_secret_tell_nothing() -> None:
    assert "body" not in run(
        {**APPROVAL, "source_table": "kb_knowledge"}, change=CHANGE
    )
    assert "body" not in run(APPROVAL, change=None)
    assert "body" not in run(INCIDENT, secret="")
