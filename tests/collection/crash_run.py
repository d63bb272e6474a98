"""Run by the crash tests in a process of its own: one operation, which the environment may kill half-way."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fakes import HashEncoder, WordVocabulary

from retrieval import BatchKey, Collection, Document

path, operation = Path(sys.argv[1]), sys.argv[2]
collection = Collection.open(path, encoder=HashEncoder(), vocabulary=WordVocabulary())
if operation == "add":
    documents = [Document("new", "A newt swims."), Document("old-1", "Changed words entirely.")]
    collection.add(documents, batch=BatchKey("job", 7))
else:
    collection.delete(["old-0", "old-1"])
