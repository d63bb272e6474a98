"""Where the pages and table rows of a document are in its text."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("marks", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("documents", "marks")
