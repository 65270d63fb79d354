"""Settings of the lab refuse what they do not understand, and say what would be right."""

from __future__ import annotations

import pytest

from creditbus.lab.errors import SettingsError
from creditbus.lab.settings import LabSettings, load_settings
from creditbus.lab.stack import PARTS, REGION_PARTS, choose_parts, parts_of
from creditbus.lab.texts import user_language


def test_an_unknown_variable_is_refused_and_the_likely_one_named() -> None:
    with pytest.raises(SettingsError, match="CREDITBUS_LAB_KAFKAPORT is not a setting.*CREDITBUS_LAB_KAFKA_PORT"):
        load_settings({"CREDITBUS_LAB_KAFKAPORT": "19092"})


@pytest.mark.parametrize("port", ["none", "80", "70000"])
def test_a_wrong_port_is_refused_by_name(port: str) -> None:
    with pytest.raises(SettingsError, match="CREDITBUS_LAB_KAFKA_PORT is"):
        load_settings({"CREDITBUS_LAB_KAFKA_PORT": port})


def test_two_parts_on_one_port_are_refused() -> None:
    with pytest.raises(SettingsError, match="are both 19092"):
        load_settings({"CREDITBUS_LAB_GATEWAY_PORT": "19092"})


def test_other_variables_are_nobodys_business() -> None:
    assert load_settings({"CREDITBUS_BROKERS": "x", "PATH": "y"}) == LabSettings()


def test_every_part_has_a_port() -> None:
    assert len({LabSettings().port_of(part) for part in {*PARTS, *REGION_PARTS}}) == len({*PARTS, *REGION_PARTS})


def test_a_service_that_reads_the_tables_brings_clickhouse_with_it() -> None:
    assert choose_parts(("lookup", "intake"), PARTS) == ("clickhouse", "intake", "lookup")
    assert choose_parts((), PARTS) == ()
    assert choose_parts(None, PARTS) == PARTS


def test_a_service_that_there_is_not_is_refused_with_the_list() -> None:
    with pytest.raises(SettingsError, match="no service intakes"):
        choose_parts(("intakes",), PARTS)


def test_a_lab_is_a_hub_with_or_without_a_region_or_a_region_s_node() -> None:
    assert "merge" not in parts_of(load_settings({}))
    assert "merge" in parts_of(load_settings({"CREDITBUS_LAB_MERGES": "baotou"}))
    region = {"CREDITBUS_LAB_REGION": "baotou", "CREDITBUS_LAB_HUB": "hub"}
    assert parts_of(load_settings(region)) == REGION_PARTS
    for name in region:
        with pytest.raises(SettingsError, match="belong together"):
            load_settings({name: region[name]})
    with pytest.raises(SettingsError, match="CREDITBUS_LAB_REGION is 'Baotou!'"):
        load_settings({**region, "CREDITBUS_LAB_REGION": "Baotou!"})


def test_the_language_follows_the_locale_and_an_explicit_choice_goes_before_it() -> None:
    assert user_language({"LANG": "zh_CN.UTF-8"}) == "zh"
    assert user_language({"LANG": "zh_CN.UTF-8", "CREDITBUS_LANG": "en"}) == "en"
    assert user_language({}) == "en"
