"""What became of the files of a job."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("files", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("bytes", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("counts", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("job_batches", sa.Column("removed", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("job_batches", "removed")
    op.drop_column("jobs", "counts")
    op.drop_column("jobs", "bytes")
    op.drop_column("jobs", "files")
