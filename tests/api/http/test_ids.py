"""Ids sort by the time they were made."""

import time

from api.http.ids import new_id


def test_ids_sort_by_time():
    ids = []
    for _ in range(3):
        ids.append(new_id("x"))
        time.sleep(0.002)
    assert ids == sorted(ids)
