"""How the lab looks in a terminal: the table, the bars of a start, the doctor's lines, logs that go on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

import psutil
from rich.markup import escape
from rich.progress import Progress, TaskID
from rich.table import Table

from creditbus.commands.printing import WholeTable
from creditbus.lab.doctor import Finding
from creditbus.lab.state import DeployRecord, LabState, PidRecord, find_alive
from creditbus.lab.steps import Phase
from creditbus.lab.texts import Text

MIB = 1024 * 1024
FOLLOW_SECONDS = 0.2

COLUMNS = (
    Text(en="what", zh="组件"),
    Text(en="address", zh="地址"),
    Text(en="pid", zh="进程号"),
    Text(en="memory", zh="内存"),
    Text(en="health", zh="状态"),
    Text(en="restarts", zh="重启"),
)
HEALTH = {
    Phase.WAITING: Text(en="waiting", zh="等待"),
    Phase.STARTING: Text(en="starting", zh="启动中"),
    Phase.READY: Text(en="ready", zh="就绪"),
    Phase.UNHEALTHY: Text(en="not answering", zh="无应答"),
    Phase.BACKING_OFF: Text(en="restarting soon", zh="即将重启"),
    Phase.STOPPED: Text(en="stopped", zh="已停止"),
    Phase.FAILED: Text(en="failed", zh="失败"),
    Phase.DONE: Text(en="done", zh="完成"),
}
GOOD = frozenset({Phase.READY, Phase.DONE})


def status_table(state: LabState, language: str) -> Table:
    """One row a process: what, address, pid, memory (resident, with helpers), health, restarts; the sum below."""
    total = 0
    table = WholeTable(show_footer=True)
    rows = []
    for record in state.processes:
        memory = resident_bytes(record.process)
        total += memory
        colour = "green" if record.phase in GOOD else "red"
        health = f"[{colour}]{HEALTH[record.phase].in_language(language)}[/]"
        pid = str(record.process.pid) if record.process else "-"
        rows.append((record.name, record.address, pid, _mib(memory), health, str(record.restarts)))
    footers = ("", "", "", _mib(total), "", "")
    for column, footer in zip(COLUMNS, footers, strict=True):
        right = column.en in ("pid", "memory", "restarts")
        table.add_column(column.in_language(language), footer, justify="right" if right else "left")
    for row in rows:
        table.add_row(*row)
    return table


def status_document(state: LabState) -> dict[str, object]:
    """What the table tells, for programs."""
    shown = {"name", "phase", "address", "restarts", "last_exit", "started_at", "memory_limit_mb", "log"}
    return {
        "is_ready": state.is_ready,
        "processes": [
            {
                **record.model_dump(mode="json", include=shown),
                "pid": record.process.pid if record.process else None,
                "resident_bytes": resident_bytes(record.process),
            }
            for record in state.processes
        ],
        "deploy": [step.model_dump(mode="json") for step in state.deploy],
    }


def resident_bytes(record: PidRecord | None) -> int:
    """Resident memory of a process and its children; 0 when it has ended."""
    process = find_alive(record)
    if process is None:
        return 0
    total = 0
    with suppress(psutil.Error):
        for part in (process, *process.children(recursive=True)):
            total += part.memory_info().rss
    return total


def _mib(size: int) -> str:
    return f"{size / MIB:,.0f} MiB" if size else "-"


class StartProgress:
    """The bars of a start: infrastructure and services, and the deploy steps between them."""

    def __init__(self, bars: Progress, language: str) -> None:
        self._bars, self._language = bars, language
        self._processes: TaskID | None = None
        self._deploy: TaskID | None = None

    def show(self, state: LabState | None) -> None:
        """Bring the bars up to date."""
        if state is None:
            return
        if self._processes is None:
            self._processes = self._bars.add_task("", total=len(state.processes))
            self._deploy = self._bars.add_task("", total=len(state.deploy), visible=bool(state.deploy))
        ready = [record for record in state.processes if record.phase is Phase.READY]
        starting = ", ".join(
            record.name for record in state.processes if record.phase in (Phase.STARTING, Phase.BACKING_OFF)
        )
        label = (
            Text(en=f"starting {starting}", zh=f"正在启动 {starting}") if starting else Text(en="processes", zh="进程")
        )
        self._bars.update(self._processes, completed=len(ready), description=label.in_language(self._language))
        if self._deploy is not None:
            done = [step for step in state.deploy if step.phase is Phase.DONE]
            current = next((step for step in state.deploy if step.phase is not Phase.DONE), None)
            label = _deploy_label(current) if current else Text(en="deployed", zh="已部署")
            self._bars.update(self._deploy, completed=len(done), description=label.in_language(self._language))


def _deploy_label(step: DeployRecord) -> Text:
    if step.phase is not Phase.BACKING_OFF:
        return Text(en=step.en, zh=step.zh)
    return Text(en=f"{step.en}: waiting ({step.error})", zh=f"{step.zh}：等待中（{step.error}）")


def doctor_line(finding: Finding, language: str) -> str:
    """One finding as a line of markup, with its remedy below when there is one."""
    mark = "[green]✓[/]" if finding.is_good else "[red]✗[/]"
    line = f"{mark} {escape(finding.what.in_language(language))}: {escape(finding.detail)}"
    if finding.remedy is None:
        return line
    return f"{line}\n  → {escape(finding.remedy.in_language(language))}"


def doctor_document(finding: Finding) -> dict[str, object]:
    """One finding for programs."""
    remedy = finding.remedy
    return {
        "what": finding.what.en,
        "what_zh": finding.what.zh,
        "is_good": finding.is_good,
        "detail": finding.detail,
        "remedy": remedy.en if remedy else None,
        "remedy_zh": remedy.zh if remedy else None,
    }


def follow(logs: Mapping[str, Path], output: TextIO, *, prefixed: bool) -> None:
    """Write what is added to the logs until Ctrl-C; a log that was rotated is opened anew."""
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        opened = {name: stack.enter_context(path.open("rb")) for name, path in logs.items()}
        for handle in opened.values():
            handle.seek(0, 2)
        while True:
            for name, path in logs.items():
                _write_new(opened[name], f"{name} | " if prefixed else "", output)
                if path.exists() and path.stat().st_size < opened[name].tell():
                    opened[name] = stack.enter_context(path.open("rb"))
            output.flush()
            time.sleep(FOLLOW_SECONDS)


def _write_new(handle: BinaryIO, prefix: str, output: TextIO) -> None:
    while line := handle.readline():
        if not line.endswith(b"\n"):  # half a line: read again when it is whole
            handle.seek(-len(line), 1)
            return
        output.write(prefix + line.decode("utf-8", errors="replace"))
