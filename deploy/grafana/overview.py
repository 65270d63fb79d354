"""What the operator looks at: whether all is well, what is behind, where the time goes."""

from __future__ import annotations

from deploy.grafana.panels import Dashboard, Panel, Query, Section
from deploy.grafana.queries import RATE, largest, per_second, quantiles

_STATE = Section(
    zh="是否正常",
    en="Is it well",
    panels=(
        Panel(
            zh="在线",
            en="Up",
            about_zh="Prometheus 能否读到每个服务的指标；一个服务有多个进程时取最差者。",
            about_en="Whether Prometheus reads each service's metrics; of several processes the worst.",
            unit="none",
            kind="stat",
            height=6,
            words=("离线 down", "在线 up"),
            queries=(Query(expr='min by (part) (up{job="creditbus"})', legend="{{part}}"),),
        ),
        Panel(
            zh="就绪",
            en="Ready",
            about_zh="服务能否完成其工作；原因见其 /health/ready，或 creditbus doctor。",
            about_en="Whether a service can do its work; /health/ready and creditbus doctor say why not.",
            unit="none",
            kind="stat",
            height=6,
            words=("未就绪 not ready", "就绪 ready"),
            queries=(Query(expr="min by (service) (creditbus_ready)", legend="{{service}}"),),
        ),
        Panel(
            zh="正在告警",
            en="Alerts firing",
            about_zh="deploy/prometheus/alerts.yml 中正在触发的规则数。",
            about_en="Rules of deploy/prometheus/alerts.yml that fire now.",
            unit="short",
            kind="stat",
            width=6,
            height=5,
            alarm=1,
            queries=(Query(expr='count(ALERTS{alertstate="firing"}) or vector(0)', legend="告警 alerts"),),
        ),
        Panel(
            zh="时钟：最近节拍距今",
            en="Clock: age of the last tick",
            about_zh="最落后分区的最近业务时间距今多久；超过三分钟，期限不再触发。",
            about_en="Since the last tick of the partition that is furthest behind; after 3 minutes no deadline fires.",
            unit="s",
            kind="stat",
            width=6,
            height=5,
            warn=90,
            alarm=180,
            queries=(Query(expr="time() - min(creditbus_tick_seconds)", legend="最近节拍 last tick"),),
        ),
        Panel(
            zh="一小时内隔离的记录",
            en="Quarantined in an hour",
            about_zh="无法应用而被隔离的记录；见 creditbus quarantine list。",
            about_en="Records that could not be applied; see creditbus quarantine list.",
            unit="short",
            kind="stat",
            width=6,
            height=5,
            alarm=1,
            queries=(
                Query(
                    expr='sum(increase(creditbus_messages_decided_total{outcome="parked"}[1h]))',
                    legend="隔离 quarantined",
                ),
            ),
        ),
        Panel(
            zh="一小时内跳过的消息",
            en="Passed over in an hour",
            about_zh="无法读取而跳过的消息；见 creditbus deadletters list。",
            about_en="Messages that a reader could not use; see creditbus deadletters list.",
            unit="short",
            kind="stat",
            width=6,
            height=5,
            alarm=1,
            queries=(Query(expr="sum(increase(creditbus_dead_letters_total[1h]))", legend="跳过 passed over"),),
        ),
    ),
)

_LAG = Section(
    zh="滞后",
    en="Lag",
    panels=(
        Panel(
            zh="最久未处理的事件",
            en="Oldest unprocessed event",
            about_zh="按服务与分区，最早的未处理消息的时长；空闲时为零。显示最大的十个。",
            about_en="Age of the oldest message not yet processed, per partition; zero when idle. The ten largest.",
            unit="s",
            warn=30,
            alarm=60,
            queries=largest("creditbus_lag_seconds"),
        ),
        Panel(
            zh="待处理消息",
            en="Messages behind",
            about_zh="消费位置与日志末端之间的消息数，按服务合计。",
            about_en="Messages between the position of a service and the end of the log.",
            unit="short",
            queries=(Query(expr="sum by (service) (creditbus_lag_messages)", legend="{{service}}"),),
        ),
        Panel(
            zh="停滞的分区",
            en="Stalled partitions",
            about_zh="有待处理消息而未前进的时长；空闲时为零。显示最大的十个。",
            about_en="Seconds that a partition with messages has not moved; zero when idle. The ten largest.",
            unit="s",
            warn=5,
            alarm=10,
            queries=largest("creditbus_stalled_seconds"),
        ),
        Panel(
            zh="处理循环",
            en="Loops",
            about_zh="处理循环上次取消息距今多久；循环挂起时即使无日志也可见。",
            about_en="Seconds since a loop last asked for messages: one that hangs is seen although it says nothing.",
            unit="s",
            warn=5,
            alarm=10,
            queries=(Query(expr="max by (service) (creditbus_loop_seconds)", legend="{{service}}"),),
        ),
    ),
)

