"""Messages that an earlier release left on the log are rows of the tables of this one: on a real engine."""

from __future__ import annotations

import msgspec.structs
import pytest

from builders import make_record
from creditbus.bus.avro import encode
from creditbus.bus.schemas import Schema, SchemaSet
from creditbus.bus.wire import Types
from creditbus.clickhouse.client import ClickHouse
from creditbus.clickhouse.rows import ClickHouseRows
from creditbus.core.ports import PositionedRow
from creditbus.warehouse.routes import as_now
from creditbus.warehouse.tables import table_specs

pytestmark = pytest.mark.integration
SCHEMAS = SchemaSet.load()
PRESENT = SCHEMAS.records["CreditRecord"]
FIELDS = [field for field in PRESENT.fields if "default" not in field]
EARLIER = Schema(PRESENT.name, {**PRESENT.definition, "fields": FIELDS})


class Registry:
    """Two forms of one type."""

    def name_and_text(self, schema_id: int) -> tuple[str, str]:
        schema = (EARLIER, PRESENT)[schema_id]
        return schema.name, schema.text


def test_rows_of_both_forms_are_in_the_table_with_what_came_to_the_type_since(clickhouse: ClickHouse) -> None:
    assert len(FIELDS) < len(PRESENT.fields)
    sink, types = ClickHouseRows(clickhouse, table_specs(SCHEMAS)), Types(Registry())
    for schema_id, schema in enumerate((EARLIER, PRESENT)):
        record = make_record(number=str(schema_id), document_title="关于某事的决定")
        payload = encode(schema, msgspec.structs.asdict(record))
        sink.flush("records", as_now(types, schema_id, [PositionedRow("log", 0, schema_id, payload)]))
    rows = clickhouse.query("SELECT document_number, document_title FROM creditbus.records FINAL ORDER BY koff")
    assert [tuple(row.values()) for row in rows] == [("0", ""), ("1", "关于某事的决定")]
