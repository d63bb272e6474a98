"""The folder that a source was indexed from."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", sa.Column("folder", sa.String(length=255), nullable=True))
    op.add_column("jobs", sa.Column("folder", sa.String(length=255), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "folder")
    op.drop_column("sources", "folder")
