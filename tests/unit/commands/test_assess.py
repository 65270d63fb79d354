"""The bulletin: departments from best to worst, leagues and levels, who sent nothing, what is not measured."""

from __future__ import annotations

from datetime import date

import pytest

from creditbus.catalogue.loader import load
from creditbus.commands.assess import as_document, bulletin_of, indicators_of
from creditbus.core.assessment import Assessment, Supervised, Tally, score_of

CATALOGUE = load()
GOOD = Tally(accepted=100, items={"C03-PENALTY"}, due={"C03-PENALTY"}, duties={"noticed": (3, 3)})
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
    assert "| 100.0% | 100.0% | 100.0% | 100.0% | – | – | 100.0 |" in text, "no repair was granted"
    silent = text[text.index("本期未报送") :]
    assert "自治区教育厅" in silent
    assert "自治区应急管理厅" not in silent
    assert "瞒报率" not in silent, "it comes from spot checks"
    assert "惩戒措施反馈率" in silent


def test_the_document_holds_counts_shares_and_scores() -> None:
    document = as_document(FOUND, CATALOGUE)
    assert document["departments"]["150000-scjg"]["score"] == 100.0
    assert document["departments"]["150000-yjglt"]["shares"]["compliant"] == 0.5
    assert document["departments"]["150000-yjglt"]["score"] < 50
    assert document["levels"]["COUNTY"]["accepted"] == 100


def test_supervision_is_a_section_of_its_own_and_takes_points_off() -> None:
    checked = Tally(
        accepted=100, items={"C03-PENALTY"}, due={"C03-PENALTY"},
        supervised=Supervised(tickets=4, overdue=1, sampled=50, concealed=10),
    )  # fmt: skip
    found = Assessment(departments={"150000-yjglt": checked, "150000-scjg": GOOD}, leagues={}, levels={})
    text = bulletin_of(found, CATALOGUE, date(2026, 11, 1), date(2026, 11, 30))
    section = text[text.index("督办与抽查") :]
    assert "| 自治区应急管理厅 | 4 | 1 | 50 | 10 |" in section
    assert "自治区市场监督管理局" not in section[: section.index("本期未报送")]
    weights = {row.metric: row.weight for row in CATALOGUE.indicators}
    taken = weights["concealed"] * 0.2 + weights["overdue"] * 0.25
    assert score_of(checked, indicators_of(CATALOGUE)) == pytest.approx(100 - taken, abs=0.05)
    assert as_document(found, CATALOGUE)["departments"]["150000-yjglt"]["supervision"]["overdue"] == 1
