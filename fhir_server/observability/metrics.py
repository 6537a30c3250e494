"""Metrics for Prometheus, summed over all worker processes.

https://prometheus.github.io/client_python/multiprocess/

The client library decides at its import whether it counts for one process or for several, by an environment variable.
So it is imported by `start`, after that is set, and not with this module.
"""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(slots=True)
class _Metrics:
    registry: "CollectorRegistry"
    requests: "Counter"
    seconds: "Histogram"
    restarts: "Counter"
    counters: dict[tuple[str, str, int], "Counter"] = field(default_factory=dict)
    histograms: dict[str, "Histogram"] = field(default_factory=dict)


_metrics: _Metrics | None = None


def start(directory: Path | None = None) -> None:
    """Begin to count; with a directory, together with every process that is forked from this one.

    Call it once, before any request. The directory is private to this process and its children: `directory/PID`;
    those that killed processes left there are removed.
    """
    global _metrics  # noqa: PLW0603 - one set of metrics for a process, as the client library has it
    if directory is not None:
        _sweep(directory)
        own = directory / str(os.getpid())
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ[_VARIABLE] = str(own)
    from prometheus_client import CollectorRegistry, Counter, Histogram  # noqa: PLC0415 - see above
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    counted = CollectorRegistry()
    _metrics = _Metrics(
        counted,
        Counter("tsunagi_requests", "Interactions answered", ["interaction", "type", "status"], registry=counted),
        Histogram("tsunagi_request_seconds", "Time to answer", ["interaction"], buckets=_BUCKETS, registry=counted),
        Counter("tsunagi_restarts", "Processes that ended by themselves and were started again", ["process"], registry=counted),
    )
    if directory is not None:
        _metrics.registry = CollectorRegistry()
        MultiProcessCollector(_metrics.registry)  # type: ignore[no-untyped-call]


def stop() -> None:
    """Remove the directory of this process's counts."""
    own = os.environ.pop(_VARIABLE, None)
    if own:
        shutil.rmtree(own, ignore_errors=True)


def count(interaction: str, type: str, status: int, seconds: float) -> None:
    """Count one answered interaction."""
    metrics = _started()
    key = (interaction, type, status)
    counter = metrics.counters.get(key)
    if counter is None:
        counter = metrics.counters[key] = metrics.requests.labels(interaction, type, str(status))
    histogram = metrics.histograms.get(interaction)
    if histogram is None:
        histogram = metrics.histograms[interaction] = metrics.seconds.labels(interaction)
    counter.inc()
    histogram.observe(seconds)


def restarted(process: str) -> None:
    """Count that a `worker` or the `mongod` ended by itself and was started again."""
    _started().restarts.labels(process).inc()


def exposition() -> tuple[bytes, str]:
    """Give the text of all metrics and its content type, for a scrape."""
    registry = _started().registry
    from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest  # noqa: PLC0415

    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4


def _started() -> _Metrics:
    if _metrics is None:
        start()
    assert _metrics is not None
    return _metrics


def _sweep(directory: Path) -> None:
    for left in directory.glob("[0-9]*"):
        if not Path("/proc", left.name).exists():
            shutil.rmtree(left, ignore_errors=True)
