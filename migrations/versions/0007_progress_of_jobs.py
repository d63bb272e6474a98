"""How far a job is within its batches."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("progress", sa.Double(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("place", sa.Text(), nullable=False, server_default="null"))
    op.execute("UPDATE jobs SET progress = 1 WHERE state = 'succeeded'")


def downgrade() -> None:
    op.drop_column("jobs", "place")
    op.drop_column("jobs", "progress")
