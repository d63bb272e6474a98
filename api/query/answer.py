"""The last stage: an answer over the passages, written token by token, with its citations."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict

from excerpta.types import Answer, Citation, Reading

from api.answers.request import AnswerRequest
from api.answers.writer import AnswerStream, Writer
from api.query.candidates import Candidate
from api.telemetry.trace import Trace
from context import CitedText, Citer, StopFilter, TokenUsage

NO_SUPPORT = "The documents found do not answer this question."


class CitedAnswer:
    """An answer during generation and its result: `answer` and `usage` are complete after `pieces`."""

    def __init__(self) -> None:
        self.answer = Answer(text="", supported=False, finish_reason="stop", citations=[])
        self.usage = TokenUsage(0, 0, 0, 0)

    def refuse(self, trace: Trace) -> str:
        """The text of the reply if the documents do not support an answer.

        Where time ran out it is empty: what was not found or written in time may still support one.
        """
        late = trace.partial or self.answer.finish_reason == "timeout"
        self.answer.text = "" if late else NO_SUPPORT
        self.answer.finish_reason = "timeout" if late else "no_support"
        return self.answer.text

    async def pieces(
        self,
        request: AnswerRequest,
        question: str,
        candidates: Sequence[Candidate],
        writer: Writer,
        trace: Trace,
    ) -> AsyncGenerator[str | Citation]:
        """The pieces of the answer, and each citation when its sentence is complete.

        The model reads the request's texts of the candidates. Citations refer to the whole passages. Where
        unsupported answers are refused, pieces are held back until the first citation is known; an answer
        that ends without one is replaced.
        """
        held: list[str | Citation] | None = [] if request.options.unsupported == "refuse" else None
        async with aclosing(self._written(request, question, candidates, writer, trace)) as written:
            async for piece in written:
                if held is None:
                    yield piece
                    continue
                held.append(piece)
                if self.answer.citations:
                    for one in held:
                        yield one
                    held = None
        if held is not None and (refusal := self.refuse(trace)):
            yield refusal

    async def _written(
        self,
        request: AnswerRequest,
        question: str,
        candidates: Sequence[Candidate],
        writer: Writer,
        trace: Trace,
    ) -> AsyncGenerator[str | Citation]:
        """The answer with its citations as it is written, supported or not."""
        citer = Citer(
            [one.passage.text for one in candidates],
            titles=[one.passage.context for one in candidates],
            question=question,
        )
        stream = writer.write(request, trace)
        try:
            with trace.stage("prefill"):
                if await trace.within("the answer", stream.next(), None) is None:
                    self.answer.finish_reason = "timeout"
                    return
            if request.explain and stream.notes is not None:
                self.answer.reading = Reading(**asdict(stream.notes))
            with trace.stage("decode"):
                async for delta in self._until_stop(request.options.stop, stream, trace):
                    for piece in self._add(citer.feed(delta), candidates):
                        yield piece
            for piece in self._add(citer.finish(), candidates):
                yield piece
            self.answer.supported = citer.supported
        finally:
            stream.cancel()
            self.usage = stream.usage

    async def _until_stop(
        self, stops: Sequence[str], stream: AnswerStream, trace: Trace
    ) -> AsyncGenerator[str]:
        """The answer's text up to the first stop text."""
        until = StopFilter(stops)
        async with aclosing(self._steps(stream, trace)) as steps:
            async for delta in steps:
                yield until.feed(delta)
                if until.found:
                    self.answer.finish_reason = "stop"
                    return
        yield until.finish()

    async def _steps(self, stream: AnswerStream, trace: Trace) -> AsyncGenerator[str]:
        """The answer's text as the model writes it, until it ends or time runs out."""
        while True:
            delta = await trace.within("the answer", stream.next(), False)
            if delta is False:
                self.answer.finish_reason = "timeout"
                return
            if "first_token" not in trace.timings:
                trace.mark("first_token")
            if delta is None:
                self.answer.finish_reason = "length" if stream.cut else "stop"
                return
            yield str(delta)

    def _add(self, cited: CitedText, candidates: Sequence[Candidate]) -> list[str | Citation]:
        """A piece of the answer and its new citations, with offsets into documents."""
        pieces: list[str | Citation] = [cited.text] if cited.text else []
        self.answer.text += cited.text
        for one in cited.citations:
            candidate = candidates[one.passage]
            passage = candidate.passage
            start, end = passage.start + one.start, passage.start + one.end
            citation = Citation(
                marker=one.marker,
                hit=one.passage,
                passage_id=passage.id,
                document_id=passage.document_id,
                start=start,
                end=end,
                quote=one.quote,
                mark=one.mark,
                places=candidate.places(start, end),
            )
            self.answer.citations.append(citation)
            pieces.append(citation)
        return pieces
