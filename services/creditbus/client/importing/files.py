"""Reading of CSV and XLSX files: encoding, separator, cells as text; constant memory whatever the size."""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

_CHUNK = 1 << 20
_SEPARATORS = ",\t;|，"
_LARGEST_FIELD = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SPREADSHEETS = frozenset({".xlsx", ".xlsm"})


class ImportFileError(Exception):
    """The file cannot be read (any further); the text says where, why and what to do, in both languages."""

    def __init__(self, *, zh: str, en: str) -> None:
        super().__init__(f"{en}\n{zh}")
        self.zh, self.en = zh, en


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file: the number of its (first) line, and its cells as text."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far reading has come, in bytes (CSV) or rows (XLSX)."""

    done: int
    total: int


class TableFile:
    """A CSV or XLSX file as lines. ``progress`` is up to date while lines are read."""

    def __init__(self, path: Path) -> None:
        """Raises ImportFileError when the file is missing, or of no kind that can be read."""
        self._path = path
        self._is_spreadsheet = path.suffix.lower() in _SPREADSHEETS
        if path.suffix.lower() == ".xls":
            raise ImportFileError(
                zh=f"{path.name} 是旧版 .xls 格式，请在表格软件中另存为 .xlsx 或 CSV",
                en=f"{path.name} is an old .xls file; save it as .xlsx or CSV",
            )
        try:
            self._size = path.stat().st_size
            self.encoding = "xlsx" if self._is_spreadsheet else detect_encoding(path)
        except OSError as error:
            raise ImportFileError(
                zh=f"无法读取 {path}：{error.strerror}", en=f"{path} cannot be read: {error.strerror}"
            ) from error
        self.progress = Progress(0, max(1, self._size))

    def lines(self) -> Iterator[Line]:
        """Every row that is not empty. Raises ImportFileError where reading cannot go on."""
        rows = self._spreadsheet_rows() if self._is_spreadsheet else self._text_rows()
        return (line for line in rows if any(cell.strip() for cell in line.cells))

    def _text_rows(self) -> Iterator[Line]:
        csv.field_size_limit(_LARGEST_FIELD)
        with self._path.open("rb") as raw:
            text = io.TextIOWrapper(raw, encoding=self.encoding, newline="")
            separator = sniff_separator(text.read(_CHUNK))
            text.seek(0)
            reader = csv.reader(text, delimiter=separator)
            number = 1
            while True:
                try:
                    cells = next(reader)
                except StopIteration:
                    break
                except csv.Error as error:
                    raise self._broken(number, str(error)) from error
                yield Line(number, tuple(cells))
                number = reader.line_num + 1
                self.progress = Progress(raw.tell(), max(1, self._size))

    def _spreadsheet_rows(self) -> Iterator[Line]:
        import openpyxl  # noqa: PLC0415 - a sixth of the start of every command that imports
        from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

        try:
            book = openpyxl.load_workbook(self._path, read_only=True, data_only=True)
        except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
            raise ImportFileError(
                zh=f"{self._path.name} 不是有效的 XLSX 文件，请重新保存",
                en=f"{self._path.name} is no valid XLSX file; save it again",
            ) from error
        try:
            sheet = book.worksheets[0]
            total = max(1, sheet.max_row or 1)
            for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
                yield Line(number, tuple(cell_text(value) for value in row))
                self.progress = Progress(number, max(total, number))
        finally:
            book.close()

    def _broken(self, number: int, problem: str) -> ImportFileError:
        return ImportFileError(
            zh=f"{self._path.name} 第 {number} 行起无法读取（{problem}）：检查双引号是否成对，更正后重新导入即可",
            en=f"{self._path.name} cannot be read from line {number} on ({problem}): check that double quotes come in "
            "pairs, mend it and import it again",
        )


def detect_encoding(path: Path) -> str:
    """Encoding by byte order mark, else UTF-8 if the whole file is, else GB18030; ImportFileError for neither."""
    with path.open("rb") as file:
        start = file.read(4)
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    for name in ("utf-8", "gb18030"):
        if _is_encoded_as(path, name):
            return name
    raise ImportFileError(
        zh=f"{path.name} 既不是 UTF-8 也不是 GB18030（GBK）编码，请另存为其中之一",
        en=f"{path.name} is neither UTF-8 nor GB18030 (GBK); save it as one of them",
    )


def _is_encoded_as(path: Path, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                if "\x00" in decoder.decode(chunk):
                    return False
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def sniff_separator(text: str) -> str:
    """The separator that the first lines have most of, outside quotes; a comma when there is none."""
    counts = dict.fromkeys(_SEPARATORS, 0)
    quoted = False
    for character in text[:20_000]:
        if character == '"':
            quoted = not quoted
        elif not quoted and character in counts:
            counts[character] += 1
        elif not quoted and character == "\n" and max(counts.values()) > 2:
            break
    best = max(counts, key=lambda one: counts[one])
    return best if counts[best] else ","


def cell_text(value: object) -> str:
    """A spreadsheet cell as text: days as ISO dates, whole numbers without a decimal point."""
    match value:
        case None:
            return ""
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case float():
            return f"{value:.12f}".rstrip("0").rstrip(".")
    return str(value)
