"""Answers of the console that are no success."""

from __future__ import annotations

from collections.abc import Mapping

from creditbus.console.steps import Fault
from creditbus.core.problems import Problem

_SHAPES_ZH = "统一社会信用代码（18 位）、组织机构代码（9 位）、注册号或旧纳税人识别号（15 位）"
_SHAPES_EN = (
    "a unified social credit code (18 characters), an organisation code (9), a registration or old tax number (15)"
)


def _not_looked_up(fault: Fault, zh: tuple[str, str], en: tuple[str, str]) -> Problem:
    return Problem(status=422, code=fault, title_zh=zh[0], detail_zh=zh[1], title_en=en[0], detail_en=en[1])


_FAULTS = (
    _not_looked_up(
        Fault.EMPTY, ("请输入代码。", f"可输入{_SHAPES_ZH}。"), ("Enter an identifier.", f"It may be {_SHAPES_EN}.")
    ),
    _not_looked_up(
        Fault.NOT_AN_IDENTIFIER,
        ("这不是可查询的代码。", f"可输入{_SHAPES_ZH}。不支持按名称查询：同名的可能是不同主体。"),
        (
            "This is not an identifier.",
            f"Enter {_SHAPES_EN}. Names cannot be looked up: different subjects share them.",
        ),
    ),
    _not_looked_up(
        Fault.CITIZEN,
        ("公民身份号码不能用于网页查询。", "网址会留下痕迹。请用指令或名单中载明的主体键（p: 开头）查询自然人。"),
        (
            "A person's number cannot be used on a web page.",
            "Addresses leave traces. Look persons up by the subject key that an order or a listing quotes (p:…).",
        ),
    ),
    _not_looked_up(
        Fault.ALPHABET,
        ("代码中有不使用的字符。", "只用数字和大写字母，不用 I、O、S、V、Z：请核对是否把 1、0、5、2 看成了字母。"),
        (
            "A character in it is not used in such codes.",
            "They use digits and capitals without I, O, S, V and Z: check for a 1, 0, 5 or 2 read as a letter.",
        ),
    ),
    _not_looked_up(
        Fault.CHECK_ORGANISATION,
        (
            "组织机构代码的校验位不符。",
            "很可能抄错了一位（统一社会信用代码的第 9 至 17 位即组织机构代码），请对照登记证照核对。",
        ),
        (
            "The check character of the organisation code is wrong.",
            "Most likely one character was misread (positions 9 to 17 of a unified code); compare the certificate.",
        ),
    ),
    _not_looked_up(
        Fault.CHECK_LAST,
        ("最后一位校验码不符。", "很可能抄错了一位或颠倒了两位，请对照证照核对全部 18 位。"),
        (
            "The last character, the check character, is wrong.",
            "Most likely one character was misread or two were swapped; compare all 18 with the certificate.",
        ),
    ),
    _not_looked_up(
        Fault.CHECK_FIFTEEN,
        ("第 15 位校验码不符。", "很可能抄错了一位或颠倒了两位，请对照营业执照核对。"),
        (
            "The 15th digit, the check digit, is wrong.",
            "Most likely one digit was misread or two were swapped; compare with the business licence.",
        ),
    ),
    _not_looked_up(
        Fault.PROVINCE,
        ("代码中的行政区划不存在。", "请核对统一社会信用代码的第 3 至 8 位，或 15 位号码的前 6 位。"),
        (
            "The region in the code does not exist.",
            "Check positions 3 to 8 of a unified code, or the first 6 of a number of 15 digits.",
        ),
    ),
)
OF_FAULT: Mapping[Fault, Problem] = {Fault(problem.code): problem for problem in _FAULTS}

AWAY = Problem(
    status=503,
    code="lookup-away",
    title_zh="查询服务暂不可用。",
    title_en="The look-up service is away.",
    detail_zh="正在等待其恢复，请稍后重试；运维人员可运行 `creditbus doctor` 查看原因。",
    detail_en="Waiting for it to come back; try again in a moment. The operator can run `creditbus doctor`.",
    retry_after_seconds=3,
)
UNREADABLE = Problem(
    status=502,
    code="lookup-unreadable",
    title_zh="查询服务的答复无法识别。",
    title_en="The look-up service answered something else.",
    detail_zh="请确认 CREDITBUS_LOOKUP_URL 指向查询服务，且与控制台版本一致。",
    detail_en="Check that CREDITBUS_LOOKUP_URL names the look-up service, of the same release as the console.",
)
KEY_REFUSED = Problem(
    status=502,
    code="key-refused",
    title_zh="查询服务不接受控制台的密钥。",
    title_en="The look-up service does not know the console's key.",
    detail_zh="密钥可能已更换：请重启控制台；仍不行时运行 `creditbus doctor`。",
    detail_en="The key may have been replaced: restart the console; if that does not help run `creditbus doctor`.",
)
CROSS_SITE = Problem(
    status=403,
    code="cross-site",
    title_zh="只接受本站页面发出的请求。",
    title_en="Only pages of this site may ask.",
    detail_zh="请直接打开控制台页面。",
    detail_en="Open the console's own pages.",
)
TOO_MANY = Problem(
    status=503,
    code="too-many-streams",
    title_zh="打开的预警页面过多。",
    title_en="Too many pages listen for alerts.",
    detail_zh="请关闭不用的页面，或调高 CREDITBUS_CONSOLE_STREAMS。",
    detail_en="Close pages that you do not need, or raise CREDITBUS_CONSOLE_STREAMS.",
    retry_after_seconds=3,
)


def of_lookup(status: int, has_own_texts: bool) -> Problem | None:
    """The console's words for a failure of the look-up API; None where the answer is passed on as it is."""
    if status == 401:
        return KEY_REFUSED
    if status < 400 or has_own_texts:
        return None
    return AWAY if status in (502, 503, 504) else UNREADABLE
