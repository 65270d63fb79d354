"""``creditbus receipt verify``: whether a gateway accepted an event, by the evidence that its department kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from creditbus.bus.avro import NotAvroError, encode
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.signing import is_signed
from creditbus.commands.connecting import console, fail, tell_checks, tell_key
from creditbus.core.evidence import is_accepted, value_in
from creditbus.core.forms import compile_reader
from creditbus.core.framing import WireError, unframe
from creditbus.core.outcome import Fault


def register(app: typer.Typer) -> None:
    """Add the group `receipt` to app."""
    group = typer.Typer(help="Evidence of what a gateway accepted. 受理凭证。", no_args_is_help=True)
    group.callback()(lambda: None)  # a group with a single command would have no name for it
    group.command("verify")(verify)
    app.add_typer(group, name="receipt")


def verify(
    file: Annotated[Path, typer.Argument(help='JSON of {"event": …, "evidence": …} 凭证文件')],
    public_key: Annotated[str | None, typer.Option(metavar="HEX", help="The gateway's key to trust 网关公钥")] = None,
) -> None:
    """Whether a gateway accepted this event from this department, offline; 1 when it did not. 离线核验受理凭证。"""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        event, evidence = kept["event"], kept["evidence"]
        batch, signature = evidence["batch"], evidence["signature"]
        checks = {
            "signature 签名": is_signed(batch, signature, public_key),
            "place in the batch 批次位置": is_accepted(evidence, batch),
            "the event is what was accepted 事件内容": _is_of(event, value_in(evidence)),
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fail(f'{file} is no {{"event": …, "evidence": …}} ({type(error).__name__}) 不是受理凭证')
    tell_checks(checks)
    console.print(f"{batch['sender']} {batch['received_at']}", highlight=False, markup=False)
    tell_key(signature, public_key)
    raise typer.Exit(0 if all(checks.values()) else 1)


def _is_of(event: dict[str, Any], value: bytes) -> bool:
    """Whether these are the bytes of the event, but for the id that the registry gave its schema."""
    schema = SchemaSet.load().events.get(event["kind"])
    if schema is None:
        return False
    found: list[Fault] = []
    fields: Any = compile_reader(schema.definition)({k: v for k, v in event.items() if k != "kind"}, "", found)
    try:
        return not found and encode(schema, fields) == unframe(value)[1]
    except (NotAvroError, WireError):
        return False
