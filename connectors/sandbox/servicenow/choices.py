"""The choice lists that the stand-in ships with, as values with their labels."""

LEVEL = {"1": "1 - High", "2": "2 - Medium", "3": "3 - Low"}
PRIORITY = {
    "1": "1 - Critical",
    "2": "2 - High",
    "3": "3 - Moderate",
    "4": "4 - Low",
    "5": "5 - Planning",
}
INCIDENT_STATE = {
    "1": "New",
    "2": "In Progress",
    "3": "On Hold",
    "6": "Resolved",
    "7": "Closed",
    "8": "Canceled",
}
HOLD_REASON = {
    "1": "Awaiting Caller",
    "3": "Awaiting Problem",
    "4": "Awaiting Vendor",
    "5": "Awaiting Change",
}
CLOSE_CODE = {
    "Solution provided": "Solution provided",
    "Workaround provided": "Workaround provided",
    "Resolved by caller": "Resolved by caller",
    "No resolution provided": "No resolution provided",
    "Duplicate": "Duplicate",
}
CHANGE_STATE = {
    "-5": "New",
    "-4": "Assess",
    "-3": "Authorize",
    "-2": "Scheduled",
    "-1": "Implement",
    "0": "Review",
    "3": "Closed",
    "4": "Canceled",
}
CHANGE_TYPE = {"normal": "Normal", "standard": "Standard", "emergency": "Emergency"}
CHANGE_CLOSE = {
    "successful": "Successful",
    "successful_issues": "Successful with issues",
    "unsuccessful": "Unsuccessful",
}
RISK = {"2": "High", "3": "Moderate", "4": "Low"}
CONFLICT = {"": "Not Run", "Conflict": "Conflict", "No Conflict": "No Conflict"}
APPROVAL = {
    "not requested": "Not Yet Requested",
    "requested": "Requested",
    "approved": "Approved",
    "rejected": "Rejected",
}
APPROVER_STATE = {
    "not requested": "Not Yet Requested",
    "requested": "Requested",
    "approved": "Approved",
    "rejected": "Rejected",
    "cancelled": "Cancelled",
    "not_required": "No Longer Required",
    "duplicate": "Duplicate Approval",
}
TASK_STATE = {
    "-5": "Pending",
    "1": "Open",
    "2": "Work in Progress",
    "3": "Closed Complete",
    "4": "Closed Incomplete",
}
REQUEST_STATE = {
    "requested": "Pending Approval",
    "in_process": "Approved",
    "closed_complete": "Closed Complete",
    "closed_rejected": "Closed Rejected",
}
STAGE = {
    "requested": "Requested",
    "request_approved": "Approved",
    "waiting_for_approval": "Waiting for Approval",
    "fulfillment": "Fulfillment",
    "delivery": "Delivery",
    "complete": "Completed",
    "closed_complete": "Closed Complete",
    "closed_incomplete": "Request Cancelled",
}
WORKFLOW = {"draft": "Draft", "published": "Published", "retired": "Retired"}
