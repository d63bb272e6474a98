"""A lock file shows whether the process that owns a job is alive."""

from api.jobs.process import ProcessLock


async def test_a_lock_tells_the_dead_from_the_living(tmp_path):
    one, two = ProcessLock(tmp_path), ProcessLock(tmp_path)
    assert not one.is_dead(two.name)
    assert not one.is_dead(one.name)
    assert not one.is_dead("of another machine")
    two.close()
    assert one.is_dead(two.name)
    one.bury(keep={two.name})
    assert one.is_dead(two.name)
    one.bury(keep=set())
    assert [path.stem for path in tmp_path.iterdir()] == [one.name]
    one.close()
