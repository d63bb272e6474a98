"""E-mail: a message as blocks, its attachments, and the messages of a mailbox."""

from retrieval.corpus.loaders.mail.loading import Mail, read_mail
from retrieval.corpus.loaders.mail.mailbox import messages

__all__ = ["Mail", "messages", "read_mail"]
