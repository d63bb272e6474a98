"""The networks of the profile, and the stages that use them, on the device's one thread."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

import structlog
from excerpta.types.compress import CompressMethod
from excerpta.types.rerank import RerankMethod
from excerpta.types.rewrite import RewriteMethod

from api.access.caller import LOCAL
from api.answers.request import AnswerRequest
from api.device.question_vectors import QuestionNetworks, QuestionVectors
from api.device.secret import secret_of
from api.query.question import FittedQuestion, fit
from api.settings import Settings
from base.methods import AUTO, Method
from compress import CATALOGUE as COMPRESSORS
from compress import Compressed, Rates, Texts, Verdict, counter, shorten, worth
from context import (
    REWRITERS,
    ContextEngine,
    ContextPassage,
    Generation,
    PrefixStore,
    RedisTier,
    StoreStats,
    Turn,
    Writing,
    forget_modules,
)
from models import Executor, LanguageModel, Models, Priority
from models.networks.ngram_writer import NgramWriter
from rerank import CATALOGUE as RERANKERS
from rerank import Passages, Ranking
from retrieval.ngrams import LanguageVocabulary
from retrieval.tokens import TokenEncoder
from retrieval.types import Tokens, TokenVectors

_log = structlog.get_logger("excerpta.prefixes")
T = TypeVar("T")
_TEXTS_A_CALL = 16
_READING = "reading"


class Networks:
    """The networks and model stages. Call them on the device's thread, through `device.run` or `submit`.

    Each network is loaded, and each stage created, at its first use.
    """

    def __init__(self, models: Models, device: Executor, *, store: Callable[[], PrefixStore]) -> None:
        self.models = models
        self.device = device
        self._make_store = store
        self._making_store = threading.Lock()
        self._store: PrefixStore | None = None
        self._made: dict[Method[Any, Any], object] = {}
        self.known_questions = QuestionVectors()
        self.rates = Rates()

    @cached_property
    def encoder(self) -> TokenEncoder:
        """The token encoder."""
        return TokenEncoder(self.models.encoder)

    @cached_property
    def vocabulary(self) -> LanguageVocabulary:
        """The language model's token ids, for n-gram indexes."""
        return LanguageVocabulary(self.models.lm)

    @property
    def lm(self) -> LanguageModel:
        """The language model."""
        return self.models.lm

    @property
    def ngram_writer(self) -> NgramWriter:
        """The language model that writes n-grams for questions."""
        return self.models.ngram_writer

    @property
    def store(self) -> PrefixStore:
        """The store of prefix blocks. One, whichever threads ask first: two would share a directory."""
        with self._making_store:
            if self._store is None:
                self._store = self._make_store()
            return self._store

    @cached_property
    def engine(self) -> ContextEngine:
        """The engine that reads passages and generates answers.

        Once it is made, blocks on disk that no model of this profile can read are removed in the background.
        """
        engine = ContextEngine(self.models.lm, self.store, calibrations=[self.models.calibrations])
        # Not on the device's thread: of a full disk tier that takes seconds.
        sweep = threading.Thread(
            target=_sweep, args=(self.store, engine.namespace.digest()), name="prefix-sweep"
        )
        sweep.daemon = True
        sweep.start()
        return engine

    def warm(self) -> None:
        """Loads everything the default plan needs, so that the first query does not wait for it."""
        _ = self.encoder, self.vocabulary, self.engine
        self.made(RERANKERS[AUTO])
        self.made(COMPRESSORS[AUTO])

    def encode_query(self, query: str) -> TokenVectors:
        """A question's token vectors."""
        return self.encoder.encode_queries([query])[0]

    def of_questions(self, salt: str) -> QuestionNetworks:
        """The networks as questions under one salt are read with them: vectors of known ones are at hand."""
        return QuestionNetworks(lambda: self.encoder, lambda: self.ngram_writer, self.known_questions, salt)

    def fit_question(self, question: str) -> FittedQuestion:
        """The part of a question that the encoder can read."""

        def count(texts: Sequence[str]) -> list[int]:
            return [len(tokens.ids) for tokens in self.encoder.tokenize(texts)]

        return fit(question, self.encoder.max_tokens, count)

    def rewrite(self, conversation: Sequence[Turn], question: str, options: RewriteMethod) -> str:
        """The question as it stands alone; unchanged where that would be too long for the encoder."""
        rewriter = self.made(REWRITERS.of(options))
        rewritten = rewriter.rewrite(conversation, question, options).strip()
        return rewritten if rewritten and not self.fit_question(rewritten).cut else question

    def made(self, method: Method[Any, T]) -> T:
        """What does a stage by this method, made at the first call."""
        if method not in self._made:
            self._made[method] = method.make(self.models)
        return cast(T, self._made[method])

    def rerank(self, query: str, passages: Passages, options: RerankMethod) -> Ranking:
        """Ranks passages by the method that the options belong to."""
        return self.made(RERANKERS.of(options)).rank(query, passages, options)

    def available(self) -> frozenset[str]:
        """What the profile has of all that methods may need."""
        return frozenset(self.models.profile.roles()) | {"blocks"}

    def compress(
        self,
        query: str,
        texts: Texts | Sequence[str],
        options: CompressMethod,
        *,
        target_tokens: int | None = None,
    ) -> list[Compressed]:
        """Shortens texts to a common budget by the method that the options belong to."""
        scorer = self.made(COMPRESSORS.of(options))
        began = time.perf_counter()
        found = shorten(scorer, query, texts, options, counter(self.models), target_tokens=target_tokens)
        if any(one.decisions is not None for one in found):
            before = sum(one.tokens_before for one in found)
            self.rates.add(options.name(), before, time.perf_counter() - began)
        return found

    def worth_compressing(self, texts: Sequence[str], options: CompressMethod) -> Verdict:
        """Whether compression of the texts pays, by the rates measured so far."""
        remote = self.models.profile.generator is not None
        return worth(
            sum(counter(self.models)(texts)),
            options.target_tokens,
            room=None if remote else self.lm.max_positions,
            compressing=self.rates.seconds.get(options.name()),
            reading=self.rates.seconds.get(_READING),
            remote=remote,
        )

    def start_answer(self, task: AnswerRequest) -> Generation:
        """Reads passages and question, up to the answer's first token."""
        context, options = task.context, task.options
        began = time.perf_counter()
        started = self.engine.start(
            task.question,
            task.passages,
            context.reading,
            writing=Writing(
                max_tokens=options.max_tokens,
                temperature=options.temperature,
                top_p=options.top_p,
                seed=options.seed,
            ),
            statistics=task.explain,
            modules=task.modules,
            held=task.held,
        )
        usage = started.usage
        read = usage.context_tokens + usage.question_tokens - usage.cached_tokens
        self.rates.add(_READING, read, time.perf_counter() - began)
        return started

    def keep_passage(self, passage: ContextPassage) -> None:
        """Encodes the passage and caches its block, admitted as if it had been used often."""
        self.engine.warm([passage])

    def forget(self, collection: str, name: str, documents: Collection[str] | None = None) -> None:
        """Deletes cached blocks of a collection's passages, or of these documents. Safe on every thread."""
        salt = LOCAL.salt(collection).encode()
        if documents is None:
            self.store.delete_salt(salt)
        else:
            self.store.delete_documents(salt, [filed_under(name, one) for one in documents])
        if "engine" in self.__dict__:
            self.engine.forget_texts()

    def forget_prompt(self, name: str) -> None:
        """Deletes cached blocks of a prompt's modules. Safe on every thread."""
        forget_modules(self.store, name, LOCAL.modules_salt.encode())

    def store_stats(self) -> StoreStats | None:
        """Contents and counters of the prefix store; None until its first use."""
        return None if self._store is None else self._store.stats()

    def close(self) -> None:
        """Finishes pending writes of the prefix store."""
        if self._store is not None:
            self._store.close()


