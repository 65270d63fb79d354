"""Expressions that several panels have; each adds up over the processes of a service."""

from __future__ import annotations

from deploy.grafana.panels import Query

RATE = "$__rate_interval"


def quantiles(metric: str, by: str, legend: str) -> tuple[Query, ...]:
    """The median and the slowest hundredth of a histogram."""
    return tuple(
        Query(
            expr=f"histogram_quantile({quantile}, sum by ({by}, le) (rate({metric}_bucket[{RATE}])))",
            legend=f"{legend} p{name}",
        )
        for quantile, name in ((0.5, 50), (0.99, 99))
    )


def per_second(metric: str, by: str, legend: str, where: str = "") -> tuple[Query, ...]:
    return (Query(expr=f"sum by ({by}) (rate({metric}{where}[{RATE}]))", legend=legend),)


def largest(metric: str, number: int = 10) -> tuple[Query, ...]:
    """The largest of a gauge that has a value for each service, topic and partition."""
    by = "service, topic, partition"
    return (Query(expr=f"topk({number}, max by ({by}) ({metric}))", legend="{{service}} {{topic}} [{{partition}}]"),)
