"""The identity that a database shares with its data directory."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "service",
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("at", name=op.f("pk_service")),
    )


def downgrade() -> None:
    op.drop_table("service")
