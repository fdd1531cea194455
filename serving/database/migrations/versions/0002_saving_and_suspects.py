"""What a warning can save, and the suspect numbers and accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("alerts", sa.Column("saving_cny", sa.Double))
    op.create_table(
        "suspect_lists",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("content_digest", sa.Text, nullable=False),
        sa.Column("published_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("superseded_at", MOMENT),
        sa.UniqueConstraint("at", "revision", name="uq_suspect_lists_at_revision"),
    )
    op.create_index(
        "uq_suspect_lists_current",
        "suspect_lists",
        ["at"],
        unique=True,
        sqlite_where=sa.text("superseded_at IS NULL"),
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "suspects",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("list_id", sa.Integer, sa.ForeignKey("suspect_lists.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False, index=True),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("peer_kind", sa.Text, nullable=False),
        sa.Column("first_seen_at", MOMENT),
        sa.Column("residents_reached", sa.Integer, nullable=False),
        sa.Column("residents_7d", sa.Integer, nullable=False),
        sa.Column("alerts", sa.Integer, nullable=False),
        sa.Column("named_in_case", sa.Boolean, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.UniqueConstraint("list_id", "key", name="uq_suspects_list_id_key"),
        sa.UniqueConstraint("list_id", "kind", "rank", name="uq_suspects_list_id_kind_rank"),
    )


def downgrade() -> None:
    op.drop_table("suspects")
    op.drop_table("suspect_lists")
    with op.batch_alter_table("alerts") as alerts:
        alerts.drop_column("saving_cny")
