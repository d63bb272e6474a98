"""Collections from one machine to another: an archive of one version, read as if its sender meant harm."""

from retrieval.transfer.agreement import Agreement
from retrieval.transfer.archive import Archive, Header, Member, open_archive, write_archive
from retrieval.transfer.documents import encode_document, read_documents
from retrieval.transfer.pinning import Pinned, pin
from retrieval.transfer.quarantine import try_in_child
from retrieval.transfer.trial import Expected
from retrieval.transfer.unpacked import check_unpacked

__all__ = [
    "Agreement",
    "Archive",
    "Expected",
    "Header",
    "Member",
    "Pinned",
    "check_unpacked",
    "encode_document",
    "open_archive",
    "pin",
    "read_documents",
    "try_in_child",
    "write_archive",
]
