"""Whether what ended is taken back everywhere: lifts, held sources, warehouse, deliveries."""

from __future__ import annotations

from deploy.grafana.panels import Dashboard, Panel, Query, Section
from deploy.grafana.queries import RATE, per_second, quantiles

_ENDS = Section(
    zh="解除与预警",
    en="Lifts and alerts",
    panels=(
        Panel(
            zh="一小时内逾期未确认的解除",
            en="Lifts unacknowledged in an hour",
            about_zh="逾期未确认的解除指令：可能仍有人受限。这是最响的告警。",
            about_en="Lifts that were not acknowledged in time: somebody may still be restricted. The loudest alert.",
            unit="short",
            kind="stat",
            width=6,
            height=5,
            alarm=1,
            queries=(
                Query(
                    expr='sum(increase(creditbus_alerts_total{kind="LIFT_UNACKNOWLEDGED"}[1h]))',
                    legend="未确认的解除 lifts",
                ),
            ),
        ),
        Panel(
            zh="一小时内逾期未确认的措施",
            en="Orders unacknowledged in an hour",
            about_zh="逾期未确认的惩戒措施指令。",
            about_en="Orders that were not acknowledged in time.",
            unit="short",
            kind="stat",
            width=6,
            height=5,
            warn=1,
            queries=(
                Query(
                    expr='sum(increase(creditbus_alerts_total{kind="ORDER_UNACKNOWLEDGED"}[1h]))',
                    legend="未确认的措施 orders",
                ),
            ),
        ),
        Panel(
            zh="暂缓的来源",
            en="Sources held",
            about_zh="列入数量远超常量、其新列入暂不生效的来源；见 creditbus breaker list。",
            about_en="Sources that list far more than usual and whose new listings wait; see creditbus breaker list.",
            unit="short",
            kind="stat",
            width=6,
            height=5,
            alarm=1,
            queries=(Query(expr='max(creditbus_breaker_sources{action="hold"})', legend="暂缓 held"),),
        ),
        Panel(
            zh="观察的来源",
            en="Sources watched",
            about_zh="列入数量超过软阈值、其新列入稍后生效的来源。",
            about_en="Sources above their soft band, whose new listings take effect after a short wait.",
            unit="short",
            kind="stat",
            width=6,
            height=5,
            warn=1,
            queries=(Query(expr='max(creditbus_breaker_sources{action="watch"})', legend="观察 watched"),),
        ),
        Panel(
            zh="预警",
            en="Alerts",
            about_zh="一小时内发出的预警，按种类。",
            about_en="Alerts told within an hour, by kind.",
            unit="short",
            width=24,
            queries=(Query(expr="sum by (kind) (increase(creditbus_alerts_total[1h]))", legend="{{kind}}"),),
        ),
    ),
)

_WAREHOUSE = Section(
    zh="数仓",
    en="Warehouse",
    panels=(
        Panel(
            zh="每秒写入行数",
            en="Rows written per second",
            about_zh="写入 ClickHouse 的行，按表：listings 为列入与移出，orders 为措施与解除。",
            about_en="Rows written to ClickHouse, per table: listings and removals, orders and lifts among them.",
            unit="cps",
            queries=per_second("creditbus_rows_written_total", "table", "{{table}}"),
        ),
        Panel(
            zh="写入时延",
            en="Insert latency",
            about_zh="一次写入的时长，按表，中位数与 99 分位。",
            about_en="Duration of one insert, per table, median and 99th percentile.",
            unit="s",
            queries=quantiles("creditbus_insert_seconds", "table", "{{table}}"),
        ),
        Panel(
            zh="数仓位置：落后时长",
            en="Warehouse position: age",
            about_zh="数仓在每个主题上最早未写入消息的时长；查询所见至多落后这么久。显示最大的十个。",
            about_en="Age of the oldest message not yet written, per topic: look-ups lag by so much. The ten largest.",
            unit="s",
            warn=30,
            alarm=60,
            queries=(
                Query(expr='topk(10, max by (topic) (creditbus_lag_seconds{service="warehouse"}))', legend="{{topic}}"),
            ),
        ),
        Panel(
            zh="数仓位置：待写入消息",
            en="Warehouse position: messages",
            about_zh="数仓在每个主题上尚未写入的消息数。显示最大的十个。",
            about_en="Messages of each topic that are not written yet. The ten largest.",
            unit="short",
            queries=(
                Query(
                    expr='topk(10, sum by (topic) (creditbus_lag_messages{service="warehouse"}))', legend="{{topic}}"
                ),
            ),
        ),
    ),
)

_DELIVERY = Section(
    zh="推送",
    en="Delivery",
    panels=(
        Panel(
            zh="推送结果",
            en="Deliveries",
            about_zh="每分钟向各网络回调推送的消息：delivered 为对方已收，refused 为对方未收、将重试。",
            about_en="Messages a minute sent to each webhook: delivered, or refused and tried again.",
            unit="short",
            width=8,
            queries=(
                Query(
                    expr=f"sum by (webhook, outcome) (rate(creditbus_webhook_messages_total[{RATE}])) * 60",
                    legend="{{webhook}} {{outcome}}",
                ),
            ),
        ),
        Panel(
            zh="推送失败",
            en="Failing webhooks",
            about_zh="不接收消息的网络回调，其后的消息都在等待；见 creditbus webhooks list。",
            about_en="Webhooks that do not take a message; all later ones wait. See creditbus webhooks list.",
            unit="short",
            width=8,
            alarm=1,
            queries=(Query(expr="max by (webhook) (creditbus_webhook_failing)", legend="{{webhook}}"),),
        ),
        Panel(
            zh="网络回调状态",
            en="States of webhooks",
            about_zh="网络回调数，按状态。",
            about_en="Webhooks, by state.",
            unit="short",
            width=8,
            queries=(Query(expr="max by (state) (creditbus_webhooks)", legend="{{state}}"),),
        ),
    ),
)

WAY_BACK = Dashboard(
    uid="creditbus-way-back",
    zh="解除与送达",
    en="The way back",
    about_zh="解除是否送达、谁被暂缓、数仓与推送是否跟上。",
    about_en="Whether lifts arrive, who is held, and whether warehouse and deliveries keep up.",
    sections=(_ENDS, _WAREHOUSE, _DELIVERY),
)
