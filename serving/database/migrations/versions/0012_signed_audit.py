"""Signatures of audit entries, and the state that each vouches for. Entries that stand stay as they
are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("audit", sa.Column("state", sa.JSON))
    op.add_column("audit", sa.Column("signed_by", sa.Text))
    op.add_column("audit", sa.Column("signature", sa.Text))


def downgrade() -> None:
    for name in ("signature", "signed_by", "state"):
        op.drop_column("audit", name)
