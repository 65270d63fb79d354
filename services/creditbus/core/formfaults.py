"""What is said about an event that does not fit its schema, in Chinese and English.

No text shows a value: it may be personal data.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from creditbus.core.outcome import Fault, Reason

_SHOWN = 12


def missing_field(field: str) -> Fault:
    """A required field is absent."""
    return Fault(
        code=Reason.MISSING_FIELD,
        field=field,
        problem_zh=f"缺少必填字段 {field}",
        problem_en=f"the required field {field} is missing",
        remedy_zh="补充该字段后重新发送；字段说明见 GET /v1/kinds",
        remedy_en="add it and send the event again; GET /v1/kinds describes the fields",
    )


def unknown_field(field: str, known: Iterable[str]) -> Fault:
    """A field that the kind does not have; names the likely one."""
    parent, _, name = field.rpartition(".")
    likely = difflib.get_close_matches(name, list(known), n=1)
    meant = f"{parent}.{likely[0]}" if likely and parent else "".join(likely)
    return Fault(
        code=Reason.UNKNOWN_FIELD,
        field=field,
        problem_zh=f"没有名为 {field} 的字段",
        problem_en=f"there is no field {field}",
        remedy_zh=f"是否应为 {meant}？" if meant else "删除该字段；字段说明见 GET /v1/kinds",
        remedy_en=f"did you mean {meant}?" if meant else "remove it; GET /v1/kinds describes the fields",
    )


def wrong_type(field: str, *, wanted_zh: str, wanted_en: str, given: object) -> Fault:
    """A value of another type than the contract says."""
    name_zh, name_en = _type_names(given)
    return Fault(
        code=Reason.WRONG_TYPE,
        field=field,
        problem_zh=f"{field} 应为{wanted_zh}，实为{name_zh}",
        problem_en=f"{field} must be {wanted_en}, not {name_en}",
        remedy_zh=f"改为{wanted_zh}后重新发送",
        remedy_en=f"send {wanted_en}",
    )


def unknown_code(field: str, allowed: Iterable[str]) -> Fault:
    """A value that its code list does not have."""
    shown = ", ".join(sorted(allowed)[:_SHOWN])
    return Fault(
        code=Reason.UNKNOWN_CODE,
        field=field,
        problem_zh=f"{field} 的值不在代码表中",
        problem_en=f"the value of {field} is not in its code list",
        remedy_zh=f"可用值：{shown}",
        remedy_en=f"use one of: {shown}",
    )


def unknown_kind(kinds: Iterable[str]) -> Fault:
    """``kind`` names no kind of event."""
    shown = ", ".join(sorted(kinds))
    return Fault(
        code=Reason.UNKNOWN_SCHEMA,
        field="kind",
        problem_zh="kind 不是本平台的事件种类",
        problem_en="kind names no kind of event",
        remedy_zh=f"可用种类：{shown}",
        remedy_en=f"use one of: {shown}",
    )


def kind_not_allowed(kind: str) -> Fault:
    """The sender's key may not send this kind."""
    return Fault(
        code=Reason.ITEM_NOT_ALLOWED,
        field="kind",
        problem_zh=f"该密钥无权报送 {kind}",
        problem_en=f"this key may not send {kind}",
        remedy_zh="订阅单位只能报送 MeasureAcknowledgement；其他种类请使用报送单位的密钥",
        remedy_en="a subscriber's key may send MeasureAcknowledgement only; use the key of a reporting department",
    )


def impossible_date(field: str) -> Fault:
    """The right form, but no day of the calendar."""
    return Fault(
        code=Reason.IMPOSSIBLE_DATE,
        field=field,
        problem_zh=f"{field} 不是历法中存在的日期或时间",
        problem_en=f"{field} is no day or time of the calendar",
        remedy_zh="核对年、月、日后重新发送",
        remedy_en="check year, month and day and send it again",
    )


def number_too_large(field: str, bits: int) -> Fault:
    """A whole number beyond the bits that it is stored in."""
    return Fault(
        code=Reason.BAD_AMOUNT,
        field=field,
        problem_zh=f"{field} 超出 {bits} 位整数范围",
        problem_en=f"{field} does not fit {bits} bits",
        remedy_zh="核对数值和单位（金额以分为单位）",
        remedy_en="check the number and its unit (amounts are in fen)",
    )


def too_large(size_bytes: int, limit_bytes: int) -> Fault:
    """The encoded event is larger than the contract allows."""
    return Fault(
        code=Reason.TOO_LARGE,
        field="",
        problem_zh=f"事件编码后为 {size_bytes} 字节，上限为 {limit_bytes} 字节",
        problem_en=f"the event has {size_bytes} bytes, the limit is {limit_bytes}",
        remedy_zh="缩短正文；文书全文请给出网址和摘要（document.url、document.sha256）",
        remedy_en="shorten the texts; give a document's address and hash (document.url, document.sha256) instead of it",
    )


def _type_names(value: object) -> tuple[str, str]:
    match value:
        case None:
            return "空值", "null"
        case bool():
            return "布尔值", "a boolean"
        case int() | float():
            return "数字", "a number"
        case str():
            return "文本", "a text"
        case list():
            return "数组", "an array"
        case _:
            return "对象", "an object"
