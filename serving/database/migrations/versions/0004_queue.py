"""Claims, timelines, the history of scores, and what changed when."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Alerts of before were published without it: an empty list says that nothing was written down.
    for name in ("timeline", "touched"):
        op.add_column("alerts", sa.Column(name, sa.JSON, nullable=False, server_default="[]"))
    op.add_column("alerts", sa.Column("first_contact_at", MOMENT))
    op.create_table(
        "scores",
        sa.Column("watchlist_id", sa.Integer, sa.ForeignKey("watchlists.id"), primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("score", sa.Double, nullable=False),
    )
    op.create_index("ix_scores_person", "scores", ["person"])
    create_claims()
    op.create_table(
        "changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("happened_at", MOMENT, nullable=False, index=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("communities", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )


def create_claims() -> None:
    op.create_table(
        "claims",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("alert_id", sa.Text, nullable=False),
        sa.Column("community_id", sa.Text, nullable=False),
        sa.Column("claimed_by", sa.Text, nullable=False),
        sa.Column("assigned_by", sa.Text),
        sa.Column("claimed_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
    )
    op.create_index(
        "uq_claims_current",
        "claims",
        ["alert_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    for table in ("changes", "claims", "scores"):
        op.drop_table(table)
    for name in ("timeline", "touched", "first_contact_at"):
        op.drop_column("alerts", name)
