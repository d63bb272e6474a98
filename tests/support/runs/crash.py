"""Runs operations on collections, each in a process of its own that the named fault point kills half-way.

Reads [path, operation, fault] lists as JSON from standard input; prints how each process ended. The
processes are forks, so that the libraries are imported once.
"""

import json
import os
import sys
from pathlib import Path

from retrieval import BatchKey, Collection, Document, MergePolicy
from tests.support.fakes import HashEncoder, WordVocabulary


def operate(path, operation, fault):
    collection = Collection.open(Path(path), encoder=HashEncoder(), vocabulary=WordVocabulary())
    os.environ["EXCERPTA_FAULT"] = fault
    if operation == "add":
        collection.add([Document("new", "A newt swims.")], batch=BatchKey("job", 7))
    elif operation == "replace":
        documents = [Document("new", "A newt swims."), Document("old-1", "Changed words entirely.")]
        collection.add(documents, batch=BatchKey("job", 7))
    elif operation == "merge":
        collection.merge(MergePolicy(fan_in=2))
    elif operation == "delete":
        collection.delete(["old-0", "old-1"])
    else:
        # old-0 and old-1 are a segment of their own, which goes with them; old-2 leaves another behind.
        collection.delete(["old-0", "old-1", "old-2"])


def forked(path, operation, fault):
    child = os.fork()
    if child == 0:
        try:
            operate(path, operation, fault)
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(f"{operation} {fault}: {error!r}\n")
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    print(json.dumps([forked(*run) for run in json.load(sys.stdin)]))
