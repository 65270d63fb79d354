"""The bulletin: departments from best to worst, leagues and levels, who sent nothing, what is not measured."""

from __future__ import annotations

from datetime import date

from creditbus.catalogue.loader import load
from creditbus.commands.assess import as_document, bulletin_of
from creditbus.core.assessment import Assessment, Tally

CATALOGUE = load()
GOOD = Tally(accepted=100, items={"C03-PENALTY"}, due={"C03-PENALTY"})
POOR = Tally(accepted=50, rejected=50, late=50, items={"C03-PENALTY"}, due={"C03-PENALTY", "C03-PERMIT"})
FOUND = Assessment(
    departments={"150000-yjglt": POOR, "150000-scjg": GOOD, "150000-jyt": Tally(due={"C03-PERMIT"})},
    leagues={"150100": GOOD},
    levels={"COUNTY": GOOD, "REGION": POOR},
)


def test_the_bulletin_ranks_departments_and_names_who_sent_nothing() -> None:
    text = bulletin_of(FOUND, CATALOGUE, date(2026, 11, 1), date(2026, 11, 30))
    assert text.index("自治区市场监督管理局 | 100") < text.index("自治区应急管理厅 | 100")
    assert "| 呼和浩特市 | 100 |" in text
    assert "旗县 counties" in text
    silent = text[text.index("本期未报送") :]
    assert "自治区教育厅" in silent
    assert "自治区应急管理厅" not in silent
    assert "瞒报率" in silent


def test_the_document_holds_counts_shares_and_scores() -> None:
    document = as_document(FOUND, CATALOGUE)
    assert document["departments"]["150000-scjg"]["score"] == 100.0
    assert document["departments"]["150000-yjglt"]["shares"]["compliant"] == 0.5
    assert document["departments"]["150000-yjglt"]["score"] < 50
    assert document["levels"]["COUNTY"]["accepted"] == 100
