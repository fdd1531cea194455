"""What the pipelines report."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "operations_reports",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
    )
    op.create_index("ix_operations_reports_kind_at", "operations_reports", ["kind", "at"])


def downgrade() -> None:
    op.drop_table("operations_reports")
