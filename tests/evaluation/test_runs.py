"""A run asks every question once and keeps rankings and costs."""

from evaluation.beir import DataSet
from evaluation.runs import Ranked, run

DATA = DataSet("fish", [], {"q1": "red fish", "q2": "blue fish"}, {"q1": {"red": 1}, "q2": {"blue": 1}})


class ByWord:
    """Finds the document that the first word names, after another."""

    def __init__(self):
        self.asked = []

    async def search(self, question):
        self.asked.append(question)
        return Ranked(["other", question.split()[0]], {"retrieve": float(len(self.asked))})


async def test_every_question_is_asked_once_and_measured():
    searches, steps = ByWord(), []
    done = await run(DATA, searches, progress=lambda: steps.append(1))
    assert searches.asked == ["red fish", "blue fish"]
    assert len(steps) == len(done.wall_ms) == len(done.cpu_ms) == 2
    assert done.scores(["mrr@10", "hits@1"]) == {"mrr@10": 0.5, "hits@1": 0.0}
    assert done.stage_ms() == {"retrieve": 1.5}
