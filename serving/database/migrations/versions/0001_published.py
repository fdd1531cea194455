"""What is published, what was found about it, who may see it, and the audit trail."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

APPEND_ONLY = ("dispositions", "audit")


def upgrade() -> None:
    create_published()
    create_users()
    create_records()
    for table in APPEND_ONLY:
        refuse_changes(table)


def create_published() -> None:
    op.create_table(
        "watchlists",
        sa.Column("id", sa.Integer, primary_key=True),
        moment("at"),
        word("kind"),
        sa.Column("revision", sa.Integer, nullable=False),
        word("content_digest"),
        word("model_version"),
        word("model_digest"),
        word("data_version"),
        word("contract_version"),
        sa.Column("budget", sa.Integer, nullable=False),
        sa.Column("residents_scored", sa.Integer, nullable=False),
        moment("published_at", server_default=sa.func.now()),
        moment("superseded_at", nullable=True),
        sa.UniqueConstraint("at", "kind", "revision", name="uq_watchlists_at_kind_revision"),
    )
    op.create_index(
        "uq_watchlists_current",
        "watchlists",
        ["at", "kind"],
        unique=True,
        sqlite_where=sa.text("superseded_at IS NULL"),
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer, primary_key=True),
        word("alert_id", index=True),
        sa.Column("watchlist_id", sa.Integer, sa.ForeignKey("watchlists.id"), nullable=False),
        word("person", index=True),
        sa.Column("rank", sa.Integer, nullable=False),
        moment("issued_at", index=True),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("baseline_score", sa.Double, nullable=False),
        word("level"),
        sa.Column("urgency", sa.Integer, nullable=False),
        word("scam_type"),
        word("community_id"),
        word("grid_id"),
        sa.Column("at_stake_cny", sa.Double),
        sa.Column("base_value", sa.Double, nullable=False),
        sa.Column("realert", sa.Boolean, nullable=False),
        word("age_band", nullable=True),
        *(
            sa.Column(name, sa.JSON, nullable=False)
            for name in (
                "reasons",
                "contributions",
                "missing",
                "suspect_numbers",
                "suspect_accounts",
            )
        ),
        sa.UniqueConstraint("watchlist_id", "person", name="uq_alerts_watchlist_id_person"),
    )
    op.create_index("ix_alerts_community_id_issued_at", "alerts", ["community_id", "issued_at"])


def create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        word("name"),
        word("role"),
        moment("created_at"),
        moment("disabled_at", nullable=True),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )
    op.create_table(
        "user_communities",
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("community_id", sa.Text, primary_key=True),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False, index=True),
        word("kind"),
        word("digest"),
        moment("created_at"),
        moment("expires_at"),
        moment("revoked_at", nullable=True),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )


def create_records() -> None:
    op.create_table(
        "dispositions",
        sa.Column("id", sa.Integer, primary_key=True),
        word("alert_id"),
        sa.Column("version", sa.Integer, nullable=False),
        word("person", index=True),
        word("result"),
        word("note"),
        moment("snoozed_until", nullable=True),
        moment("decided_at"),
        word("decided_by"),
        sa.UniqueConstraint("alert_id", "version", name="uq_dispositions_alert_id_version"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        moment("occurred_at", index=True),
        word("actor"),
        word("action"),
        word("subject"),
        sa.Column("details", sa.JSON, nullable=False),
    )


def refuse_changes(table: str) -> None:
    """Let the database itself refuse to change or delete a row, whoever asks."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only()"
    )


def word(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable, index=index)


def moment(
    name: str, *, nullable: bool = False, index: bool = False, server_default: Any | None = None
) -> sa.Column[Any]:
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        nullable=nullable,
        index=index,
        server_default=server_default,
    )


def downgrade() -> None:
    for table in (
        "audit",
        "dispositions",
        "tokens",
        "user_communities",
        "users",
        "alerts",
        "watchlists",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_is_append_only()")
