"""An import from first line to last: read, map, send in batches, write down what was refused."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Protocol, TextIO

import orjson

from creditbus.catalogue.import_columns import ImportColumns, canonical_header
from creditbus.client.importing import texts
from creditbus.client.importing.columns import (
    ERRORS_COLUMN,
    HEADER_WITHIN_ROWS,
    LINE_COLUMN,
    Layout,
    find_header,
    lay_out,
)
from creditbus.client.importing.files import ImportFileError, Line, TableFile
from creditbus.client.importing.rows import Context, Imported, to_event
from creditbus.client.producer import RECEIVED, REJECTED, UNKNOWN, Event, Receipt
from creditbus.core.outcome import Fault, Ok

BATCH_EVENTS = 500
_BATCH_BYTES = 4 * 1024 * 1024
_REMEMBERED_ROWS = 100_000
"""Rows whose keys are kept to find two that would be taken for one; such rows stand near each other."""
_UNKNOWN_TEXT = "未获确认，可原样重新导入 / not acknowledged; import it again as it is"

ContextFor = Callable[[str], Context]
"""Context of an import, for the kind that the columns told."""


class Sender(Protocol):
    """Where events go: client.producer.BusClient, or nowhere for a dry run."""

    def send(self, events: Sequence[Event]) -> list[Receipt]:
        """Send a batch; a receipt for each event, in order."""


class DryRun:
    """Sends nothing and says that all is well."""

    def send(self, events: Sequence[Event]) -> list[Receipt]:
        """A receipt for each event."""
        return [Receipt(event_id=str(one["event_id"]), status=RECEIVED, faults=(), track="") for one in events]


@dataclass(slots=True)
class Tally:
    """How an import went."""

    rows: int = 0
    received: int = 0
    rejected: int = 0
    unknown: int = 0
    kind: str = ""
    encoding: str = ""
    ignored_headers: tuple[str, ...] = ()
    error_file: Path | None = None
    codes: Counter[str] = field(default_factory=Counter)
    """How often each code of fault was found."""
    tracks: list[tuple[Line, Receipt]] = field(default_factory=list)
    """What was received, where the caller wants to follow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to import."""

    kind: str | None = None
    """None: the columns decide."""
    keep_receipts: bool = False


class Import:
    """One file on its way to the gateway. ``tally`` and ``file.progress`` tell how far it has come."""

    def __init__(self, path: Path, table: ImportColumns, options: Options) -> None:
        """Raises ImportFileError when the file is missing, or of no kind that can be read."""
        self.file = TableFile(path)
        self.tally = Tally(encoding=self.file.encoding)
        self._table = table
        self._options = options
        self._errors = ErrorFile(path)
        self._seen = Recent(_REMEMBERED_ROWS)
        self._headers: tuple[str, ...] = ()

    def run(self, sender: Sender, context_for: ContextFor) -> Iterator[Tally]:
        """Import everything, and tell how it stands after each batch.

        1. lay out   find the header, know the columns and the kind
        2. map       each row to an event, or to its faults
        3. send      batches of events; every row's fate is known before the next batch is read
        4. write     rows that were refused into the error file, with their line and every reason

        Raises ImportFileError where reading cannot go on, SendError of the sender; what was sent until then stays.
        Importing the same file again changes nothing, since event ids derive from the rows.
        """
        lines = self.file.lines()
        layout, rest = self._lay_out(lines)
        context = context_for(layout.kind)
        try:
            for batch in self._batches(rest, layout, context):
                self._deliver(batch, sender)
                yield self.tally
        finally:
            self._errors.close()
        yield self.tally

    def write_error(self, line: Line, message: str) -> None:
        """Add a row to the error file."""
        self.tally.error_file = self._errors.write(self._headers, line, message)

    def close_errors(self) -> None:
        """Finish the error file, after rows were added to it."""
        self._errors.close()

    def _lay_out(self, lines: Iterator[Line]) -> tuple[Layout, Iterator[Line]]:
        first = list(islice(lines, HEADER_WITHIN_ROWS))
        position = find_header([line.cells for line in first], self._table)
        if position is None:
            raise ImportFileError(
                zh="前十行中没有双公示表头（如“行政相对人名称”“决定文书号”），请检查文件",
                en="no two-publicity header (行政相对人名称, XK_XDR_MC, …) in the first ten rows; check the file",
            )
        layout = lay_out(first[position].cells, self._table, self._options.kind)
        if isinstance(layout, str):
            raise ImportFileError(
                zh=f"表头中“{layout}”与另一列含义相同，请删除其中一列",
                en=f"the column {layout} means the same as another one; remove one of them",
            )
        self._headers = layout.headers
        self.tally.kind, self.tally.ignored_headers = layout.kind, layout.unknown
        return layout, chain(first[position + 1 :], lines)

    def _batches(
        self, lines: Iterator[Line], layout: Layout, context: Context
    ) -> Iterator[list[tuple[Line, Imported]]]:
        batch: list[tuple[Line, Imported]] = []
        size = 0
        for line in lines:
            self.tally.rows += 1
            mapped = self._map(line, layout, context)
            if mapped is not None:
                batch.append((line, mapped))
                size += sum(map(len, line.cells)) * 4
            if len(batch) >= BATCH_EVENTS or size > _BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _map(self, line: Line, layout: Layout, context: Context) -> Imported | None:
        outcome = to_event(line.cells, layout, self._table, context)
        if not isinstance(outcome, Ok):
            self._reject(line, outcome.faults)
            return None
        if not self._seen.is_same_or_new(outcome.value):
            self._reject(line, (texts.same_key(),))
            return None
        return outcome.value

    def _deliver(self, batch: Sequence[tuple[Line, Imported]], sender: Sender) -> None:
        receipts = sender.send([imported.body for _, imported in batch])
        for (line, _), receipt in zip(batch, receipts, strict=True):
            if receipt.status == REJECTED:
                self._reject(line, receipt.faults)
            elif receipt.status == UNKNOWN:
                self.tally.unknown += 1
                self.write_error(line, _UNKNOWN_TEXT)
            else:
                self.tally.received += 1
                if self._options.keep_receipts:
                    self.tally.tracks.append((line, receipt))

    def _reject(self, line: Line, faults: Sequence[Fault]) -> None:
        self.tally.rejected += 1
        self.tally.codes.update(fault.code.value for fault in faults)
        self.write_error(line, fault_text(faults))


def fault_text(faults: Sequence[Fault]) -> str:
    """All faults of a row in one cell, in both languages."""
    chinese = "；".join(f"{fault.problem_zh}（{fault.remedy_zh}）" for fault in faults)
    english = "; ".join(f"{fault.problem_en} ({fault.remedy_en})" for fault in faults)
    return f"{chinese} / {english}"


class Recent:
    """Keys of the latest rows, to find two with one key and other content. Memory is bounded."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._digests: OrderedDict[str, bytes] = OrderedDict()

    def is_same_or_new(self, imported: Imported) -> bool:
        """False when another row had the same key and other content."""
        key = f"{imported.event_id}/{imported.body['revision']}"
        digest = hashlib.blake2b(orjson.dumps(imported.body), digest_size=16).digest()
        known = self._digests.setdefault(key, digest)
        if len(self._digests) > self._most:
            self._digests.popitem(last=False)
        return known == digest


