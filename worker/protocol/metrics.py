"""Figures for Prometheus: each room says what it has (`Figure`), and `serve` answers scrapes with it.

prometheus-client (Apache-2.0, the extra `metrics`) is loaded only where a port is set: it knows the format, and adds the
process' own memory and file handles. What is counted on a frame's way costs no more than our own counters.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from worker.protocol.telemetry import Buckets

log = logging.getLogger(__name__)

PREFIX = "attendance"
Labels = tuple[tuple[str, str], ...]
Values = dict[Labels, float | Buckets]


@dataclass(frozen=True)
class Figure:
    """`name` is without the prefix, with its unit; `values` by labels, a `Buckets` where the kind is a histogram."""

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    help: str
    values: Mapping[Labels, float | Buckets]


def one(kind: Literal["counter", "gauge", "histogram"], name: str, help: str, value: float | Buckets) -> Figure:
    """A figure without labels."""
    return Figure(kind, name, help, {(): value})


def by(label: str, values: Mapping[str, float | Buckets]) -> Values:
    """Values told apart by one label."""
    return {((label, value),): number for value, number in values.items()}


def serve(port: int, host: str, figures: Callable[[], Iterable[Figure]]) -> Callable[[], None]:
    """Answer scrapes of http://host:port/metrics in threads of its own until the returned function is called.

    Without a port (0) nothing happens. A port that can't be had, or the missing package, is logged and nothing more:
    people at the door come before figures about them.
    """
    if not port:
        return lambda: None
    try:
        from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collector(figures))
        ProcessCollector(registry=registry)
        server, thread = start_http_server(port, host, registry)
    except ModuleNotFoundError:
        log.error("no metrics: prometheus-client is not installed: pip install 'attendance-kiosk[metrics]'")
        return lambda: None
    except OSError as error:
        log.error("no metrics: port %d of %s can't be had (%s); set another METRICS_PORT", port, host, error)
        return lambda: None
    log.info("metrics on http://%s:%d/metrics", host, port)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join(timeout=2)

    return stop


class _Collector:
    """Asks for the figures at each scrape."""

    def __init__(self, figures: Callable[[], Iterable[Figure]]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        kinds = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}
        for figure in self._figures():
            names = [name for name, _ in next(iter(figure.values), ())]
            full = f"{PREFIX}_{figure.name}"
            family: Any = kinds[figure.kind](full, figure.help, labels=names)
            for labels, value in figure.values.items():
                words = [word for _, word in labels]
                if isinstance(value, Buckets):
                    buckets, total = value.cumulated()
                    family.add_metric(words, buckets, total)
                else:
                    family.add_metric(words, float(value))
            yield family
