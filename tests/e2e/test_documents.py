"""What the documents tell a reader to type is typed here, against a running lab, and works."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from creditbus.catalogue.editions import authority_code
from creditbus.client.direct import read_pair
from creditbus.client.receipts import Lookup, wait_for_states
from creditbus.core.records import BEIJING
from creditbus.notifier.subscriptions import new_secret
from running_lab import RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
ELSEWHERE = {
    "up --detach": "running_lab.py",
    "deploy": "integration/bus/test_rights.py",
    "down": "integration/lab/test_commands.py",
    "reset": "integration/lab/test_commands.py",
    "replay --into DIR --processes 4": "e2e/test_quarantine_and_replay.py",
    "replay --into DIR --from-checkpoint": "e2e/test_checkpoints.py",
    "checkpoint make --into DIR": "e2e/test_checkpoints.py",
    "rebuild --into DIR": "integration/lab/test_rebuilding.py",
    "quarantine list": "e2e/test_quarantine_and_replay.py",
    "deadletters list": "e2e/test_dead_letters.py",
    "deadletters load": "e2e/test_dead_letters.py",
    "explain SUBJECT --receipt receipt.json --log log.json": "e2e/test_explain.py",
    "certificate SUBJECT --out certificate.json --log log.json": "e2e/test_explain.py",
    "certificate --verify certificate.json --log log.json --public-key HEX": "e2e/test_explain.py",
    "load open DEPARTMENT LOAD --as OFFICER --reason …": "e2e/test_initial_load.py",
    "rules propose FOLDER": "e2e/test_editions.py",
    "rules approve HASH --as OFFICER --reason WHY": "e2e/test_editions.py",
    "rules activate HASH": "e2e/test_editions.py",
    "reconcile ids.txt --department CODE --day 2026-11-01": "e2e/test_reconciliation.py",
    "forget KEY --reason WHY": "e2e/test_forgetting.py",
    "import permits.csv --department CODE --own-key own.key": "e2e/test_documents.py",
    "mirror baotou": "unit/commands/test_mirror.py",
    "keys backup COPY": "e2e/test_forgetting.py",
    "keys restore COPY": "e2e/test_forgetting.py",
    "keys create": "unit/commands/test_signingkeys.py",
    "keys create own.key": "unit/commands/test_signingkeys.py",
    "keys register": "unit/commands/test_signingkeys.py",
    "keys register HEX --department CODE": "unit/commands/test_signingkeys.py",
    "keys register HEX --department CODE --from 2026-12-01 --until 2027-11-30": "unit/commands/test_signingkeys.py",
    "keys revoke KID": "unit/commands/test_signingkeys.py",
    "receipt verify": "unit/commands/test_receipt.py",
    "receipt verify FILE --public-key HEX": "integration/gateway/test_gateway.py",
    "up": "running_lab.py",
    "webhooks add NAME --department CODE --url URL --families M01": "e2e/test_webhooks.py",
    "webhooks add NAME --department CODE --url 'mailtos://USER:PASSWORD@HOST?to=OFFICE' --alerts CLEARED_SUBJECT": (
        "e2e/test_webhooks.py"
    ),
    "webhooks ping NAME": "e2e/test_webhooks.py",
    "webhooks history NAME": "e2e/test_webhooks.py",
    "webhooks move NAME --url URL": "e2e/test_webhooks.py",
    "webhooks rotate NAME": "e2e/test_webhooks.py",
    "webhooks skip NAME MESSAGE --reason WHY": "e2e/test_webhooks.py",
    "webhooks remove NAME": "e2e/test_webhooks.py",
    "explain --verify receipt.json --log log.json --public-key HEX": "e2e/test_explain.py",
}
"""Commands that other tests type, because they stop the lab or need their own story."""


def commands() -> list[str]:
    """Every command line in the documents, without the program's name."""
    found = set()
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"`(?:\.venv/bin/)?creditbus ([^`\n]+)`", text))
        found |= {line.split("#")[0].strip() for line in re.findall(r"^\.venv/bin/creditbus (.+)$", text, re.MULTILINE)}
    return sorted(found)


HERE = [one for one in commands() if one not in ELSEWHERE]


def snippets(path: Path) -> list[str]:
    """The Python examples of a document."""
    return re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def keys_of(lab: RunningLab) -> dict[str, str]:
    return dict(json.loads((lab.folder / "secrets" / "lab-keys.json").read_text()))


def filled_in(command: str, firm: str, folder: Path) -> list[str]:
    """The command with a subject of the lab, today and files of the test where the document has examples.

    What the shell would write to a file is printed.
    """
    known = {
        "91150102MA0N123408": firm,
        "2026-11-01": datetime.now(tz=BEIJING).date().isoformat(),
        "penalties.xlsx": str(folder / "penalties.xlsx"),
        "permits.csv": str(folder / "permits.csv"),
        "orders.xlsx": str(folder / "orders.xlsx"),
        "FILE": str(ROOT / "tests/data/permits-utf8.csv"),
        "CODE": "150100-scjg",
        "BEFORE": str(ROOT / "services/creditbus/catalogue/data"),
        "AFTER": str(ROOT / "services/creditbus/catalogue/data"),
        "-f": "",
    }
    typed = command.partition(" > ")[0].split()
    return [known.get(word, word) for word in typed if known.get(word, word)]


