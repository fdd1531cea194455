"""Results with money, channel, level and source; follow-ups, suppressions and outreach lists."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

MOMENT = sa.DateTime(timezone=True)
WORDS = (
    "channel",
    "met_by",
    "level",
    "escalated_to",
    "escalated_why",
    "merged_into",
    "copied_from",
    "list_id",
)


def upgrade() -> None:
    # What stands already came from the pages or the API; nobody noted which.
    op.add_column(
        "dispositions", sa.Column("source", sa.Text, nullable=False, server_default="screen")
    )
    op.add_column("dispositions", sa.Column("found_at", MOMENT))
    for amount in ("paid_cny", "prevented_cny"):
        op.add_column("dispositions", sa.Column(amount, sa.Double))
    for word in WORDS:
        op.add_column("dispositions", sa.Column(word, sa.Text))
    create_follow_ups()
    create_suppressions()
    create_outreach_lists()


def create_follow_ups() -> None:
    op.create_table(
        "follow_ups",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("alert_id", sa.Text, nullable=False, index=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("community_id", sa.Text, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False, index=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("planned_at", MOMENT, nullable=False),
        sa.Column("planned_by", sa.Text, nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.Column("closed_by", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
    )


def create_suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person", sa.Text, nullable=False, index=True),
        sa.Column("alert_id", sa.Text, nullable=False),
        sa.Column("community_id", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("ended_by", sa.Text),
        sa.Column("ended_why", sa.Text),
    )
    op.create_index(
        "uq_suppressions_standing",
        "suppressions",
        ["person"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def create_outreach_lists() -> None:
    op.create_table(
        "outreach_lists",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("list_id", sa.Text, nullable=False),
        sa.Column("community_id", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("issued_by", sa.Text, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.UniqueConstraint("list_id", name="uq_outreach_lists_list_id"),
    )
    op.create_index("ix_outreach_lists_community_id_day", "outreach_lists", ["community_id", "day"])
    op.create_table(
        "outreach_items",
        sa.Column("list", sa.Integer, sa.ForeignKey("outreach_lists.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("alert_id", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    for table in ("outreach_items", "outreach_lists", "suppressions", "follow_ups"):
        op.drop_table(table)
    # One by one, not in a batch: a batch makes the table anew and loses the triggers that keep it
    # append-only.
    for column in ("source", "found_at", "paid_cny", "prevented_cny", *WORDS):
        op.drop_column("dispositions", column)
