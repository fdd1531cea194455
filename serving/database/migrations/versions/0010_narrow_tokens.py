"""Tokens that give out no other ones, and what came of which token.

Who logs in goes on as before; no machine's token of before manages users or tokens.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    with op.batch_alter_table("tokens") as tokens:
        tokens.add_column(
            sa.Column("manages", sa.Boolean, nullable=False, server_default=sa.false())
        )
        tokens.add_column(sa.Column("parent_id", sa.Integer))
        tokens.create_foreign_key("fk_tokens_parent_id", "tokens", ["parent_id"], ["id"])
        tokens.create_index("ix_tokens_parent_id", ["parent_id"])
    kept = sa.table("tokens", sa.column("kind", sa.Text), sa.column("manages", sa.Boolean))
    op.execute(sa.update(kept).where(kept.c.kind != "bearer").values(manages=True))


def downgrade() -> None:
    with op.batch_alter_table("tokens") as tokens:
        tokens.drop_index("ix_tokens_parent_id")
        tokens.drop_constraint("fk_tokens_parent_id", type_="foreignkey")
        tokens.drop_column("parent_id")
        tokens.drop_column("manages")
