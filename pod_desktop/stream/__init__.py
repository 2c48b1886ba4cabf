"""How events arrive: wire (frames and URLs), verdict (what next), session (the socket). No records are read here."""

from pod_desktop.stream import probe, verdict
from pod_desktop.stream.arrivals import Arrivals, Frame
from pod_desktop.stream.session import Failed, Session, Target, open_session
from pod_desktop.stream.verdict import HEALTHY_SECONDS, Attempts, Backoff, Verdict, delay
from pod_desktop.stream.wire import (
    first_in_reach,
    from_runs,
    hour_begin,
    hour_of,
    objects,
    record_bytes,
    runs,
    split,
    stream_url,
)

__all__ = [
    "HEALTHY_SECONDS",
    "Arrivals",
    "Attempts",
    "Backoff",
    "Failed",
    "Frame",
    "Session",
    "Target",
    "Verdict",
    "delay",
    "first_in_reach",
    "from_runs",
    "hour_begin",
    "hour_of",
    "objects",
    "open_session",
    "probe",
    "record_bytes",
    "runs",
    "split",
    "stream_url",
    "verdict",
]
