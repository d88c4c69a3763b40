"""What ATOM counts. Labels never hold what people said or who they are."""

from prometheus_client import Counter, Gauge, Histogram

REFUSED = Counter(
    "atom_refused_total", "Requests refused before capture", ["platform", "reason"]
)
IGNORED = Counter(
    "atom_ignored_total", "Events that state nothing to capture", ["platform", "reason"]
)
DELIVERED = Counter("atom_deliveries_ended_total", "Deliveries brought to an end")
QUEUED = Gauge("atom_deliveries_queued", "Deliveries this process has yet to end")
WAITS = Counter(
    "atom_limit_waits_total",
    "Deliveries held back to stay inside a platform's limits, or as it asked",
    ["platform"],
)
DELIVERY_SECONDS = Histogram(
    "atom_delivery_seconds",
    "From an event's capture to the end of its delivery",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300),
)
