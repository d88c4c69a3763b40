/*
 * Tells ATOM that a record changed: ids and names of fields, never a value.
 *
 * A business rule for the tables incident, change_request, sc_request, sc_req_item and
 * sysapproval_approver, with When: after, Insert, Update and Delete ticked, Advanced
 * ticked, and this as its script. Nobody waits for ATOM: the call is made afterwards.
 * Two system properties say where to and with what secret: atom.webhook.url and
 * atom.webhook.secret. What all this does is told in docs/records-servicenow.md.
 */
(function executeRule(current, previous) {
    var url = gs.getProperty('atom.webhook.url');
    var secret = gs.getProperty('atom.webhook.secret');
    if (!url || !secret) {
        return;
    }

    var table = current.getTableName();
    var record = current;
    var op = String(current.operation() || 'update');
    var changed = [];

    // An approval is told as a change of what is to be approved, and an item of a request
    // as a change of its request: those are what has a card.
    if (table === 'sysapproval_approver' || table === 'sc_req_item') {
        var approval = table === 'sysapproval_approver';
        table = approval ? String(current.getValue('source_table')) : 'sc_request';
        if (table !== 'change_request' && table !== 'sc_request') {
            return;
        }
        record = new GlideRecord(table);
        if (!record.get(current.getValue(approval ? 'sysapproval' : 'request'))) {
            return;
        }
        op = 'update';
        changed = [approval ? 'approvals' : 'items'];
    } else if (op === 'update') {
        var names = GlideScriptRecordUtil.get(current).getChangedFieldNames();
        for (var i = 0; i < names.size(); i++) {
            changed.push(String(names.get(i)).toLowerCase());
        }
    }

    var body = JSON.stringify({
        event_id: gs.generateGUID(),
        table: table,
        sys_id: String(record.getUniqueValue()),
        number: String(record.getValue('number') || ''),
        op: op,
        changed: changed,
        sys_mod_count: parseInt(record.getValue('sys_mod_count'), 10) || 0,
        sys_updated_on: String(record.getValue('sys_updated_on') || ''),
        sys_updated_by: String(current.getValue('sys_updated_by') || '')
    });
    var stamp = String(Math.floor(new GlideDateTime().getNumericValue() / 1000));

    // generateMac takes its key in base64 and answers in base64; ATOM takes hexadecimal.
    var mac = String(new CertificateEncryption().generateMac(
        GlideStringUtil.base64Encode(secret), 'HmacSHA256', stamp + '.' + body));
    var digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    var bits = '';
    var hex = '';
    for (var j = 0; j < mac.length && mac.charAt(j) !== '='; j++) {
        bits += (digits.indexOf(mac.charAt(j)) + 64).toString(2).substring(1);
    }
    for (var k = 0; k + 8 <= bits.length; k += 8) {
        hex += (parseInt(bits.substring(k, k + 8), 2) + 256).toString(16).substring(1);
    }

    var request = new sn_ws.RESTMessageV2();
    request.setHttpMethod('post');
    request.setEndpoint(url);
    request.setHttpTimeout(10000);
    request.setRequestHeader('Content-Type', 'application/json');
    request.setRequestHeader('X-ATOM-Timestamp', stamp);
    request.setRequestHeader('X-ATOM-Signature', 'v1=' + hex);
    request.setRequestBody(body);
    // What is lost on the way is found when ATOM asks what was written since.
    request.executeAsync();
})(current, previous);
