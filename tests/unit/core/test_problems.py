"""Problems that several services answer with are one."""

from __future__ import annotations

import importlib
import inspect

from creditbus.core.problems import malformed_request


def test_a_malformed_request_names_each_field_and_the_remedy_and_repeats_nothing() -> None:
    problem = malformed_request(
        [
            {"loc": ("header", "x-basis"), "msg": "Field required", "input": "11010519491231002X"},
            {"loc": ("body",), "msg": "JSON decode error", "input": "11010519491231002X"},
        ]
    )
    assert (problem.status, problem.code) == (422, "malformed")
    assert problem.detail_en.startswith("x-basis: Field required; body: JSON decode error. Mend")
    assert "更正" in problem.detail_zh
    assert "11010519491231002X" not in str(problem.to_json())


def test_no_two_services_have_words_of_their_own_for_it() -> None:
    for service in ("gateway", "lookup", "console"):
        text = inspect.getsource(importlib.import_module(f"creditbus.{service}.problems"))
        assert 'code="malformed"' not in text
