"""Row-level security on PostgreSQL: a transaction sees rows of the communities it has named, and
none unnamed.

The serving room names them in ``forestall.communities`` at the start of every transaction: ``*``
for all, else each community behind a unit separator. Policies bind the owner of the tables too;
only superusers and roles with BYPASSRLS pass over them.
"""

from collections.abc import Mapping

from alembic import op

revision = "0008"
down_revision = "0007"

# Sub-queries, so that the setting is read once a statement and not once a row.
EVERY = "(SELECT current_setting('forestall.communities', true)) = '*'"
NAMED = "(SELECT string_to_array(current_setting('forestall.communities', true), chr(31)))::text[]"

OWN_COMMUNITY = f"community_id = ANY ({NAMED})"
VISIBLE_ALERT = "EXISTS (SELECT 1 FROM alerts WHERE alerts.alert_id = {table}.alert_id)"

POLICIES: Mapping[str, str] = {
    "alerts": OWN_COMMUNITY,
    "claims": OWN_COMMUNITY,
    "follow_ups": OWN_COMMUNITY,
    "suppressions": OWN_COMMUNITY,
    "outreach_lists": OWN_COMMUNITY,
    "outreach_items": (
        "EXISTS (SELECT 1 FROM outreach_lists WHERE outreach_lists.id = outreach_items.list)"
    ),
    "dispositions": VISIBLE_ALERT.format(table="dispositions"),
    "webhook_deliveries": VISIBLE_ALERT.format(table="webhook_deliveries"),
    "scores": "EXISTS (SELECT 1 FROM alerts WHERE alerts.person = scores.person)",
    "changes": (
        f"EXISTS (SELECT 1 FROM json_object_keys(communities) AS code WHERE code = ANY ({NAMED}))"  # noqa: S608 -- no input
    ),
}


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, visible in POLICIES.items():
        op.execute(f"CREATE POLICY {table}_by_community ON {table} USING ({EVERY} OR {visible})")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in POLICIES:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        op.execute(f"DROP POLICY {table}_by_community ON {table}")
