"""`creditbus up | down | status | logs | reset | doctor`: the lab on the command line."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from creditbus.commands.lab_view import (
    StartProgress,
    doctor_document,
    doctor_line,
    follow,
    status_document,
    status_table,
)
from creditbus.commands.printing import AsJson, print_json, terminal
from creditbus.lab.artifacts import Artifacts, resolve_artifacts
from creditbus.lab.daemon import LOG_NAME, fork_supervisor
from creditbus.lab.doctor import examine
from creditbus.lab.errors import AlreadyRunningError, NotRunningError
from creditbus.lab.ports import refuse_taken_ports
from creditbus.lab.process import tail
from creditbus.lab.settings import LabSettings, load_settings
from creditbus.lab.stack import DeployStep, choose_parts, deploy_after, deploy_tasks, parts_of, ports, processes
from creditbus.lab.state import LabState, find_alive, read_state, state_path, stop_orphans, wait_gone
from creditbus.lab.steps import Phase
from creditbus.lab.supervisor import Supervisor, is_owned, owned_folder
from creditbus.lab.texts import Text, user_language
from creditbus.lab.watching import write_config

console = terminal()

STALLED_AFTER_SECONDS = 180.0
"""A start is given up when nothing more has become ready for so long."""
# the first orderly stop writes the start-up caches of two JVMs
STOP_WITHIN_SECONDS = 150.0
POLL_SECONDS = 0.1

StepsFactory = Callable[[], Sequence[DeployStep]]


def register(app: typer.Typer, deploy_steps: StepsFactory = tuple) -> None:
    """Add the lab's commands to app. deploy_steps: called by `up`, for what to do before services start."""

    @app.command()
    def up(
        detach: Annotated[bool, typer.Option(help="Return when all is ready; stop with `down`.")] = False,
        services: Annotated[str | None, typer.Option(help="What besides Kafka and registry: a,b or none.")] = None,
    ) -> None:
        """Start the whole stack on this computer. 启动本机全部组件。"""
        _up(load_settings(), deploy_steps(), _names(services), detach=detach)

    for command in (down, status, logs, reset, doctor):
        app.command()(command)


def down() -> None:
    """Stop everything that `up` started; data stays. 停止全部组件，保留数据。"""
    _down(load_settings().folder)


def status(as_json: AsJson = False) -> None:
    """Show what runs, where, with how much memory. 显示运行状态。"""
    folder = load_settings().folder
    state = _running_state(folder)
    if as_json:
        print_json(status_document(state))
    else:
        console.print(status_table(state, user_language()))
    raise typer.Exit(0 if state.is_ready else 1)


def logs(
    service: Annotated[str | None, typer.Argument(help="One process; all when left out.")] = None,
    follow_on: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Lines from the end.")] = 20,
) -> None:
    """Show the logs of the stack. 查看日志。"""
    _logs(load_settings().folder / "logs", service, lines, follow_on=follow_on)


