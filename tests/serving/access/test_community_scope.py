import pytest
from sqlalchemy import select

from serving.access.community_scope import may_see, visible_to
from serving.casework.suppressions.tables import SuppressionRow
from serving.database.tables import AlertRow, UserRow
from serving.vocabulary.roles import Role, Viewer

OFFICER = Viewer(name="wu.gang", role=Role.OFFICER, communities=frozenset({"C01"}))
NEW_OFFICER = Viewer(name="li.na", role=Role.OFFICER, communities=frozenset())
ANALYST = Viewer(name="chen.jie", role=Role.ANALYST, communities=None)


def test_officers_see_their_own_communities_and_others_all():
    asked = ("C01", "C02")
    assert [may_see(OFFICER, community) for community in asked] == [True, False]
    assert [may_see(NEW_OFFICER, community) for community in asked] == [False, False]
    assert [may_see(ANALYST, community) for community in asked] == [True, True]


@pytest.mark.parametrize(
    ("table", "name"), [(AlertRow, "alerts"), (SuppressionRow, "suppressions")]
)
def test_a_statement_is_narrowed_by_the_community_of_its_first_table(table, name):
    narrowed = visible_to(OFFICER, select(table)).compile()
    assert f"WHERE {name}.community_id IN" in str(narrowed)
    assert list(narrowed.params.values()) == [["C01"]]
    assert "WHERE" not in str(visible_to(ANALYST, select(table)))


def test_rows_without_a_community_cannot_be_narrowed():
    with pytest.raises(AttributeError, match="community_id"):
        visible_to(OFFICER, select(UserRow))
