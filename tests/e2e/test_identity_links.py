"""A firm gets another code and the decision is taken back: what is known follows, everywhere, and comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from creditbus.core.identifiers.synthetic import synthetic_uscc
from running_lab import RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(900)]
EXAMPLES = Path(__file__).parents[2] / "schemas/avro/examples"
OLD, NEW = synthetic_uscc("91", "150102", 8101), synthetic_uscc("91", "150102", 8102)
REGISTERED = "150102000000013"
"""Number of registration (工商注册号) that the firm had before it had a code."""
SENDERS = {
    **dict.fromkeys(("Penalty", "Registration"), "150100-scjg"),
    **dict.fromkeys(("IdentityLink", "IdentitySplit"), "150000-scjg"),
}


def _event(example: str, number: int, code: str, **facts: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((EXAMPLES / f"{example}.json").read_text(encoding="utf-8"))
    made["event_id"] = f"00000000-0000-4000-8000-0000000f1{number:03}"
    made["subject"]["identifiers"] = [{"scheme": "USCC", "value": code}]
    made["document"]["number"] = f"并字〔2026〕{number}号"
    made["facts"].update(facts)
    return made


class Office:
    """Sends as several departments, and looks up as one."""

    def __init__(self, lab: RunningLab) -> None:
        self._keys = json.loads((lab.folder / "secrets" / "lab-keys.json").read_text())
        self._gateway, self._lookup = (f"http://127.0.0.1:{lab.port(part)}/v1" for part in ("gateway", "lookup"))

    def send(self, event: dict[str, Any]) -> None:
        headers = {"Authorization": f"Bearer {self._keys[SENDERS[event['kind']]]}"}
        answer = httpx.post(f"{self._gateway}/events", json=event, headers=headers, timeout=30)
        assert answer.status_code == 202, answer.text

    def file_of(self, code: str) -> tuple[str, list[str]]:
        """Key under which a code is found now, and the numbers of its penalties."""
        headers = {
            "Authorization": f"Bearer {self._keys['150100-scjg']}",
            "X-Purpose": "supervision",
            "X-Basis": "test",
        }
        answer = httpx.get(f"{self._lookup}/subjects/{code}", headers=headers, timeout=30)
        if not answer.is_success:
            return "", []
        found = answer.json()
        kinds = [one["document_number"] for one in found["records"]["items"] if one["kind"] == "Penalty"]
        return str(found["subject_key"]), sorted(kinds)


def test_a_link_and_its_split_are_seen_everywhere_and_leave_the_replay_the_same(
    running_lab: RunningLab, tmp_path: Path
) -> None:
    office, old, new = Office(running_lab), OLD[8:17], NEW[8:17]
    office.send(_event("Penalty/valid-fine", 1, OLD))
    office.send(_event("Penalty/valid-fine", 2, NEW))
    ours, theirs = "并字〔2026〕1号", "并字〔2026〕2号"
    wait_until("both files", lambda: office.file_of(OLD) == (old, [ours]) and office.file_of(NEW) == (new, [theirs]))

    office.send(_event("IdentityLink/valid-merger", 3, OLD, successor={"scheme": "USCC", "value": NEW}))
    wait_until("one file", lambda: office.file_of(OLD) == office.file_of(NEW) == (new, [ours, theirs]))
    office.send(_event("Penalty/valid-fine", 4, OLD))
    late = "并字〔2026〕4号"
    wait_until("what comes late", lambda: office.file_of(NEW) == (new, [ours, theirs, late]))
    former = [{"scheme": "REGISTRATION", "value": REGISTERED}]
    office.send(_event("Registration/valid-firm", 6, OLD, former_identifiers=former))
    wait_until("the old number leads there", lambda: office.file_of(REGISTERED)[0] == new)
    by_number = _event("Penalty/valid-fine", 7, OLD)
    by_number["subject"]["identifiers"] = former
    office.send(by_number)
    older = "并字〔2026〕7号"
    wait_until("what quotes the old number", lambda: older in office.file_of(NEW)[1])
    running_lab.verify()

    target = {
        "kind": "IdentityLink",
        "authority": _event("IdentityLink/valid-merger", 3, OLD)["authority"],
        "document_number": "并字〔2026〕3号",
    }
    running_lab.kill("dossier")
    office.send(_event("IdentitySplit/valid-split", 5, OLD, target=target))
    ours_again = (old, [ours, late, older])
    wait_until("two files", lambda: (office.file_of(OLD), office.file_of(NEW)) == (ours_again, (new, [theirs])))
    running_lab.verify()
    report = running_lab.told("replay", "--into", str(tmp_path / "sandbox"))
    assert [one["is_same"] for one in report] == [True] * 4
