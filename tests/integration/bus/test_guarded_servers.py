"""Registry and ClickHouse behind TLS that ask who comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from creditbus.bus.registry import Registry
from creditbus.clickhouse.client import ClickHouse
from creditbus.core.errors import RetryLaterError, SettingsError
from guarded_http import Guard, guarded

Ask = Callable[[], object]


@pytest.fixture(params=["REGISTRY", "CLICKHOUSE"])
def server(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[str, Guard]]:
    """Prefix of its settings, and the guard before it; the settings are those of a client that is let through."""
    url = request.getfixturevalue(f"{request.param.lower()}_url")
    prefix = f"CREDITBUS_{request.param}_"
    with guarded(url, tmp_path) as guard:
        for name, value in guard.environment(prefix).items():
            monkeypatch.setenv(name, value)
        yield prefix, guard


@contextmanager
def asking(prefix: str, url: str) -> Iterator[list[Ask]]:
    """Every way in which a client asks the server."""
    if "REGISTRY" in prefix:
        with closing(Registry(url)) as registry:
            yield [registry.subjects]
    else:
        with closing(ClickHouse(url)) as clickhouse:
            yield [lambda: clickhouse.query("SELECT 1 AS up"), lambda: clickhouse.command("SELECT 1")]


def test_a_client_with_user_and_password_is_let_in_and_goes_on_when_the_password_changes(
    server: tuple[str, Guard],
) -> None:
    prefix, guard = server
    with asking(prefix, guard.url) as questions:
        for ask in questions:
            ask()
            guard.passwords = {"second"}
            with pytest.raises(RetryLaterError, match=f"HTTP 401.*{prefix}PASSWORD_FILE") as raised:
                ask()
            assert "first" not in str(raised.value)
            guard.change("second")
            ask()
            guard.change("first")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # urllib3 leaves some sockets open
@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (["USERNAME"], "who names no user .*{}USERNAME"),
        (["CA_FILE"], "is not trusted.*{}CA_FILE"),  # and gets no password
        (["CERTIFICATE_FILE", "KEY_FILE"], "does not answer"),
    ],
    ids=["user", "ca", "certificate"],
)
def test_who_lacks_something_is_not_let_in_and_told_what(
    server: tuple[str, Guard], monkeypatch: pytest.MonkeyPatch, missing: list[str], told: str
) -> None:
    prefix, guard = server
    for name in missing:
        monkeypatch.delenv(f"{prefix}{name}")
    with asking(prefix, guard.url) as questions:
        for ask in questions:
            with pytest.raises(RetryLaterError, match=told.format(prefix)):
                ask()
    assert not guard.let_in


def test_a_password_in_a_url_is_refused_and_not_told(server: tuple[str, Guard]) -> None:
    prefix, guard = server
    url = guard.url.replace("https://", "https://user:secret@")
    with pytest.raises(SettingsError, match=f"{prefix}URL must not hold") as raised, asking(prefix, url):
        pass
    assert "secret" not in str(raised.value)
