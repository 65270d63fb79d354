"""Orders as a file, for whoever carries out measures without Kafka (惩戒措施指令文件): one row an order, to fill in.

The same file, filled in, is what ``creditbus import`` reads as acknowledgements. A row has the number that an answer
through Kafka would have, so an order that is answered twice, by either way, is answered once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from creditbus.catalogue.import_columns import ImportColumns
from creditbus.client.exporting import basis_in_words, written
from creditbus.client.subscriber import LIFT, ORDER, RESUME, SUSPEND, answer_number
from creditbus.core.rules import Rules
from creditbus.core.text import normalise_document_number

KIND = "MeasureOrder"
_ACTIONS = {ORDER: "实施", SUSPEND: "中止", RESUME: "恢复", LIFT: "解除"}
_BINDING = {"MANDATORY": "强制", "ADVISORY": "参考", "OFFER": "激励"}
HEADERS = (
    "反馈编号", "指令编号", "指令动作", "措施类别", "措施名称", "措施约束力", "主体键", "主体名称", "相对人类别",
    "主体代码", "依据名单", "限制范围", "措施依据", "措施开始日期", "措施截止日期", "指令说明", "虚构标记",
    "落实情况", "落实日期", "执行开始日期", "执行结束日期", "执行措施", "执行内容", "执行成效", "反馈备注",
)  # fmt: skip
TO_FILL_IN = HEADERS[HEADERS.index("落实情况") :]


def unanswered(
    orders: Iterable[Mapping[str, Any]], department: str, answers: frozenset[str]
) -> Iterator[Mapping[str, Any]]:
    """Orders whose last message the department has not answered. answers: numbers of its acknowledgements."""
    for order in orders:
        if normalise_document_number(answer_number(department, str(order["message_id"]))) not in answers:
            yield order


def order_row(order: Mapping[str, Any], department: str, rules: Rules, table: ImportColumns) -> Sequence[str]:
    """The cells of an order; what has to be filled in is empty."""
    names = {one.code: one.name.zh for one in rules.measures} | {one.code: one.name.zh for one in rules.incentives}
    listed = rules.lists.get(str(order["list"]))
    until = order["until"]
    told = (
        answer_number(department, str(order["message_id"])),
        str(order["order_id"]),
        _ACTIONS[str(order["action"])],
        str(order["family"]),
        names.get(str(order["measure"]), str(order["measure"])),
        _BINDING[str(order["binding"])],
        str(order["subject_key"]),
        str(order["subject_name"]),
        written(str(order["subject_kind"]), "subject_kind", table),
        str(order["identifier"]),
        listed.name.zh if listed is not None else str(order["list"]),
        ";".join(order["scope"]),
        "；".join(basis_in_words(one, rules) for one in order["basis"]),
        order["effective_on"].isoformat(),
        until.isoformat() if until is not None else "",
        str(order["text_zh"]),
        "是" if order["fictitious"] else "否",
    )
    return (*told, *("" for _ in TO_FILL_IN))