@pytest.fixture(scope="module")
def firm(running_lab: RunningLab) -> str:
    """A firm on file, so that there is something to see."""
    return running_lab.any_cleared_firm()


@pytest.mark.parametrize("command", HERE)
def test_a_documented_command_works(running_lab: RunningLab, firm: str, command: str, tmp_path: Path) -> None:
    if command == "verify":
        assert not any(check["wrong"] for check in running_lab.verify())
    running_lab.creditbus(*filled_in(command, firm, tmp_path), *(["--help"] if command == "import" else []))


@pytest.mark.parametrize("command", sorted(ELSEWHERE))
def test_a_command_of_another_test_is_documented_and_typed_there(command: str) -> None:
    assert command in commands()
    typed = (ROOT / "tests" / ELSEWHERE[command]).read_text(encoding="utf-8")
    for word in command.split()[:2]:
        assert f'"{word}"' in typed or word.isupper(), f"{ELSEWHERE[command]} does not type {word}"


@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is missing: apt-get install kcat")
def test_the_documented_kcat_command_reads_alerts(running_lab: RunningLab) -> None:
    running_lab.any_cleared_firm()
    text = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
    found = re.search(r"`(kcat [^`]+)`", text)
    assert found
    command = found[1].replace("19092", str(running_lab.port("kafka")))
    assert subprocess.run(command, shell=True, capture_output=True, timeout=60, check=True).stdout.split()


def state_of(lab: RunningLab, department: str, event_id: str) -> str:
    """What became of an event, as its department is told."""
    where = Lookup(
        url=f"http://127.0.0.1:{lab.port('lookup')}", api_key=keys_of(lab)[department], department=department
    )
    return next(wait_for_states(where, [event_id], 60)).state


def test_the_documented_code_writes_to_kafka_with_a_registered_key(running_lab: RunningLab, tmp_path: Path) -> None:
    _, direct, *_ = snippets(ROOT / "docs/integrate.md")
    direct = direct.replace("19092", str(running_lab.port("kafka"))).replace("own.key", str(tmp_path / "own.key"))
    running_lab.creditbus("keys", "create", str(tmp_path / "own.key"))
    public = read_pair(tmp_path / "own.key").public.hex()
    running_lab.creditbus("keys", "register", public, "--department", "150100-scjg")
    event = json.loads((ROOT / "schemas/avro/examples/Penalty/valid-fine.json").read_text(encoding="utf-8"))
    registry_url = f"http://127.0.0.1:{running_lab.port('registry')}/apis/ccompat/v7"
    own = authority_code("150100", 19)

    def is_recorded() -> bool:
        """Intake looks at its keys every two seconds."""
        sent = {"event": {**event, "event_id": str(uuid.uuid4()), "authority": own}, "registry_url": registry_url}
        exec(direct, sent)  # noqa: S102 - the code under test is the document's
        (receipt,) = sent["receipts"]
        assert receipt.status == "RECEIVED"
        return state_of(running_lab, "150100-scjg", receipt.event_id) == "RECORDED"

    wait_until("the event to be recorded", is_recorded)
    own_key = ("--own-key", str(tmp_path / "own.key"), "--wait")
    running_lab.creditbus("import", str(ROOT / "tests/data/permits-utf8.csv"), "--department", "150100-scjg", *own_key)


def test_the_documented_client_code_sends_and_follows(running_lab: RunningLab) -> None:
    """The examples run as they stand; the lab's own addresses, key and event stand for the reader's."""
    sending, _, following, receiving, alerts = snippets(ROOT / "docs/integrate.md")
    sending = sending.replace("18080", str(running_lab.port("gateway")))
    example = json.loads((ROOT / "schemas/avro/examples/Permit/valid-food.json").read_text(encoding="utf-8"))
    sent: dict[str, Any] = {"api_key": keys_of(running_lab)["150100-scjg"], "event": {**example, "fictitious": True}}
    exec(sending, sent)  # noqa: S102 - the code under test is the document's
    assert [receipt.status for receipt in sent["receipts"]] == ["RECEIVED"]

    running_lab.any_cleared_firm()
    seen: list[Any] = []
    following = following.replace("19092", str(running_lab.port("kafka"))).replace("...", "seen.append(order); break")
    registry_url = f"http://127.0.0.1:{running_lab.port('registry')}/apis/ccompat/v7"
    told = {"registry_url": registry_url, "seen": seen}
    thread = threading.Thread(target=exec, args=(following, told), daemon=True)
    thread.start()
    wait_until("an order", lambda: bool(seen))
    thread.join(30)
    assert {seen[0].action} <= {"ORDER", "LIFT"}

    reader: dict[str, Any] = {"api_key": sent["api_key"], "start": datetime(2026, 1, 1, tzinfo=BEIJING)}
    alerts = alerts.replace("18090", str(running_lab.port("lookup"))).replace("...", "break")
    exec(alerts, reader)  # noqa: S102
    assert reader["alert"].kind in {"DISHONEST_SUBJECT", "CLEARED_SUBJECT"}

    at, secret = datetime.now(BEIJING), new_secret()
    signed = {"webhook-id": "m1", "webhook-timestamp": str(int(at.timestamp()))}
    signature = Webhook(secret).sign("m1", at.astimezone(UTC), "{}")
    received: dict[str, Any] = {"secret": secret, "body": "{}", "headers": {**signed, "webhook-signature": signature}}
    exec(receiving, received)  # noqa: S102
    assert received["message"] == {}
