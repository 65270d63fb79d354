"""The console's pages in a real browser, over a look-up API that is made up: from the search to the reasons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect, sync_playwright

from creditbus.bus.metrics import Metrics
from creditbus.console.app import build, build_app
from creditbus.console.settings import ConsoleSettings
from fake_lookup import (
    ABNORMAL,
    CLEAN,
    KEY,
    LIMITED,
    LISTED,
    LONG_NAME,
    MARKUP_NAME,
    TRADER,
    UNKNOWN,
    Fake,
    alert,
    app_of,
    serving,
)

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: `apt-get install -y chromium` (Debian) brings it"
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless, with a profile of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def fake() -> Fake:
    """What the look-up answers in this test."""
    return Fake()


@pytest.fixture
def console(fake: Fake, free_port: Callable[[], int], tmp_path: Path) -> Iterator[str]:
    """Address of a console over the made-up look-up."""
    (tmp_path / "lab-keys.json").write_text(f'{{"console": "{KEY}"}}', encoding="utf-8")
    with serving(app_of(fake), free_port()) as lookup_url:
        settings = ConsoleSettings(lookup_url=lookup_url, secrets=tmp_path)
        with serving(build_app(build(settings, Metrics("console"))), free_port()) as url:
            yield url


@pytest.fixture
def page(browser: Browser, console: str) -> Iterator[Page]:
    """A Chinese page that fails the test when a script fails, a policy is broken, or anything foreign is asked for."""
    context = browser.new_context(base_url=console, locale="zh-CN")
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if "Content Security" in message.text else None)
    page.on("request", lambda request: troubles.append(request.url) if not request.url.startswith(console) else None)
    yield page
    context.close()
    assert troubles == []


def search(page: Page, text: str) -> None:
    """Type into the search box and press Enter."""
    page.get_by_label("统一社会信用代码或其他代码").fill(text)
    page.get_by_label("统一社会信用代码或其他代码").press("Enter")


def test_a_search_leads_to_the_reasons_of_a_score(page: Page, fake: Fake) -> None:
    page.goto("/")
    page.get_by_label("依据").fill("信修〔2026〕1号")
    search(page, f" {LISTED[:8].lower()} {LISTED[8:]}")
    expect(page).to_have_url(re.compile(f"/subjects/{LISTED}$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(LONG_NAME)
    reason = page.locator(".reasons li").first
    expect(reason).to_contain_text("−260")
    expect(reason).to_contain_text("被人民法院列为失信被执行人")
    expect(reason).to_contain_text("履行生效法律文书确定的义务后向执行法院申请删除")
    expect(page.locator(".fictitious")).to_be_visible()
    expect(page.locator(".cards li")).to_contain_text("呼和浩特市中级人民法院")
    expect(page.locator("#measures-title + .scroll tbody tr")).to_have_count(4)
    expect(page.locator("#measures-title + .scroll tbody tr").first).to_contain_text("实施中")
    page.get_by_text("条件不具备而未实施 1 项").click()
    expect(page.get_by_text("事先告知书未载明限制参加评先评优")).to_be_visible()
    expect(page.locator("#incentives-title ~ ul")).to_contain_text("公共资源交易中信用加分")
    expect(page.locator("#incentives-title ~ ul")).to_contain_text("在严重失信主体名单期间暂停")
    expect(page.locator("#terms-title ~ ul")).to_contain_text("M11 自治区公共资源交易中心")
    assert fake.asked == [{"identifier": LISTED, "purpose": "supervision", "basis": "信修〔2026〕1号", "cursor": "0"}]


def test_records_come_page_by_page(page: Page) -> None:
    page.goto(f"/subjects/{LISTED}")
    rows = page.locator("#records-title ~ .scroll tbody tr")
    expect(rows).to_have_count(20)
    page.get_by_role("button", name="更早的记录").click()
    expect(rows).to_have_count(40)
    page.get_by_role("button", name="更早的记录").click()
    expect(rows).to_have_count(60)
    expect(page.get_by_role("button", name="更早的记录")).to_be_hidden()


def test_who_looked_a_subject_up_is_asked_for_when_it_is_unfolded(page: Page, fake: Fake) -> None:
    page.goto("/")
    page.evaluate("sessionStorage.setItem('purpose', 'casework')")
    page.goto(f"/subjects/{LISTED}")
    expect(page.locator("#records-title")).to_be_visible()
    assert len(fake.asked) == 1, "the question is on the ledger, so it is not asked unasked"
    rows = page.locator("#accesses-title ~ details tbody tr")
    page.get_by_text("谁因何查询过").click()
    expect(rows).to_have_count(20)
    expect(rows.nth(0)).to_contain_text("网页查询")
    expect(rows.nth(1)).to_contain_text("呼和浩特市市场监督管理局")
    expect(rows.nth(1)).to_contain_text("异议与信用修复办理")
    expect(rows.nth(1)).to_contain_text("信修〔2026〕1号 <b>")
    expect(rows.nth(2)).to_contain_text("推送：gov")
    page.get_by_role("button", name="更早的查询").click()
    expect(rows).to_have_count(30)
    expect(page.get_by_role("button", name="更早的查询")).to_be_hidden()


def test_a_purpose_that_shows_no_look_ups_is_told_of(page: Page) -> None:
    page.goto(f"/subjects/{LISTED}")
    page.get_by_text("谁因何查询过").click()
    expect(page.locator("#accesses-title ~ details [role=alert]")).to_contain_text("该目的不展示查询记录")


def test_an_alert_arrives_while_the_page_is_open(page: Page, fake: Fake) -> None:
    fake.push(alert(1, name="包头市鹿城建材有限公司"))
    page.goto("/")
    expect(page.locator("#alerts li")).to_have_count(1)
    expect(page.locator("#alerts-state")).to_have_attribute("data-state", "live")
    fake.push(alert(2))
    newest = page.locator("#alerts li").first
    expect(newest).to_contain_text(LONG_NAME)
    expect(newest).to_have_class("new")
    newest.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(LONG_NAME)


def test_an_alert_between_the_list_and_the_stream_is_not_missed(page: Page, fake: Fake) -> None:
    fake.push(alert(1))

    def connect_later(route: Route) -> None:
        fake.push(alert(2, name="包头市鹿城建材有限公司"))
        route.continue_()

    page.route("**/api/alerts/stream*", connect_later, times=1)
    page.goto("/")
    expect(page.locator("#alerts li")).to_have_count(2)
    expect(page.locator("#alerts li").first).to_contain_text("包头市鹿城建材有限公司")


def test_the_flow_shows_counts_rates_and_lag_and_says_when_it_is_interrupted(page: Page, fake: Fake) -> None:
    page.goto("/")
    stage = page.locator('[data-stage="intake"]')
    expect(stage.locator(".lag")).to_have_text("积压 240", use_inner_text=True)
    expect(stage).to_have_class("service busy")
    expect(stage.locator(".rate")).to_contain_text("/s")
    fake.failing = 503
    expect(page.locator("#flow-state")).to_have_text("连接中断，正在重试", use_inner_text=True)
    fake.failing = 0
    expect(page.locator("#flow-state")).to_have_text("实时", use_inner_text=True)


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("", "请输入代码", "Enter an identifier"),
        (LISTED[:-1] + "A" * (LISTED[-1] != "A") + "B" * (LISTED[-1] == "A"), "最后一位校验码不符", "check character"),
        ("某某公司", "不支持按名称查询", "Names cannot be looked up"),
    ],
)
def test_a_bad_identifier_is_explained_in_both_languages(page: Page, fake: Fake, text: str, zh: str, en: str) -> None:
    page.goto("/")
    search(page, text)
    expect(page.get_by_role("alert")).to_contain_text(zh)
    expect(page.get_by_label("统一社会信用代码或其他代码")).to_be_focused()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("alert")).to_contain_text(en)
    assert fake.asked == []


def test_nothing_typed_gets_into_the_address_while_the_page_is_not_ready(page: Page) -> None:
    page.route("**/static/home.js", lambda route: route.abort())
    page.goto("/")
    expect(page.get_by_label("统一社会信用代码或其他代码")).to_be_disabled()
    assert page.locator("#search [name]").count() == 0


def test_what_people_wrote_is_text_and_never_markup(page: Page) -> None:
    page.goto(f"/subjects/{CLEAN}")
    expect(page.get_by_role("heading", level=1)).to_have_text(MARKUP_NAME)
    expect(page.locator("main img")).to_have_count(0)
    expect(page.get_by_text("不在任何名单上。")).to_be_visible()


def test_only_a_list_of_severely_dishonest_subjects_makes_one(page: Page) -> None:
    page.goto(f"/subjects/{ABNORMAL}")
    expect(page.locator(".stamp")).to_have_text("列入名录", use_inner_text=True)
    expect(page.locator(".cards li")).to_contain_text("经营异常名录")
    expect(page.get_by_text("严重失信主体")).to_have_count(0)
    page.goto(f"/subjects/{LISTED}")
    expect(page.locator(".stamp")).to_have_text("严重失信主体", use_inner_text=True)


def test_an_order_that_limits_consumption_is_shown_apart_from_the_lists(page: Page) -> None:
    page.goto(f"/subjects/{LIMITED}")
    expect(page.locator(".stamp")).to_contain_text("限制消费")
    expect(page.locator("section[aria-labelledby=restrictions-title]")).to_contain_text("不是失信名单")
    expect(page.locator("section[aria-labelledby=listings-title]")).to_contain_text("不在任何名单上")
    expect(page.locator("section[aria-labelledby=measures-title]")).to_contain_text("星级以上宾馆")


def test_a_sole_trader_is_never_scored(page: Page) -> None:
    page.goto(f"/subjects/{TRADER}")
    expect(page.get_by_text("自然人和个体工商户只列事实，不评分。")).to_be_visible()
    expect(page.locator(".grade")).to_have_count(0)


def test_an_unknown_subject_and_a_broken_look_up_are_told_apart(page: Page, fake: Fake) -> None:
    page.goto(f"/subjects/{UNKNOWN}")
    expect(page.get_by_role("alert")).to_contain_text("没有该主体的信息")
    fake.failing = 503
    page.goto(f"/subjects/{UNKNOWN}")
    expect(page.get_by_role("alert")).to_contain_text("查询服务暂不可用")
    fake.failing = 0
    page.get_by_role("button", name="重试").click()
    expect(page.get_by_role("alert")).to_contain_text("没有该主体的信息")


def test_language_and_colours_are_remembered(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="English").click()
    page.locator("#theme").click()
    page.locator("#theme").click()
    page.goto(f"/subjects/{LISTED}")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("heading", name="Measures")).to_be_visible()
    expect(page.get_by_role("heading", name="惩戒措施")).to_be_hidden()


@pytest.mark.parametrize("path", ["/", f"/subjects/{LISTED}", f"/subjects/{CLEAN}"])
def test_nothing_overflows_a_narrow_screen(page: Page, fake: Fake, path: str) -> None:
    fake.push(alert(1))
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(path)
    expect(page.get_by_text(MARKUP_NAME if CLEAN in path else LONG_NAME).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_key_never_reaches_the_browser(page: Page) -> None:
    heads: list[str] = []
    page.on("request", lambda request: heads.append(str(sent_and_received(request))))
    page.goto(f"/subjects/{LISTED}")
    expect(page.get_by_role("heading", level=1)).to_have_text(LONG_NAME)
    assert heads
    assert KEY not in page.content() + "".join(heads)


def sent_and_received(request: Request) -> dict[str, str]:
    """Headers of a request."""
    return {**request.headers, "url": request.url}


def test_the_subject_prints_without_the_search_form(page: Page, tmp_path: Path) -> None:
    page.goto(f"/subjects/{LISTED}")
    expect(page.locator(".reasons")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator("#search")).to_be_hidden()
    expect(page.locator(".reasons")).to_be_visible()
    page.pdf(path=tmp_path / "subject.pdf")
    assert (tmp_path / "subject.pdf").stat().st_size > 10_000
