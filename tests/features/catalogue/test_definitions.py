"""The catalogue and the snapshot name the same things, and every feature can be explained."""

from pathlib import Path

import polars as pl
import pytest

from features.catalogue.definitions import (
    FEATURES,
    GROUPS,
    Feature,
    feature_documentation,
    feature_names,
)
from features.catalogue.wording import describe_value
from features.event_index import build_event_index
from features.point_in_time import Snapshot, build_snapshot
from tests.features.districts import NOON, district, moments

NOT_FEATURES = {
    "person",
    "at",
    "lead_started_at",
    "lead_peer_code",
    "payee_first_started_at",
    "lead_payee_code",
}
ROOT = Path(__file__).parents[3]
BY_NAME = {feature.name: feature for feature in FEATURES}


@pytest.fixture(scope="module")
def columns() -> pl.Schema:
    return build_snapshot(build_event_index(district()), moments(("p1", NOON))).schema


def test_the_catalogue_is_what_the_snapshot_computes(columns: pl.Schema) -> None:
    assert set(feature_names()) == set(columns) - NOT_FEATURES
    assert set(Snapshot.column_names()) == set(columns)
    assert len(feature_names()) == len(set(feature_names()))


def test_every_feature_is_a_number_or_a_flag(columns: pl.Schema) -> None:
    others = {
        name: columns[name]
        for name in feature_names()
        if not columns[name].is_numeric() and columns[name] != pl.Boolean
    }
    flags = {name for name in feature_names() if columns[name] == pl.Boolean}

    assert others == {}
    assert flags == {feature.name for feature in FEATURES if feature.unit == "flag"}


def test_where_someone_lives_or_comes_from_is_never_a_feature() -> None:
    banned = ("residency", "local", "floating", "community", "grid", "address", "sex", "area")

    assert [name for name in feature_names() if any(word in name for word in banned)] == []


def test_the_order_is_the_files_own() -> None:
    assert feature_names()[:3] == ("stranger_new_1h", "stranger_new_6h", "stranger_new_24h")
    assert feature_names().index("account_tenure_d") - feature_names().index("age_years") == 4


def test_a_family_of_windows_is_declared_once() -> None:
    feature = BY_NAME["new_debit_outside_cny_6h"]

    assert (feature.group, feature.family, feature.window, feature.unit) == (
        "new_payees",
        "new_debit",
        "6h",
        "CNY",
    )
    assert (feature.zh, feature.en) == (
        "6 小时内向区外新账户转账 {value}",
        "{value} sent to new accounts outside the district in the last 6 hours",
    )


def test_habits_are_known_and_never_told() -> None:
    habits = {feature.name for feature in FEATURES if feature.habit}

    assert {"age_years", "number_tenure_d", "debit_cny_30d", "talk_s_30d", "sms_30d"} <= habits
    assert all(feature.notable_range is None for feature in FEATURES if feature.habit)
    assert "stranger_calls_24h" not in habits


def test_scores_are_told_in_the_words_of_their_own_group() -> None:
    for group in GROUPS:
        notable_families = {feature.family for feature in group.features if feature.notable_range}
        assert (
            notable_families
            or all(feature.habit for feature in group.features)
            or group.code == "feeds"
        ), group.code
        assert {
            family for feature in group.features for family in feature.shown_by
        } <= notable_families, group.code


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_feature_can_be_said(feature: Feature) -> None:
    value = feature.notable_range[0] if feature.notable_range else 3.0
    zh, en = (
        describe_value(feature, value, language="zh"),
        describe_value(feature, value, language="en"),
    )

    assert feature.null_means
    assert "{" not in zh + en
    assert any("一" <= letter <= "鿿" for letter in zh)
    assert en.isascii()


def test_the_documentation_lists_every_feature_and_is_up_to_date() -> None:
    page = feature_documentation()

    assert [name for name in feature_names() if f"| `{name}` |" not in page] == []
    assert (
        "| `own_in_cny_24h` | 24h | CNY | never | 24 小时内从本人其他账户归集 … | "
        "… moved together from own accounts in the last 24 hours |  |"
    ) in page
    assert (ROOT / "docs" / "features.md").read_text(encoding="utf-8") == page


def test_what_only_raises_a_risk_is_what_a_reason_quotes_however_large_it_is():
    only = {feature.name: feature.only_raises for feature in FEATURES}
    assert only["stranger_talk_s_24h"]
    assert only["new_debit_outside_cny_6h"]
    assert not only["lead_peer_age_d"]  # a young number is suspicious, an old one is not
    assert not only["payee_first_cny"]  # a first payment that is small
    assert not only["debit_cny_30d"]  # a habit
    assert not only["lead_reputation"]  # learned by another model, which may err
    assert not only["age_years"]
