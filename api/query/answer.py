"""The last stage: an answer over the passages, written token by token, with its citations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field

from excerpta.types import Answer, Citation, Reading

from api.answers.request import AnswerRequest
from api.answers.writer import AnswerStream, Writer
from api.query import plan as plans
from api.query.candidates import Candidate
from api.telemetry.trace import Trace
from context import CitedText, Citer, FilledPrompt

NO_SUPPORT = "The documents found do not answer this question."


@dataclass(slots=True)
class Writing:
    """An answer while it is written, and once it is."""

    answer: Answer = field(
        default_factory=lambda: Answer(text="", supported=False, finish_reason="stop", citations=[])
    )
    context_tokens: int = 0
    cached_tokens: int = 0
    question_tokens: int = 0
    generated_tokens: int = 0

    def refuse(self) -> str:
        """Says that the documents carry no answer."""
        self.answer.text = NO_SUPPORT
        self.answer.finish_reason = "no_support"
        return NO_SUPPORT


async def write(
    question: str,
    candidates: Sequence[Candidate],
    texts: Sequence[str],
    *,
    context: plans.Context,
    options: plans.Answer,
    writer: Writer,
    trace: Trace,
    writing: Writing,
    salt: str,
    conversation: str = "",
    explain: bool = False,
    modules: FilledPrompt | None = None,
) -> AsyncIterator[str | Citation]:
    """The pieces of the answer, and each citation when its sentence is complete.

    `texts` are what the model reads of the candidates; what is cited stands in the whole passages. The
    model reads `conversation` before the question. With `explain` the answer also says how they were read.
    `modules` stand before the passages.
    """
    task = AnswerRequest(
        question=f"{conversation}\n\n{question}" if conversation else question,
        passages=[one.read_as(text) for one, text in zip(candidates, texts, strict=True)],
        context=context,
        options=options,
        salt=salt,
        explain=explain,
        modules=modules,
    )
    citer = Citer(
        [one.passage.text for one in candidates],
        titles=[one.passage.context for one in candidates],
        question=question,
    )
    stream = writer.write(task, trace)
    try:
        with trace.stage("prefill"):
            if await trace.within("the answer", stream.next(), None) is None:
                writing.answer.finish_reason = "timeout"
                return
        if explain and stream.notes is not None:
            writing.answer.reading = Reading(**asdict(stream.notes))
        async for delta in _steps(stream, trace, writing):
            for piece in _pieces(citer.feed(delta), candidates, writing):
                yield piece
        for piece in _pieces(citer.finish(), candidates, writing):
            yield piece
        writing.answer.supported = citer.supported
    finally:
        stream.cancel()
        usage = stream.usage
        writing.context_tokens, writing.cached_tokens = usage.context_tokens, usage.cached_tokens
        writing.question_tokens, writing.generated_tokens = usage.question_tokens, usage.generated_tokens


async def _steps(stream: AnswerStream, trace: Trace, writing: Writing) -> AsyncIterator[str]:
    """The answer's text as the model writes it, until it ends or time runs out."""
    with trace.stage("decode"):
        while True:
            delta = await trace.within("the answer", stream.next(), False)
            if delta is False:
                writing.answer.finish_reason = "timeout"
                return
            if "first_token" not in trace.timings:
                trace.mark("first_token")
            if delta is None:
                writing.answer.finish_reason = "length" if stream.cut else "stop"
                return
            yield str(delta)


def _pieces(cited: CitedText, candidates: Sequence[Candidate], writing: Writing) -> list[str | Citation]:
    """A piece of the answer and its new citations, with offsets into documents."""
    pieces: list[str | Citation] = [cited.text] if cited.text else []
    writing.answer.text += cited.text
    for one in cited.citations:
        passage = candidates[one.passage].passage
        citation = Citation(
            marker=one.marker,
            hit=one.passage,
            passage_id=passage.id,
            document_id=passage.document_id,
            start=passage.start + one.start,
            end=passage.start + one.end,
            quote=one.quote,
            mark=one.mark,
        )
        writing.answer.citations.append(citation)
        pieces.append(citation)
    return pieces
