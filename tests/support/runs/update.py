"""Adds, deletes and merges without end; writes each change to a log before it begins and when it is done.

For each line on standard input a process begins to do so, whose number is printed; the next one begins
when it has been killed. The processes are forks, so that the libraries are imported once.
"""

import json
import os
import random
import sys
from pathlib import Path

from retrieval import Collection, MergePolicy
from tests.support.fakes import TopicEncoder, topic_documents


def main(path, log):
    collection = Collection.open(Path(path), encoder=TopicEncoder(), vocabulary=None)
    rng = random.Random(os.getpid())
    with Path(log).open("a") as file:

        def say(**change):
            file.write(json.dumps(change) + "\n")
            file.flush()

        while True:
            numbers = [rng.randrange(10**6) for _ in range(8)]
            numbers = sorted(set(numbers))
            say(add=numbers, done=False)
            collection.add(topic_documents(numbers))
            say(add=numbers, done=True)
            gone = rng.sample(numbers, 2)
            say(delete=gone, done=False)
            collection.delete([f"d{number}" for number in gone])
            say(delete=gone, done=True)
            merged = collection.merge(MergePolicy(fan_in=3))
            say(merged=int(merged), done=True)


if __name__ == "__main__":
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            main(*sys.argv[1:])
        print(child, flush=True)
        os.waitpid(child, 0)
        print("ended", flush=True)
