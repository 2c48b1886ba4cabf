"""The collector's figures for Prometheus, on request and on this computer only. No record content, no keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, Protocol

from pod_desktop.core.clock import SECOND
from pod_desktop.core.faults import Outage
from pod_desktop.core.status import COUNTER_NAMES, STATES, StreamStatus

if TYPE_CHECKING:
    from prometheus_client import Metric

LOOPBACK: Final = "127.0.0.1"
_LABELS: Final = ("connector", "type")


class Server(Protocol):
    """What answers; shut it down at the end."""

    server_port: int

    def shutdown(self) -> None: ...

    def server_close(self) -> None: ...


class Figures:
    """What Prometheus is told: the streams' states as they are when it asks."""

    def __init__(self, statuses: Callable[[], Iterable[StreamStatus]]) -> None:
        self._statuses = statuses

    def collect(self) -> Iterator[Metric]:
        """One metric after the other (prometheus_client.registry.Collector)."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        streams = list(self._statuses())
        for name in COUNTER_NAMES:
            words = "Bytes of records as received" if name == "bytes_raw" else f"Records {name}"
            counter = CounterMetricFamily(f"pod_desktop_{name}", f"{words}.", labels=_LABELS)
            for stream in streams:
                counter.add_metric((stream.connector, stream.kind), getattr(stream.counters, name))
            yield counter
        dropped = CounterMetricFamily(
            "pod_desktop_filter_dropped", "Records dropped by a log filter.", labels=(*_LABELS, "filter")
        )
        state = GaugeMetricFamily(
            "pod_desktop_state", "1 for the state that a stream is in.", labels=(*_LABELS, "state")
        )
        for stream in streams:
            for name, count in stream.filters:
                dropped.add_metric((stream.connector, stream.kind, name), count)
            for name in STATES:
                state.add_metric((stream.connector, stream.kind, name), float(stream.state == name))
        yield dropped
        yield state
        for name, words, value in _GAUGES:
            gauge = GaugeMetricFamily(f"pod_desktop_{name}", words, labels=_LABELS)
            for stream in streams:
                if (found := value(stream)) is not None:
                    gauge.add_metric((stream.connector, stream.kind), found)
            yield gauge


_GAUGES: Final[tuple[tuple[str, str, Callable[[StreamStatus], float | None]], ...]] = (
    ("lag_seconds", "From the newest record's time to its commit.", lambda stream: stream.lag_s),
    ("rate", "Records a second over the last seconds.", lambda stream: stream.rate),
    ("gaps", "Stretches known to be missing.", lambda stream: len(stream.gaps)),
    ("hours_left", "Hours still to be fetched from the archive.", lambda stream: stream.hours_left),
    (
        "last_activity_timestamp_seconds",
        "When something last arrived.",
        lambda stream: stream.last_activity / SECOND if stream.last_activity else None,
    ),
)


def serve(port: int, statuses: Callable[[], Iterable[StreamStatus]]) -> Server:
    """Answer on http://127.0.0.1:PORT/metrics from a thread of its own.

    Raises:
        Outage: the port is taken.
    """
    from prometheus_client import CollectorRegistry, start_http_server

    registry = CollectorRegistry()
    registry.register(Figures(statuses))
    try:
        server, _ = start_http_server(port, addr=LOOPBACK, registry=registry)
    except OSError as error:
        raise Outage(
            f"Figures cannot be told on port {port} ({error.strerror or error}).",
            "--metrics",
            "Choose another port.",
        ) from None
    return server