def reset(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Delete the lab's data for good; the downloads stay. 清除全部数据（不可恢复），保留下载缓存。"""
    _reset(load_settings().folder, ask=not yes)


def doctor(as_json: AsJson = False) -> None:
    """Check each part and name what is stuck, where and why. 诊断各组件并指出停滞环节。"""
    settings = load_settings()
    findings = []
    for finding in examine(settings, read_state(settings.folder)):
        if not as_json:  # as soon as it is known: some take seconds
            console.print(doctor_line(finding, user_language()), highlight=False, soft_wrap=True)
        findings.append(finding)
    if as_json:
        print_json([doctor_document(finding) for finding in findings])
    raise typer.Exit(0 if all(finding.is_good for finding in findings) else 1)


def _say(*, en: str, zh: str, style: str = "") -> None:
    console.print(Text(en=en, zh=zh).in_language(user_language()), style=style, highlight=False, markup=False)


def _names(services: str | None) -> tuple[str, ...] | None:
    if services is None:
        return None
    return tuple(name for part in services.split(",") if (name := part.strip()) not in ("", "none"))


def _up(settings: LabSettings, steps: Sequence[DeployStep], names: Sequence[str] | None, *, detach: bool) -> None:
    """Start the stack.

    1. refuse     a second lab on the folder; ports that other programs hold
    2. clean up   what a killed lab left behind
    3. fetch      the Java artifacts, unless cached
    4. fork       the supervisor; show how it starts
    5. stay       until Ctrl-C, unless detached
    """
    folder, parts = settings.folder, choose_parts(names, parts_of(settings))
    with owned_folder(folder):
        _stop_what_was_left(folder)
        state_path(folder).unlink(missing_ok=True)
        refuse_taken_ports(ports(settings, parts))
        artifacts = _fetch(settings)
    pid = fork_supervisor(folder, lambda: _build(settings, artifacts, steps, parts), detach=detach)
    try:
        ready = watch_start(folder, pid)
        if ready and not detach:
            _say(en="Running. Ctrl-C stops everything.", zh="运行中。按 Ctrl-C 停止全部组件。")
            os.waitpid(pid, 0)
            _say(en="The lab has ended; see creditbus logs", zh="lab 已结束；见 creditbus logs", style="red")
    except KeyboardInterrupt:
        ready = True
        _stop(folder, psutil.Process(pid))
        return
    if not ready:
        if not detach:
            _stop(folder, psutil.Process(pid))
        raise typer.Exit(1)


def _build(
    settings: LabSettings, artifacts: Artifacts, steps: Sequence[DeployStep], parts: Sequence[str]
) -> Supervisor:
    running = processes(settings, artifacts, parts)
    write_config(settings.folder, running)
    return Supervisor(
        settings.folder,
        running,
        deploy_tasks(settings, steps, parts),
        deploy_after(parts, settings),
    )


def _stop_what_was_left(folder: Path) -> None:
    state = read_state(folder)
    if state is not None and (names := stop_orphans(state)):
        _say(
            en=f"Stopped what an earlier lab had left behind: {', '.join(names)}",
            zh=f"已停止上次遗留的进程：{'、'.join(names)}",
        )


def _fetch(settings: LabSettings) -> Artifacts:
    """Resolve the artifacts, with a bar when there is something to download."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    label = Text(en="downloading Kafka and registry", zh="下载 Kafka 与注册中心").in_language(user_language())
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task(label, total=None, visible=False)

        def show(*, name: str, done_bytes: int, total_bytes: int) -> None:
            bars.update(bar, completed=done_bytes, total=total_bytes, visible=True)

        return resolve_artifacts(maven_url=settings.maven_url, progress=show)


def watch_start(folder: Path, pid: int) -> bool:
    """Show the start until everything is ready (True), or something will not be (False, and why)."""
    language = user_language()
    counts = TextColumn("{task.completed}/{task.total}")
    most, deadline = 0, time.monotonic() + STALLED_AFTER_SECONDS
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), counts, TimeElapsedColumn(), console=console
    ) as bars:
        progress = StartProgress(bars, language)
        while True:
            state = read_state(folder)
            progress.show(state)
            if state is not None and state.done > most:
                most, deadline = state.done, time.monotonic() + STALLED_AFTER_SECONDS
            ended = _has_ended(pid)
            failed = state is not None and any(step.phase is Phase.FAILED for step in state.deploy)
            if ended or failed or time.monotonic() > deadline or (state is not None and state.is_ready):
                break
            time.sleep(POLL_SECONDS)
    if state is not None:
        console.print(status_table(state, language))
    if state is not None and state.is_ready and not ended:
        return True
    _explain(folder, state)
    return False


def _has_ended(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def _explain(folder: Path, state: LabState | None) -> None:
    """Say what is not ready and show the end of its log."""
    waiting = [record for record in state.processes if record.phase is not Phase.READY] if state else []
    for step in (step for step in (state.deploy if state else ()) if step.error):
        _say(
            en=f"Deploy step failed: {step.en}: {step.error}", zh=f"部署步骤失败：{step.zh}：{step.error}", style="red"
        )
    shown = [(record.name, record.log) for record in waiting if record.phase is not Phase.WAITING]
    for name, log in shown or [("supervisor", folder / "logs" / LOG_NAME)]:
        _say(en=f"{name} is not ready. The end of {log}:", zh=f"{name} 未就绪。日志 {log} 末尾：", style="red")
        console.print(tail(log), highlight=False, markup=False, soft_wrap=True)
    _say(en="More: creditbus doctor", zh="进一步诊断：creditbus doctor")


def _running_state(folder: Path) -> LabState:
    state = read_state(folder)
    if state is None or find_alive(state.supervisor) is None:
        raise NotRunningError(
            en=f"No lab runs on {folder}. Start it: creditbus up --detach",
            zh=f"{folder} 上没有运行中的 lab。启动：creditbus up --detach",
        )
    return state


def _down(folder: Path) -> None:
    state = read_state(folder)
    supervisor = find_alive(state.supervisor) if state else None
    if supervisor is not None:
        _stop(folder, supervisor)
    elif state is not None and (names := stop_orphans(state)):
        _say(en=f"Stopped what was left: {', '.join(names)}", zh=f"已停止遗留进程：{'、'.join(names)}")
    else:
        _say(en=f"No lab runs on {folder}.", zh=f"{folder} 上没有运行中的 lab。")


def _stop(folder: Path, supervisor: psutil.Process) -> None:
    """Stop a supervisor and, through it, everything; a second Ctrl-C does not cut it short by half."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    label = Text(
        en="stopping (the first time this writes start-up caches, about 25 s)",
        zh="正在停止（首次会写入启动缓存，约 25 秒）",
    )
    try:
        with console.status(label.in_language(user_language())):
            supervisor.terminate()
            gone = wait_gone(supervisor, STOP_WITHIN_SECONDS)
            if not gone:
                supervisor.kill()
                wait_gone(supervisor, POLL_SECONDS * 50)
            state = read_state(folder)
            if state is not None:
                stop_orphans(state)
    finally:
        signal.signal(signal.SIGINT, previous)
    _say(en="Everything is stopped; the data stays.", zh="全部组件已停止，数据保留。")


