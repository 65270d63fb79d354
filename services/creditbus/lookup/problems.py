"""Answers of the look-up that are no success."""

from __future__ import annotations

from collections.abc import Iterable

from creditbus.core.problems import Problem

NO_KEY = Problem(
    status=401,
    code="no-key",
    title_en="A valid API key is needed",
    title_zh="需要有效的 API 密钥",
    detail_en="Send the key of your department as `Authorization: Bearer <key>`.",
    detail_zh="请以 `Authorization: Bearer <密钥>` 发送本单位的密钥。",
)
NO_BASIS = Problem(
    status=400,
    code="no-basis",
    title_en="Purpose and basis are needed",
    title_zh="须说明查询目的和依据",
    detail_en="Send X-Purpose (a code of GET /v1/purposes) and X-Basis (legal basis, case number or authorisation).",
    detail_zh="请发送 X-Purpose（GET /v1/purposes 中的代码）和 X-Basis（法律依据、案号或授权书编号）。",
)
CITIZEN_NUMBER = Problem(
    status=400,
    code="citizen-number",
    title_en="A person's number must not stand in an address",
    title_zh="公民身份号码不得出现在网址中",
    detail_en="Addresses are logged on their way. POST the number to /v1/match, then use the subject key (p:…).",
    detail_zh="网址会被沿途记录。请将号码 POST 至 /v1/match，再以主体键（p:…）查询自然人。",
)
UNKNOWN_SUBJECT = Problem(
    status=404,
    code="unknown-subject",
    title_en="Nothing is on file",
    title_zh="没有该主体的信息",
    detail_en="The identifier is well-formed, but no record of this subject has reached the bus.",
    detail_zh="标识号码格式正确，但平台尚无该主体的信用记录。",
)
UNKNOWN_EVENT = Problem(
    status=404,
    code="unknown-event",
    title_en="The event has not been seen",
    title_zh="尚未见到该事件",
    detail_en="It may be on its way: ask again in seconds. If the gateway never answered RECEIVED, send it again.",
    detail_zh="事件可能仍在处理，请几秒后再查；如网关未答复 RECEIVED，请以同一事件标识重新报送。",
)
UNKNOWN_THEN = Problem(
    status=404,
    code="unknown-then",
    title_en="Nothing was on file then",
    title_zh="当时尚无该主体的信息",
    detail_en="No record of this subject had reached the bus by that time; without as_of and known_at it may be found.",
    detail_zh="截至该时点，平台尚无该主体的信用记录；不带 as_of 和 known_at 可查询当前信息。",
)
NOT_YET = Problem(
    status=400,
    code="not-yet",
    title_en="That time has not come yet",
    title_zh="所查时点尚未到来",
    detail_en="Give a day (as_of, day) up to today in Beijing, and a time (known_at) up to now.",
    detail_zh="日期（as_of、day）不得晚于今日（北京时间），时间（known_at）不得晚于现在。",
)
CANNOT_AUDIT = Problem(
    status=503,
    code="cannot-audit",
    title_en="The access cannot be recorded now",
    title_zh="目前无法登记本次查询",
    detail_en="No answer is given that cannot be audited. Try again after Retry-After seconds.",
    detail_zh="不能登记的查询不予答复，请稍后再试。",
    retry_after_seconds=2,
)
WAREHOUSE_AWAY = Problem(
    status=503,
    code="warehouse-away",
    title_en="The warehouse does not answer",
    title_zh="数据仓库暂无响应",
    detail_en="It is busy or away. Try again after Retry-After seconds.",
    detail_zh="数据仓库繁忙或不可用，请稍后再试。",
    retry_after_seconds=2,
)
BAD_POSITION = Problem(
    status=400,
    code="bad-position",
    title_en="There is no such position in the stream of alerts",
    title_zh="预警流中没有该位置",
    detail_en="Last-Event-ID, or position, is not an id of this stream. Send one as it came, or since=<a time>.",
    detail_zh="Last-Event-ID（或 position）不是本预警流的标识；请原样发送收到的标识，或以 since=<时间> 指定起点。",
)


def unknown_kind(known: Iterable[str]) -> Problem:
    """A kind of alert that there is not."""
    shown = ", ".join(sorted(known))
    return Problem(
        status=422,
        code="unknown-kind",
        title_en="There is no such kind of alert",
        title_zh="没有该预警种类",
        detail_en=f"kind is none of: {shown}.",
        detail_zh=f"kind 不在以下范围内：{shown}。",
    )


def bad_identifier(flags: Iterable[str]) -> Problem:
    """An identifier that names nobody."""
    shown = ", ".join(sorted(flags))
    return Problem(
        status=400,
        code="bad-identifier",
        title_en="The identifier is not valid",
        title_zh="标识号码无效",
        detail_en=f"Checks that failed: {shown}. Give a unified code, an organisation code or a registration number.",
        detail_zh=f"未通过的检查：{shown}。请提供统一社会信用代码、组织机构代码或原注册号。",
    )


def not_allowed(purpose: str, roles: Iterable[str]) -> Problem:
    """A purpose that the caller may not state."""
    needed = ", ".join(sorted(roles))
    return Problem(
        status=403,
        code="not-allowed",
        title_en="This purpose is not open to you",
        title_zh="无权以此目的查询",
        detail_en=f"{purpose} needs one of the roles: {needed or '(unknown purpose)'}; see GET /v1/purposes.",
        detail_zh=f"{purpose} 需要以下角色之一：{needed or '（未知目的）'}；见 GET /v1/purposes。",
    )


def unknown_view(code: str, known: Iterable[str]) -> Problem:
    """A view that does not exist."""
    shown = ", ".join(known)
    return Problem(
        status=404,
        code="unknown-view",
        title_en="There is no such view",
        title_zh="没有该档案或信息库",
        detail_en=f"{code} is none of: {shown}.",
        detail_zh=f"{code} 不在以下范围内：{shown}。",
    )


def shows_no_accesses(purpose: str, needed: Iterable[str]) -> Problem:
    """A purpose that does not show who looked a subject up."""
    shown = ", ".join(needed)
    return Problem(
        status=403,
        code="not-shown",
        title_en="This purpose does not show accesses",
        title_zh="该查询目的不展示查询记录",
        detail_en=f"{purpose} does not show who looked a subject up; state one of: {shown}.",
        detail_zh=f"{purpose} 不展示查询记录；请使用：{shown}。",
    )


def shows_no_past(purpose: str, needed: Iterable[str]) -> Problem:
    """A purpose that does not show what has ended, and so not how a file was."""
    shown = ", ".join(needed)
    return Problem(
        status=403,
        code="not-shown",
        title_en="This purpose does not show the past",
        title_zh="该查询目的不展示历史信息",
        detail_en=f"{purpose} shows what is in force, not as_of a day or known_at a time; state one of: {shown}.",
        detail_zh=f"{purpose} 仅展示当前有效信息，不支持 as_of 和 known_at；请使用：{shown}。",
    )
