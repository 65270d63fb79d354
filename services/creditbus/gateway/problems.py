"""Why a whole request was not taken on: problem details (RFC 9457) in English and Chinese."""

from __future__ import annotations

from creditbus.core.problems import Problem

NO_KEY = Problem(
    status=401,
    code="no-key",
    title_en="An API key is needed",
    title_zh="需要 API 密钥",
    detail_en="Send the key of your department as `Authorization: Bearer <key>`.",
    detail_zh="请以 `Authorization: Bearer <密钥>` 发送本单位的密钥。",
)
WRONG_KEY = Problem(
    status=401,
    code="wrong-key",
    title_en="The API key is not known",
    title_zh="API 密钥无效",
    detail_en="No department has this key. Check for a copying mistake, or ask the operator for a new one.",
    detail_zh="没有单位使用该密钥。请检查是否抄录有误，或向运维人员申请新密钥。",
)
NOT_JSON = Problem(
    status=400,
    code="not-json",
    title_en="The body is not JSON",
    title_zh="请求体不是 JSON",
    detail_en='Send one event as a JSON object in UTF-8, or {"events": [...]}.',
    detail_zh='请以 UTF-8 编码发送一个 JSON 事件对象，或 {"events": [...]}。',
)
WRONG_SHAPE = Problem(
    status=422,
    code="wrong-shape",
    title_en="The body is neither an event nor a batch",
    title_zh="请求体既不是事件也不是批次",
    detail_en='Send one event object with "kind", or {"events": [...]} with at least one event and nothing else.',
    detail_zh='请发送带 "kind" 的事件对象，或仅含 "events" 且至少一个事件的 {"events": [...]}。',
)
BUSY = Problem(
    status=429,
    code="busy",
    title_en="Too many events are on their way",
    title_zh="在途事件过多",
    detail_en="Senders are faster than the brokers. Nothing was taken on: send all again after Retry-After seconds.",
    detail_zh="消息系统处理不及。本次未接收任何事件，请在 Retry-After 秒后全部重新发送。",
    retry_after_seconds=1,
)
STARTING = Problem(
    status=503,
    code="not-ready",
    title_en="The gateway cannot reach the brokers or the schema registry",
    title_zh="网关暂时无法连接消息系统或模式注册中心",
    detail_en="Nothing was taken on: send all again after Retry-After seconds. GET /health/ready says what is missing.",
    detail_zh="本次未接收任何事件，请在 Retry-After 秒后全部重新发送。GET /health/ready 说明所缺部分。",
    retry_after_seconds=2,
)
ALL_UNKNOWN = Problem(
    status=503,
    code="unknown-outcome",
    title_en="The brokers did not acknowledge in time",
    title_zh="消息系统未及时确认",
    detail_en="It is unknown whether the events were stored. Send them again with the same event_id: that is harmless.",
    detail_zh="事件是否已保存不明。请以相同的 event_id 重新发送，重复发送无害。",
    retry_after_seconds=2,
)
ALL_REJECTED = Problem(
    status=422,
    code="all-rejected",
    title_en="No event fits its schema",
    title_zh="没有一个事件符合模式",
    detail_en="`results` names every fault. Mend them and send the events again with the same event_id.",
    detail_zh="`results` 列出全部错误。更正后请以相同的 event_id 重新发送。",
)

AT_THE_HUB = Problem(
    status=403,
    code="at-the-hub",
    title_en="Nothing is approved at a region's node",
    title_zh="盟市节点不受理批准",
    detail_en="Send it to the hub's gateway: breakers, initial loads, editions and the clock are worked there.",
    detail_zh="请发送至全区中心的网关：熔断、初始导入、目录版本和时钟均由中心办理。",
)


def body_too_large(limit_bytes: int) -> Problem:
    """The request is larger than the limit."""
    return Problem(
        status=413,
        code="body-too-large",
        title_en="The body is too large",
        title_zh="请求体过大",
        detail_en=f"At most {limit_bytes} bytes are taken on in one request: send smaller batches.",
        detail_zh=f"单次请求最多 {limit_bytes} 字节，请减小批次。",
    )


def too_many_events(count: int, limit: int) -> Problem:
    """The batch has more events than the limit."""
    return Problem(
        status=413,
        code="too-many-events",
        title_en="The batch has too many events",
        title_zh="批次事件过多",
        detail_en=f"{count} events were sent, at most {limit} are taken on in one request: send smaller batches.",
        detail_zh=f"本次发送 {count} 个事件，单次最多 {limit} 个，请减小批次。",
    )


def not_an_officer(department: str) -> Problem:
    """The key is known, but its holder decides nothing about sources."""
    return Problem(
        status=403,
        code="not-an-officer",
        title_en="This key may not approve",
        title_zh="该密钥无权批准",
        detail_en=f"{department} has no role officer. Ask the operator.",
        detail_zh=f"{department} 没有 officer 角色。请联系运维人员。",
    )


def own_release(source: str) -> Problem:
    """Nobody releases what it sent itself."""
    return Problem(
        status=403,
        code="own-release",
        title_en="A source cannot release itself",
        title_zh="来源不得批准放行自己",
        detail_en=f"{source} is held because of its own listings: officers of two other departments have to approve.",
        detail_zh=f"{source} 因自身列入数量异常被暂缓，须由其他单位的两名人员批准。",
    )


def own_load(source: str) -> Problem:
    """Nobody opens or releases its own load."""
    return Problem(
        status=403,
        code="own-load",
        title_en="A department cannot approve its own initial load",
        title_zh="不得批准本单位的初始导入",
        detail_en=f"{source}: officers of two other departments approve; its own only says that everything is sent.",
        detail_zh=f"{source}：须由其他单位的两名人员批准，本单位只报送完毕。",
    )


def unknown_department(department: str) -> Problem:
    """An initial load of nobody."""
    return Problem(
        status=404,
        code="unknown-department",
        title_en="The department is not in the catalogue",
        title_zh="目录中没有该单位",
        detail_en=f"{department} is not in the edition in force. Correct the code, or have the department added first.",
        detail_zh=f"现行目录中没有 {department}。请核对代码，或先将该单位加入目录。",
    )


def not_a_sender(department: str) -> Problem:
    """The key is known, but its holder may not send."""
    return Problem(
        status=403,
        code="not-a-sender",
        title_en="This key may not send events",
        title_zh="该密钥无权报送",
        detail_en=f"{department} has no role producer or subscriber, or is not in the catalogue. Ask the operator.",
        detail_zh=f"{department} 没有 producer 或 subscriber 角色，或不在目录中。请联系运维人员。",
    )
