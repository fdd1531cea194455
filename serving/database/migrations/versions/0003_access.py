"""Passwords, lockout and the chain of the audit trail."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

MOMENT = sa.DateTime(timezone=True)
GENESIS = "0" * 64
AUDIT = sa.table(
    "audit",
    sa.column("id", sa.Integer),
    sa.column("occurred_at", MOMENT),
    *(
        sa.column(name, sa.Text)
        for name in ("actor", "action", "subject", "previous_digest", "digest")
    ),
    sa.column("details", sa.JSON),
)


def upgrade() -> None:
    op.add_column("users", sa.Column("password_hash", sa.Text))
    op.add_column("users", sa.Column("password_set_at", MOMENT))
    op.add_column("users", sa.Column("subject", sa.Text))
    op.create_index("ix_users_subject", "users", ["subject"], unique=True)
    op.add_column("tokens", sa.Column("last_used_at", MOMENT))
    op.add_column("tokens", sa.Column("name", sa.Text))
    op.add_column("tokens", sa.Column("role", sa.Text))
    op.add_column(
        "tokens", sa.Column("read_only", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.create_table(
        "lockouts",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_failed_at", MOMENT, nullable=False, index=True),
        sa.Column("locked_until", MOMENT),
    )
    allow_changes()
    op.add_column("audit", sa.Column("previous_digest", sa.Text))
    op.add_column("audit", sa.Column("digest", sa.Text))
    chain_entries()
    with op.batch_alter_table("audit") as audit:
        audit.alter_column("previous_digest", existing_type=sa.Text, nullable=False)
        audit.alter_column("digest", existing_type=sa.Text, nullable=False)
    op.create_index("ix_audit_digest", "audit", ["digest"], unique=True)
    refuse_changes()


def chain_entries() -> None:
    """Give every entry that stands the digest of the one before it, as serving.database.audit_chain
    computes it.
    """
    connection, last = op.get_bind(), GENESIS
    for entry in connection.execute(sa.select(AUDIT).order_by(AUDIT.c.id)).all():
        digest = digest_after(last, entry)
        connection.execute(
            sa.update(AUDIT)
            .where(AUDIT.c.id == entry.id)
            .values(previous_digest=last, digest=digest)
        )
        last = digest


def digest_after(last: str, entry: sa.Row[Any]) -> str:
    fields = {
        "id": entry.id,
        "occurred_at": in_utc(entry.occurred_at).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "details": entry.details,
        "previous_digest": last,
    }
    canonical = json.dumps(
        fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def in_utc(moment: datetime) -> datetime:
    """SQLite keeps moments in UTC without saying so."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def allow_changes() -> None:
    """Lift the triggers of the trail while its columns are added."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER audit_no_{verb}")
    else:
        op.execute("DROP TRIGGER audit_no_change ON audit")


def refuse_changes() -> None:
    """Let the database itself refuse to change or delete an entry, whoever asks."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )


def downgrade() -> None:
    allow_changes()
    op.drop_index("ix_audit_digest", "audit")
    with op.batch_alter_table("audit") as audit:
        audit.drop_column("digest")
        audit.drop_column("previous_digest")
    refuse_changes()
    op.drop_table("lockouts")
    for name in ("read_only", "role", "name", "last_used_at"):
        op.drop_column("tokens", name)
    op.drop_index("ix_users_subject", "users")
    for name in ("subject", "password_set_at", "password_hash"):
        op.drop_column("users", name)
