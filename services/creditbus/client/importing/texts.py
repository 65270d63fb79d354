"""What the importer says about a row, in Chinese and English; no text shows a value of the row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from creditbus.core.outcome import Fault, Reason

_TEXTS: Mapping[Reason, tuple[str, str, str, str]] = {
    Reason.MISSING_FIELD: (
        "“{field}”为必填项，此行为空",
        "{field} is required and empty",
        "补填后重新导入",
        "fill it in",
    ),
    Reason.MISSING_DOCUMENT_NUMBER: (
        "“{field}”为空：没有文号的决定无法查找和撤回",
        "{field} is empty: a decision without a number can neither be found nor taken back",
        "填写决定书文号",
        "fill in the document number",
    ),
    Reason.MISSING_IDENTIFIER: (
        "“{field}”为空：没有代码或证件号码，无法确定主体",
        "{field} is empty: without a code or number the subject is unknown",
        "单位填统一社会信用代码，自然人填居民身份证号码",
        "give the unified code of an organisation or the citizen number of a person",
    ),
    Reason.IMPOSSIBLE_DATE: (
        "“{field}”不是可识别的日期",
        "{field} is no date that can be read",
        "写作 2026-11-23、2026/11/23、20261123 或 2026年11月23日",
        "write 2026-11-23, 2026/11/23, 20261123 or 2026年11月23日",
    ),
    Reason.BAD_AMOUNT: (
        "“{field}”不是可识别的金额",
        "{field} is no amount that can be read",
        "填写不小于零的数字，单位为表头所注（默认万元），或直接注明元、万元",
        "write a number not below zero, in the header's unit (10,000 yuan by default), or followed by 元 or 万元",
    ),
    Reason.UNKNOWN_CODE: (
        "“{field}”的取值无法识别",
        "{field} has a value that is not known",
        "可用：{allowed}",
        "use one of: {allowed}",
    ),
    Reason.UNKNOWN_BASIS: (
        "“{field}”中没有目录所列的法律文件",
        "{field} names no instrument of the catalogue",
        "用《》写明法律文件全称及条款，如《中华人民共和国行政处罚法》第九条",
        "write the full name in 《》 and the article, such as 《中华人民共和国行政处罚法》第九条",
    ),
    Reason.BAD_REVISION: (
        "“{field}”应为 1 至 10000 的整数",
        "{field} must be a whole number from 1 to 10000",
        "首次报送填 1 或留空，更正时加一",
        "1 or nothing for the first report, one more for each correction",
    ),
}


def fault(reason: Reason, field: str, allowed: Sequence[str] = ()) -> Fault:
    """A fault of one column."""
    words = {"field": field, "allowed": "、".join(word for word in allowed if not word.isascii()) or "、".join(allowed)}
    problem_zh, problem_en, remedy_zh, remedy_en = (text.format_map(words) for text in _TEXTS[reason])
    return Fault(
        code=reason,
        field=field,
        problem_zh=problem_zh,
        problem_en=problem_en,
        remedy_zh=remedy_zh,
        remedy_en=remedy_en,
    )


def too_many_cells() -> Fault:
    """More values than headers."""
    return Fault(
        code=Reason.UNKNOWN_FIELD,
        field="",
        problem_zh="此行的值多于表头的列",
        problem_en="the row has more values than the header has columns",
        remedy_zh="内容中含分隔符的值请用双引号括起",
        remedy_en="put values that contain the separator in double quotes",
    )


def same_key() -> Fault:
    """Two rows of a file that would be taken for the same fact, with different content."""
    return Fault(
        code=Reason.MISSING_FIELD,
        field="事项序号",
        problem_zh="与前面某行的文号、主体相同而内容不同，会被视为同一事实",
        problem_en="another row has the same document number and subject but other content: they would be one fact",
        remedy_zh="同一文书多个事项：加“事项序号”列分别编号；更正前一行：加“版本号”列填 2",
        remedy_en="number the items of one document in a column 事项序号; mark a correction by 2 in a column 版本号",
    )
