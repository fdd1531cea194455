"""By what an installation knows its own database again."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table("installation", sa.Column("id", sa.Text, primary_key=True))


def downgrade() -> None:
    op.drop_table("installation")
