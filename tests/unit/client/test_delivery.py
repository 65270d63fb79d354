"""An import from file to receipts and error file, with a sender that stands in for the gateway."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from creditbus.catalogue.import_columns import load_import_columns
from creditbus.client.importing.delivery import DryRun, Import, Options, Sender, Tally
from creditbus.client.importing.files import ImportFileError, TableFile, cell_text, detect_encoding, sniff_separator
from creditbus.client.importing.rows import Context
from creditbus.client.producer import REJECTED, UNKNOWN, Event, Receipt
from unit.client.test_rows import CONTEXT, DATA, PENALTY

TABLE = load_import_columns()


class Gateway:
    """Receives what it is sent; answers otherwise for the ids it is told."""

    def __init__(self, verdicts: Callable[[Event], str] = lambda _: "RECEIVED") -> None:
        self.events: list[Event] = []
        self._verdicts = verdicts

    def send(self, events: Sequence[Event]) -> list[Receipt]:
        self.events.extend(events)
        return [
            Receipt(event_id=str(one["event_id"]), status=self._verdicts(one), faults=(), track="") for one in events
        ]


def context_for(kind: str) -> Context:
    return CONTEXT


def import_all(path: Path, sender: Sender) -> Tally:
    *_, tally = Import(path, TABLE, Options()).run(sender, context_for)
    return tally


def write_csv(path: Path, rows: list[dict[str, str]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def sample(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes((DATA / name).read_bytes())
    return path


def test_good_rows_are_sent_and_bad_rows_are_written_down(tmp_path: Path) -> None:
    gateway = Gateway()
    tally = import_all(sample(tmp_path, "penalties-gb18030.csv"), gateway)
    assert (tally.rows, tally.received, tally.rejected, len(gateway.events)) == (4, 3, 1, 3)
    assert tally.error_file == tmp_path / "penalties-gb18030.errors.csv"


def test_a_mended_error_file_is_imported_as_it_is(tmp_path: Path) -> None:
    tally = import_all(sample(tmp_path, "penalties-gb18030.csv"), Gateway())
    assert tally.error_file is not None
    text = tally.error_file.read_text(encoding="utf-8-sig")
    mended = text.replace("2026-13-01", "2026-11-01").replace("一万", "1").replace(",,,,虚假", ",,,罚〔2026〕1号,虚假")
    tally.error_file.write_text(mended, encoding="utf-8-sig")
    gateway = Gateway()
    again = import_all(tally.error_file, gateway)
    assert (again.received, again.rejected, again.ignored_headers) == (1, 0, ())
    assert again.error_file is None


def test_an_earlier_error_file_is_never_overwritten(tmp_path: Path) -> None:
    path = sample(tmp_path, "penalties-utf8.csv")
    first, second = import_all(path, Gateway()), import_all(path, Gateway())
    assert first.error_file != second.error_file
    assert second.error_file is not None
    assert second.error_file.name == "penalties-utf8.errors-2.csv"


def test_what_the_gateway_refuses_or_does_not_acknowledge_is_in_the_error_file(tmp_path: Path) -> None:
    rows = [{**PENALTY, "行政处罚决定书文号": f"罚〔2026〕{number}号"} for number in range(3)]
    path = write_csv(tmp_path / "some.csv", rows)
    verdicts = iter([REJECTED, UNKNOWN, "RECEIVED"])
    tally = import_all(path, Gateway(lambda _: next(verdicts)))
    assert (tally.received, tally.rejected, tally.unknown) == (1, 1, 1)
    assert tally.error_file is not None
    with tally.error_file.open(encoding="utf-8-sig", newline="") as file:
        assert [row["行号/line"] for row in csv.DictReader(file)] == ["2", "3"]


def test_two_rows_that_would_be_one_fact_are_told(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "two.csv", [PENALTY, {**PENALTY, "处罚内容": "其他"}, PENALTY])
    tally = import_all(path, Gateway())
    assert (tally.received, tally.rejected) == (2, 1)


def test_importing_twice_sends_the_same_ids(tmp_path: Path) -> None:
    first, second = Gateway(), Gateway()
    import_all(sample(tmp_path, "permits-utf8.csv"), first)
    import_all(tmp_path / "permits-utf8.csv", second)
    assert [event["event_id"] for event in first.events] == [event["event_id"] for event in second.events]


def test_more_rows_than_a_batch_are_all_sent(tmp_path: Path) -> None:
    rows = [{**PENALTY, "行政处罚决定书文号": f"罚〔2026〕{number}号"} for number in range(1_201)]
    gateway = Gateway()
    tally = import_all(write_csv(tmp_path / "many.csv", rows, "gb18030"), gateway)
    assert tally.received == len({event["event_id"] for event in gateway.events}) == 1_201


def test_a_spreadsheet_gives_the_same_events_as_a_text_file(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in TableFile(DATA / "penalties-utf8.csv").lines():
        sheet.append(line.cells)
    book.save(tmp_path / "penalties.xlsx")
    text, table = Gateway(), Gateway()
    import_all(sample(tmp_path, "penalties-utf8.csv"), text)
    import_all(tmp_path / "penalties.xlsx", table)
    assert table.events == text.events


def test_spreadsheet_cells_read_as_people_see_them() -> None:
    cells = [None, datetime(2026, 11, 23, tzinfo=UTC), 12.0, 0.0086, 5, "x"]
    assert [cell_text(cell) for cell in cells] == ["", "2026-11-23", "12", "0.0086", "5", "x"]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("名称".encode("utf-8-sig"), "utf-8-sig"),
        ("名称".encode(), "utf-8"),
        ("名称".encode("gb18030"), "gb18030"),
        ("名称".encode("utf-16"), "utf-16"),
    ],
)
def test_the_encoding_is_found_from_the_bytes(tmp_path: Path, content: bytes, encoding: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    assert detect_encoding(path) == encoding


@pytest.mark.parametrize(
    ("text", "separator"), [("a,b\n1;2", ","), ("a;b;c\n", ";"), ("a\tb\n", "\t"), ('"a,b"|c', "|")]
)
def test_the_separator_is_the_one_outside_quotes(text: str, separator: str) -> None:
    assert sniff_separator(text) == separator


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bytes.csv", b"\xff\xff\xff\x00"),
        ("no-header.csv", "甲,乙\n1,2\n".encode()),
        ("empty.csv", b""),
        ("broken.xlsx", b"not a zip"),
        ("old.xls", b""),
        ("quote.csv", ",".join(PENALTY).encode() + b'\n"' + b"x" * 2_000_000),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImportFileError) as error:
        import_all(path, DryRun())
    assert error.value.zh
    assert error.value.en
