"""``creditbus simulate``: events in realistic proportions, reproducible by seed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from creditbus.bus.rules import rules_in_force
from creditbus.client.subscriber import Subscriber
from creditbus.commands.connecting import running
from creditbus.commands.printing import WholeTable, terminal
from creditbus.lab.simulator.answers import Answer, answers_to
from creditbus.lab.simulator.sending import onto_kafka, through_gateway
from creditbus.lab.simulator.story import Mix, Sent, Story

_QUIET_SECONDS = 15.0
"""So long without an order, joining the group included, and everything is answered."""
WAYS = {"gateway": through_gateway, "kafka": onto_kafka}


def register(app: typer.Typer) -> None:
    """Add the command to app."""
    app.command()(simulate)


def simulate(  # noqa: PLR0913 - the options of a command line
    events: Annotated[int, typer.Option(min=1, help="How many events. 事件数。")] = 10_000,
    seed: Annotated[int, typer.Option(help="Same seed, same events. 随机种子。")] = 1,
    subjects: Annotated[int, typer.Option(min=1, max=800_000, help="How many subjects. 主体数。")] = 5_000,
    rate: Annotated[float, typer.Option(min=0, help="Events a second; 0 = as fast as possible. 速率。")] = 0,
    bad: Annotated[float, typer.Option(min=0, max=1, help="Part with bad input. 错误比例。")] = 0.03,
    duplicates: Annotated[float, typer.Option(min=0, max=1, help="Part that is sent again. 重复比例。")] = 0.03,
    days: Annotated[int, typer.Option(min=1, max=3660, help="Spread over so many days up to yesterday. 天数。")] = 1,
    via: Annotated[str, typer.Option(help="gateway, or kafka for load. 途径。")] = "gateway",
    answer: Annotated[bool, typer.Option("--answer", help="Answer orders and lifts instead. 模拟措施回执。")] = False,
) -> None:
    """Send simulated events; all facts are fictitious. 模拟报送。"""
    console = terminal()
    if answer:
        _answer(console, seed)
        return
    if via not in WAYS:
        console.print(f"--via is {via}; use gateway or kafka")
        raise typer.Exit(2)
    places = running()
    # decisions lie in the past in Beijing, whatever the hour here
    day = (datetime.now(UTC) - timedelta(days=1)).date()
    story = Story(seed=seed, subjects=subjects, day=day, mix=Mix(bad=bad, duplicates=duplicates), days=days)
    told: Counter[tuple[str, str]] = Counter()
    began = time.perf_counter()
    columns = (TextColumn("events 事件"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task("events", total=events)
        for sent in WAYS[via](places, _paced(_told(story.events(events), told), rate)):
            bars.update(bar, advance=sent)
    _show(console, told, events / (time.perf_counter() - began))


def _answer(console: Console, seed: int) -> None:
    """Answer every order and lift since the last time as subscribers would, the late ones last."""
    places = running()
    rules = rules_in_force(places.brokers)
    families = sorted({family for row in rules.subscribers for family in row.families if family.startswith("M")})
    heard = [time.monotonic()]
    answers: list[Answer] = []
    with Subscriber(places.brokers, places.registry_url, group=f"simulated-subscribers-{seed}") as subscriber:
        quiet = lambda: time.monotonic() - heard[0] > _QUIET_SECONDS  # noqa: E731 - one line, used once
        for order in subscriber.orders(families, persons=True, stopping=quiet):
            heard[0] = time.monotonic()
            answers += answers_to(order, rules, seed, datetime.now(UTC))
    in_order = sorted(answers, key=lambda one: one.is_late)  # a stable sort: per subject the order stays
    sent = sum(through_gateway(places, (one.sent for one in in_order)))
    told = Counter((one.sent.event["facts"]["action"], one.sent.event["facts"]["state"]) for one in answers)
    table = WholeTable(
        "action", "state", "answers", title=f"Answered {sent:,}, late {sum(one.is_late for one in answers):,}"
    )
    for (action, state), count in sorted(told.items()):
        table.add_row(action, state, f"{count:,}")
    console.print(table)


def _told(events: Iterator[Sent], told: Counter[tuple[str, str]]) -> Iterator[Sent]:
    for sent in events:
        told[sent.event["kind"], sent.expected] += 1
        yield sent


def _paced(events: Iterator[Sent], rate: float) -> Iterator[Sent]:
    """The events at this rate, however long sending one takes."""
    began = time.perf_counter()
    for number, sent in enumerate(events):
        if rate:
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
        yield sent


def _show(console: Console, told: Counter[tuple[str, str]], rate: float) -> None:
    kinds = sorted({kind for kind, _ in told})
    expected = ("RECORDED", "CORRECTION", "DUPLICATE", "REJECTED")
    table = WholeTable("kind", *expected, title=f"Sent, and what it must become · {rate:,.0f} events/s")
    for kind in kinds:
        table.add_row(kind, *(f"{told[kind, what]:,}" for what in expected))
    table.add_section()
    table.add_row("all", *(f"{sum(told[kind, what] for kind in kinds):,}" for what in expected))
    console.print(table)