_BATCHES = Section(
    zh="批处理",
    en="Batches",
    panels=(
        Panel(
            zh="每秒处理结果",
            en="Outcomes per second",
            about_zh="每条消息的结果：接受、丢弃（重复等）、退回、隔离。",
            about_en="What became of each message: ok, dropped (a duplicate, say), rejected, parked.",
            unit="cps",
            queries=per_second("creditbus_messages_decided_total", "service, outcome", "{{service}} {{outcome}}"),
        ),
        Panel(
            zh="提交时延",
            en="Commit latency",
            about_zh="Kafka 事务提交的时长，中位数与 99 分位。",
            about_en="Duration of the commit of a Kafka transaction, median and 99th percentile.",
            unit="s",
            queries=quantiles("creditbus_commit_seconds", "service", "{{service}}"),
        ),
        Panel(
            zh="批大小",
            en="Batch size",
            about_zh="最近一批的消息数，以及下一批的上限（批处理超过半秒时缩小）。",
            about_en="Messages of the last batch, and how many the next may have: fewer when batches are slow.",
            unit="short",
            queries=(
                Query(expr="max by (service) (creditbus_batch_messages)", legend="{{service}}"),
                Query(expr="min by (service) (creditbus_batch_limit_messages)", legend="{{service}} 上限 limit"),
            ),
        ),
        Panel(
            zh="批处理时长",
            en="Batch duration",
            about_zh="从一批的首条消息到提交，中位数与 99 分位。",
            about_en="From a batch's first message to its commit, median and 99th percentile.",
            unit="s",
            queries=quantiles("creditbus_batch_seconds", "service", "{{service}}"),
        ),
        Panel(
            zh="各阶段用时",
            en="Time of each stage",
            about_zh="每秒中用于判定、写出、提交和存储的时间；提交与下一批的判定同时进行，合计可超过 100%。",
            about_en="Share of each second; a commit runs beside the next batch, so that the sum may exceed 100%.",
            unit="percentunit",
            queries=(
                *per_second("creditbus_stage_seconds_sum", "service, stage", "{{service}} {{stage}}"),
                *per_second("creditbus_commit_seconds_sum", "service", "{{service}} commit"),
            ),
        ),
        Panel(
            zh="每秒事务数",
            en="Transactions per second",
            about_zh="已提交的 Kafka 事务。",
            about_en="Kafka transactions that were committed.",
            unit="cps",
            queries=per_second("creditbus_transactions_total", "service", "{{service}}", '{result="committed"}'),
        ),
    ),
)

_RECOVERY = Section(
    zh="隔离与恢复",
    en="Quarantine and restore",
    panels=(
        Panel(
            zh="隔离与放行",
            en="Quarantine, in and out",
            about_zh="每分钟进入隔离（cause 为起因，behind 为排在其后者）与离开隔离的记录。",
            about_en="Records a minute that go into quarantine (cause, and those behind it) and that leave it.",
            unit="short",
            width=8,
            queries=(
                Query(
                    expr='sum by (outcome, reason) (rate(creditbus_messages_decided_total{outcome=~"parked|released"}'
                    f"[{RATE}])) * 60",
                    legend="{{outcome}} {{reason}}",
                ),
            ),
        ),
        Panel(
            zh="状态恢复进度",
            en="Restore progress",
            about_zh="本地状态从变更日志恢复的进度；只在恢复之后才有数值。",
            about_en="How much of the local state is back from the changelog; nothing until something was restored.",
            unit="percentunit",
            width=8,
            queries=(
                Query(
                    expr="min by (service, partition) (creditbus_restore_progress_ratio)",
                    legend="{{service}} [{{partition}}]",
                ),
            ),
        ),
        Panel(
            zh="恢复剩余时间",
            en="Restore remaining",
            about_zh="恢复预计还需多久；只在恢复之后才有数值。",
            about_en="How long the restore will still take; nothing until something was restored.",
            unit="s",
            width=8,
            queries=(
                Query(
                    expr="max by (service, partition) (creditbus_restore_remaining_seconds)",
                    legend="{{service}} [{{partition}}]",
                ),
            ),
        ),
    ),
)

_HTTP = Section(
    zh="接口",
    en="HTTP",
    panels=(
        Panel(
            zh="报送网关：每秒事件",
            en="Gateway: events per second",
            about_zh="网关对事件的答复：RECEIVED 表示 broker 已确认；UNKNOWN 须以同一 event_id 重发。",
            about_en="Its answers: RECEIVED is broker-acknowledged; UNKNOWN is sent again under the same event_id.",
            unit="cps",
            queries=per_second("creditbus_gateway_events_total", "status", "{{status}}"),
        ),
        Panel(
            zh="报送网关：等待确认",
            en="Gateway: in flight",
            about_zh="已发送而 broker 尚未确认的事件；达到上限时网关答复 429。",
            about_en="Events sent and not yet acknowledged by the brokers; at its limit the gateway answers 429.",
            unit="short",
            queries=(Query(expr="sum(creditbus_gateway_in_flight_messages)", legend="等待确认 in flight"),),
        ),
        Panel(
            zh="每秒答复",
            en="Answers per second",
            about_zh="网关、查询与网页的 HTTP 答复，按状态码。",
            about_en="HTTP answers of gateway, look-up and console, by status.",
            unit="cps",
            queries=per_second("creditbus_http_requests_total", "service, status", "{{service}} {{status}}"),
        ),
        Panel(
            zh="答复时延",
            en="Answer latency",
            about_zh="HTTP 答复的时长，中位数与 99 分位。",
            about_en="Duration of an HTTP answer, median and 99th percentile.",
            unit="s",
            queries=quantiles("creditbus_http_seconds", "service", "{{service}}"),
        ),
    ),
)


OVERVIEW = Dashboard(
    uid="creditbus-overview",
    zh="运行总览",
    en="Operator's overview",
    about_zh="各服务是否正常、是否滞后、时间用在何处。",
    about_en="Whether every service is well, how far behind it is, and where the time goes.",
    sections=(_STATE, _LAG, _BATCHES, _RECOVERY, _HTTP),
)
