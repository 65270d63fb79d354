"""The application over a look-up port that is a hand-written fake."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from creditbus.bus.metrics import Metrics
from creditbus.catalogue.editions import edition_of
from creditbus.catalogue.loader import load
from creditbus.console import catalogue
from creditbus.console.app import Ports, build_app
from creditbus.console.catalogue import CatalogueInForce, Shown
from creditbus.console.lookup import Answer, Lookup
from creditbus.console.names import names_of
from creditbus.console.pages import STATIC, Pages, look_of
from creditbus.console.settings import read_console_key
from creditbus.core.errors import RetryLaterError, SettingsError
from creditbus.core.identifiers import synthetic_uscc

CODE = synthetic_uscc("91", "150102", 42)
OWN = Shown("own", names_of(load()), "<p>C03-PENALTY</p>")


class FakeLookup(Lookup):
    """A look-up that answers what it is told to."""

    def __init__(self) -> None:
        self.answer = Answer(200, b'{"subject_key": "x"}')
        self.is_away = False
        self.edition = b""
        self.asked: list[tuple[str, Mapping[str, str], Mapping[str, str]]] = []

    async def close(self) -> None:
        """Nothing is open."""

    async def is_ready(self) -> bool:
        """As told."""
        return not self.is_away

    async def subject(self, identifier: str, stated: Mapping[str, str], query: Mapping[str, str]) -> Answer:
        """As told; what was asked is kept."""
        self.asked.append((identifier, stated, query))
        return self._told()

    async def flow(self) -> Answer:
        """As told."""
        return self._told()

    async def purposes(self) -> Answer:
        """As told."""
        return self._told()

    async def catalogue(self, known: str) -> Answer:
        """The edition that it was given, to whoever does not know it."""
        self._told()
        same = hashlib.sha256(self.edition).hexdigest() == known
        return Answer(200, self.edition) if self.edition and not same else Answer(304, b"")

    async def alerts(self, limit: int) -> Answer:
        """As told, with the limit that was asked for."""
        return Answer(200, json.dumps({"items": [], "limit": limit}).encode())

    @asynccontextmanager
    async def alert_stream(self, position: str) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """One event that repeats what the browser saw last."""
        self._told()

        async def parts() -> AsyncIterator[bytes]:
            yield f"event: alert\ndata: {position}\n\n".encode()

        yield 200, parts()

    def _told(self) -> Answer:
        if self.is_away:
            raise RetryLaterError("away")
        return self.answer


class Client:
    """Asks an application without a network."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = httpx.ASGITransport(app)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET."""
        return asyncio.run(self._ask("GET", path, **options))

    def post(self, path: str, content: bytes) -> httpx.Response:
        """POST."""
        return asyncio.run(self._ask("POST", path, content=content))

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url="http://testserver") as client:
            return await client.request(method, path, **options)


@pytest.fixture
def lookup() -> FakeLookup:
    return FakeLookup()


@pytest.fixture
def ports(lookup: FakeLookup) -> Ports:
    return Ports(
        lookup=lookup, pages=Pages(), catalogue=CatalogueInForce(lookup, OWN), metrics=Metrics("console"),
        hosts=("testserver",), most_streams=1,
    )  # fmt: skip


@pytest.fixture
def client(ports: Ports) -> Client:
    return Client(build_app(ports))


def test_a_look_up_carries_the_stated_purpose_and_its_page(client: Client, lookup: FakeLookup) -> None:
    answer = client.get(
        f"/api/subjects/{CODE.lower()}", params={"purpose": "casework", "basis": "信修〔2026〕1号", "cursor": "c"}
    )
    assert answer.json() == {"subject_key": "x"}
    identifier, why, passed = lookup.asked[0]
    assert identifier == CODE
    assert why == {"X-Purpose": "casework", "X-Basis": "%E4%BF%A1%E4%BF%AE%E3%80%942026%E3%80%951%E5%8F%B7"}
    assert passed == {"cursor": "c"}


def test_what_cannot_be_an_identifier_is_not_looked_up(client: Client, lookup: FakeLookup) -> None:
    answer = client.get("/api/subjects/nonsense")
    assert answer.status_code == 422
    assert answer.json()["title_zh"] == "这不是可查询的代码。"
    assert lookup.asked == []


@pytest.mark.parametrize("text", ["", "%", "../../v1/flow", "a/b"])
def test_no_identifier_leads_to_another_path_of_the_look_up(client: Client, lookup: FakeLookup, text: str) -> None:
    assert client.post("/api/identifiers", content=text.encode()).status_code == 422
    assert client.get(f"/api/subjects/{text}").status_code in (404, 422)
    assert lookup.asked == []


def test_another_sites_page_cannot_cause_a_look_up(client: Client, lookup: FakeLookup) -> None:
    answer = client.get(f"/api/subjects/{CODE}", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:creditbus:problem:cross-site")
    assert lookup.asked == []


def test_a_name_that_is_rebound_to_this_machine_is_refused(client: Client) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_a_problem_of_the_look_up_passes_through_with_its_texts(client: Client, lookup: FakeLookup) -> None:
    lookup.answer = Answer(503, '{"status":503,"title_zh":"繁忙","detail_zh":"稍后"}'.encode(), "2")
    answer = client.get(f"/api/subjects/{CODE}")
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["title_zh"]) == (503, "2", "繁忙")


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "key-refused"), (500, "lookup-unreadable"), (503, "lookup-away"), (404, "lookup-unreadable")],
)
def test_a_failure_without_texts_gets_the_consoles(client: Client, lookup: FakeLookup, status: int, code: str) -> None:
    lookup.answer = Answer(status, b"Internal Server Error")
    assert client.get("/api/flow").json()["type"] == f"urn:creditbus:problem:{code}"


