"""Who asked for a job."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("tenant", sa.String(length=128), nullable=False, server_default="default"))
    op.add_column("jobs", sa.Column("key", sa.String(length=64), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("jobs", "key")
    op.drop_column("jobs", "tenant")