def _logs(folder: Path, service: str | None, lines: int, *, follow_on: bool) -> None:
    found = {log.stem: log for log in sorted(folder.glob("*.log"))}
    if service is not None and service not in found:
        raise NotRunningError(
            en=f"There is no log of {service}. Choose from: {', '.join(found) or 'none yet, start the lab'}",
            zh=f"没有 {service} 的日志。可选：{'、'.join(found) or '尚无日志，请先启动 lab'}",
        )
    chosen = found if service is None else {service: found[service]}
    for name, log in chosen.items():
        for line in tail(log, lines).splitlines():
            sys.stdout.write(f"{name} | {line}\n" if service is None else f"{line}\n")
    if follow_on:
        follow(chosen, sys.stdout, prefixed=service is None)


def _reset(folder: Path, *, ask: bool) -> None:
    if is_owned(folder):
        raise AlreadyRunningError(
            en=f"A lab runs on {folder}. Stop it first: creditbus down",
            zh=f"{folder} 上有 lab 在运行。请先停止：creditbus down",
        )
    if not (folder / "lock").exists():
        _say(
            en=f"{folder} is not a lab's data folder: nothing to delete.",
            zh=f"{folder} 不是 lab 的数据目录，无需清除。",
        )
        return
    question = Text(en=f"Delete {folder} and everything in it?", zh=f"确定删除 {folder} 及其全部内容？")
    if ask and not typer.confirm(question.in_language(user_language())):
        raise typer.Exit(1)
    _stop_what_was_left(folder)
    shutil.rmtree(folder)
    _say(en=f"{folder} is deleted.", zh=f"已删除 {folder}。")
