"""How departments report, as the monitor counts it."""

from __future__ import annotations

from deploy.grafana.panels import Choice, Dashboard, Panel, Query, Section
from deploy.grafana.queries import RATE

_WEEK_SECONDS = 7 * 86_400.0


def _of_departments(what: str, zh: str, en: str, about_zh: str, about_en: str) -> Panel:
    """One of the monitor's counts, per department."""
    return Panel(
        zh=zh,
        en=en,
        about_zh=f"{about_zh}（上一个完整窗口）",
        about_en=f"{about_en}; in the last complete window.",
        unit="short",
        queries=(
            Query(
                expr=f'sum by (department) (creditbus_department_events{{what="{what}", department=~"$department"}})',
                legend="{{department}}",
            ),
        ),
    )


_COUNTS = Section(
    zh="窗口内的报送",
    en="Reports in a window",
    panels=(
        _of_departments("received", "收到", "Received", "各部门报送的事件数", "Events that each department sent"),
        _of_departments("accepted", "接受", "Accepted", "成为记录的事件数", "Events that became records"),
        _of_departments("rejected", "退回", "Rejected", "未通过检查的事件数", "Events that did not pass the checks"),
        _of_departments("late", "迟报", "Late", "超过规定报送期限的事件数", "Events that came after their term"),
        _of_departments("duplicate", "重复", "Duplicate", "此前已收到过的事件数", "Events that had come before"),
        _of_departments("corrected", "更正", "Corrected", "更正此前事件的事件数", "Events that correct an earlier one"),
    ),
)

_QUALITY = Section(
    zh="质量与静默",
    en="Quality and silence",
    panels=(
        Panel(
            zh="未报送时长",
            en="Silence",
            about_zh="距该部门上次报送多久；一周后告警。",
            about_en="Since a department was last heard; an alert after a week.",
            unit="s",
            kind="bargauge",
            height=12,
            warn=_WEEK_SECONDS / 2,
            alarm=_WEEK_SECONDS,
            queries=(
                Query(
                    expr='max by (department) (creditbus_department_silence_seconds{department=~"$department"})',
                    legend="{{department}}",
                ),
            ),
        ),
        Panel(
            zh="退回原因",
            en="Reasons of rejection",
            about_zh="受理退回事件的原因，每分钟；按部门的明细见查询接口与 creditbus assess。",
            about_en="Why intake rejects events, per minute; by department: the look-up API and creditbus assess.",
            unit="short",
            height=12,
            queries=(
                Query(
                    expr=f'sum by (reason) (rate(creditbus_messages_decided_total{{outcome="rejected"}}[{RATE}])) * 60',
                    legend="{{reason}}",
                ),
            ),
        ),
    ),
)

DEPARTMENTS = Dashboard(
    uid="creditbus-departments",
    zh="部门报送",
    en="Departments",
    about_zh="监测服务按时间窗口的计数；考核以数仓为准。",
    about_en="The monitor's counts over time windows; the assessment of departments goes by the warehouse.",
    sections=(_COUNTS, _QUALITY),
    choices=(
        Choice(
            name="department",
            zh="部门",
            en="Department",
            values="label_values(creditbus_department_events, department)",
        ),
    ),
)