def test_while_the_look_up_is_away_every_part_says_so(client: Client, lookup: FakeLookup) -> None:
    lookup.is_away = True
    for path in (f"/api/subjects/{CODE}", "/api/flow", "/api/purposes", "/api/alerts/stream"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["title_zh"]) == (503, "查询服务暂不可用。")
    assert client.get("/health/ready").status_code == 503
    assert 'creditbus_ready{service="console"} 0.0' in client.get("/metrics").text
    assert client.get("/health/live").status_code == 200
    assert client.get("/").status_code == 200


def test_the_stream_goes_on_where_the_browser_was_and_is_counted_down(client: Client, ports: Ports) -> None:
    answer = client.get("/api/alerts/stream?position=0.3", headers={"Last-Event-ID": "0.7"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.endswith("event: alert\ndata: 0.7\n\n")
    assert client.get("/api/alerts/stream?position=0.3").text.endswith("data: 0.3\n\n"), "the browser's first time"
    assert ports.streams == 0


def test_too_many_streams_are_refused(client: Client, ports: Ports) -> None:
    ports.streams = 1
    assert client.get("/api/alerts/stream").status_code == 503


def test_a_limit_is_kept_within_bounds(client: Client) -> None:
    assert client.get("/api/alerts?limit=100000").json()["limit"] == 100


def test_the_catalogue_is_there_to_browse_with_its_style_from_the_same_server(client: Client) -> None:
    assert client.get("/catalogue").text == "<p>C03-PENALTY</p>"
    assert client.get("/catalogue.css").headers["content-type"].startswith("text/css")


def test_the_catalogue_and_the_names_are_those_of_the_edition_in_force(
    client: Client, lookup: FakeLookup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "_FRESH_SECONDS", -1)
    present = load()
    first, *others = present.lists
    changed = present.model_copy(update={"lists": (first.model_copy(update={"zh": "新名单"}), *others)})

    def told() -> tuple[str, bool]:
        return client.get("/api/names").json()["list"][first.code][0], "新名单" in client.get("/catalogue").text

    lookup.is_away = True
    assert told() == (first.zh, False), "the program's own until the look-up API tells"
    lookup.is_away = False
    lookup.edition = edition_of(changed).text
    assert told() == ("新名单", True)
    lookup.edition = b'{"of": "another release"}'
    assert told() == ("新名单", True), "what cannot be read changes nothing"
    lookup.is_away = True
    assert told() == ("新名单", True)


def test_every_answer_forbids_foreign_and_inline_code(client: Client) -> None:
    for path in ("/", f"/subjects/{CODE}", "/static/chrome.js", "/nowhere", "/api/names"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_pages_hold_no_inline_code_and_nothing_from_elsewhere(client: Client) -> None:
    for path in ("/", f"/subjects/{CODE}", "/nowhere"):
        html = client.get(path).text
        assert "<style" not in html and " style=" not in html and "onclick" not in html  # noqa: PT018
        assert html.count("<script") == html.count('src="/static/') - html.count('<img src="/static/')
        assert "http://" not in html and "https://" not in html  # noqa: PT018
    scripts = [path.read_text(encoding="utf-8") for path in STATIC.glob("*.js")]
    assert not any("innerHTML" in script or "https://" in script for script in scripts)


def test_an_identifier_in_the_address_is_not_written_into_the_page(client: Client) -> None:
    assert "<b>x" not in client.get("/subjects/<b>x").text


def test_language_and_colours_come_from_the_browser(client: Client) -> None:
    assert look_of({}, "").language == "zh"
    assert look_of({}, "en-GB,en").language == "en"
    assert look_of({"language": "zh", "theme": "dark"}, "en").theme == "dark"
    assert look_of({"language": '"><script>', "theme": "x"}, "zh-CN").theme == "auto"
    assert '<html lang="en"' in client.get("/", headers={"Accept-Language": "en"}).text


def test_no_day_of_the_law_stands_in_a_script() -> None:
    scripts = sorted(STATIC.glob("*.js"))
    assert scripts
    assert [path.name for path in scripts if re.search(r"\b20[0-9]{2}-[01][0-9]-[0-3][0-9]\b", path.read_text())] == []


def test_names_of_codes_come_from_the_catalogue(client: Client) -> None:
    names = client.get("/api/names").json()
    assert names["list"]["L01"] == ["失信被执行人", "dishonest judgment debtors"]
    assert "L20" in names["list"]
    assert "L20" not in names["severe_list"]
    [notice] = [row for row in load().repair if row.condition == "NOTICE"]
    assert names["repair_notice"] == {kind: [notice.since.isoformat(), ""] for kind in notice.kinds}
    assert set(names) == {
        "purpose",
        "repair_notice",
        "list",
        "severe_list",
        "court_order",
        "consumption",
        "measure",
        "incentive",
        "deserving",
        "department",
        "authority",
        "region",
        "item",
        "instrument",
        "grade",
    }


def test_answers_are_counted_by_route(client: Client) -> None:
    client.get(f"/api/subjects/{CODE}")
    text = client.get("/metrics").text
    assert 'route="/api/subjects/{identifier:path}",service="console",status="200"' in text
    assert CODE not in text


def test_a_missing_key_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"lab-keys\.json cannot be read"):
        read_console_key(tmp_path, "console")
    (tmp_path / "lab-keys.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SettingsError, match="no key 'console'"):
        read_console_key(tmp_path, "console")
    (tmp_path / "lab-keys.json").write_text('{"console": "k"}', encoding="utf-8")
    assert read_console_key(tmp_path, "console") == "k"