class DeviceEncoder:
    """The token encoder for other threads. Its work goes to the device with lower priority than queries.

    Texts are sent in slices, so that a query waits for at most one slice of a job.
    """

    def __init__(self, encoder: TokenEncoder, device: Executor) -> None:
        self._encoder = encoder
        self._device = device
        self.dim = encoder.dim
        self.max_tokens = encoder.max_tokens
        self.fingerprint = encoder.fingerprint

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Token ids and offsets; the tokenizer needs no device."""
        return self._encoder.tokenize(texts)

    def encode_passages(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Token vectors of each text."""
        # Texts of one length share a slice: a slice is padded to its longest.
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        encoded: dict[int, TokenVectors] = {}
        for start in range(0, len(order), _TEXTS_A_CALL):
            places = order[start : start + _TEXTS_A_CALL]
            call = self._device.submit(
                self._encoder.encode_passages, [texts[at] for at in places], priority=Priority.BATCH
            )
            encoded.update(zip(places, call.result(), strict=True))
        return [encoded[at] for at in range(len(texts))]

    def encode_queries(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Token vectors of each question."""
        return self._device.submit(
            self._encoder.encode_queries, texts, priority=Priority.INTERACTIVE
        ).result()


def filed_under(collection: str, document: str) -> str:
    """The key under which a document's blocks are deleted. Collection ids have no slashes."""
    return f"{collection}/{document}"


def _sweep(store: PrefixStore, namespace: str) -> None:
    """Removes the blocks on disk of other models, data types and layouts than the one that is served."""
    try:
        if removed := store.delete_other_namespaces(namespace):
            _log.info("prefixes.swept", blocks=removed)
    except OSError as error:
        # They lie there until eviction finds them, as blocks that nobody reads do.
        _log.warning("prefixes.sweep-failed", error=str(error))


def prefix_store(settings: Settings) -> PrefixStore:
    """The store of prefix blocks: memory, then disk if it may have any, then Redis if that is wanted."""
    redis: RedisTier | None = None
    if settings.prefix_redis:
        # Services on one Redis, each with a database of its own, keep their passages apart.
        name = hashlib.sha256(settings.database.encode()).hexdigest()[:12]
        redis = RedisTier(
            settings.redis_url,
            secret=secret_of(settings.data_dir),
            name=f"excerpta:{name}:prefix",
            ttl_s=settings.prefix_redis_ttl_s,
            largest_bytes=settings.prefix_redis_mb << 20,
        )
    return PrefixStore(
        settings.prefix_memory_mb << 20,
        settings.data_dir / "prefixes",
        settings.prefix_disk_mb << 20,
        redis=redis,
        storage=settings.prefix_storage,
        eviction=settings.prefix_eviction,
        admission=settings.prefix_admission,
    )
