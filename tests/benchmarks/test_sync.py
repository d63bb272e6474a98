import random

from benchmarks.sync import Folder
from retrieval.corpus import load_file
from retrieval.types import Document


def test_files_of_the_folder_are_read_and_differ_as_they_should(tmp_path):
    folder = Folder(tmp_path / "folder", 20, random.Random(1))
    before = {name: (folder.path / name).read_bytes() for name in folder.names()}
    assert {name.rsplit(".")[-1] for name in before} == {"md", "txt", "html", "csv"}
    for name, data in before.items():
        assert all(isinstance(one, Document) for one in load_file(name, data))

    folder.change(3)
    after = {name: (folder.path / name).read_bytes() for name in folder.names()}
    assert sum(before[name] != after[name] for name in before) == 3
    folder.remove(4)
    folder.add(2)
    assert len(folder.names()) == 18
    assert len(set(folder.names()) - set(before)) == 2