class ErrorFile:
    """The rows that were refused, as they stood in the file, with line and reasons: to be mended and imported as is.

    Never overwrites: somebody may have mended an earlier one. UTF-8 with byte order mark, as spreadsheets expect it.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self._path: Path | None = None
        self._file: TextIO | None = None
        self._kept: list[int] = []

    def write(self, headers: Sequence[str], line: Line, message: str) -> Path:
        """Append a row; the file is made with the first one. Returns its path."""
        if self._path is None:
            self._path = _free_path(self._source)
            ours = {canonical_header(LINE_COLUMN), canonical_header(ERRORS_COLUMN)}
            self._kept = [n for n, header in enumerate(headers) if canonical_header(header) not in ours]
            self._append(self._path, [*(headers[n] for n in self._kept), LINE_COLUMN, ERRORS_COLUMN])
        cells = [line.cells[n] if n < len(line.cells) else "" for n in self._kept]
        self._append(self._path, [*cells, str(line.number), message])
        return self._path

    def close(self) -> None:
        """Finish it; writing again goes on at its end."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, path: Path, cells: Sequence[str]) -> None:
        if self._file is None:
            is_new = not path.exists()
            self._file = path.open("a", encoding="utf-8-sig" if is_new else "utf-8", newline="")
        csv.writer(self._file).writerow(cells)


def _free_path(source: Path) -> Path:
    stem = source.stem.partition(".errors")[0]
    names = chain([f"{stem}.errors.csv"], (f"{stem}.errors-{number}.csv" for number in range(2, 10_000)))
    return next(path for name in names if not (path := source.with_name(name)).exists())
