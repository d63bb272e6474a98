"""Sources: the files that documents came from."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sources",
        sa.Column("collection_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("reader", sa.String(length=40), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("documents", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_sources_collection_id_collections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_id", "name", name=op.f("pk_sources")),
    )
    op.add_column("documents", sa.Column("source", sa.String(length=512), nullable=True))
    op.create_index("ix_documents_source", "documents", ["collection_id", "source"])
    op.add_column("job_batches", sa.Column("sources", sa.Text(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("job_batches", "sources")
    op.drop_index("ix_documents_source", "documents")
    op.drop_column("documents", "source")
    op.drop_table("sources")
