# Targets: `ledgerpost` (the default) is the API, the relay and the mailer; `demo` adds the demo ledger.
ARG PYTHON=3.13-slim-trixie

FROM python:${PYTHON} AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements requirements
# Only the tools that build the wheel; pip fails if another one is needed.
RUN --mount=type=cache,target=/root/.cache/pip \
    awk '/^[a-z]/ { wanted = /^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/ } wanted' \
        requirements/dev.txt > build.txt \
    && pip install --require-hashes --only-binary=:all: -r build.txt \
    && python -m venv --without-pip /opt/ledgerpost \
    && pip --python /opt/ledgerpost/bin/python install \
        --require-hashes --only-binary=:all: -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY shared shared
COPY services services
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && pip --python /opt/ledgerpost/bin/python install --no-deps --no-index dist/*.whl

FROM python:${PYTHON} AS runtime
ENV PATH=/opt/ledgerpost/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    API_HOST=0.0.0.0 API_PORT=8080 \
    RELAY_OPS_HOST=0.0.0.0 RELAY_OPS_PORT=8081 \
    MAILER_OPS_HOST=0.0.0.0 MAILER_OPS_PORT=8082 \
    RETURNS_OPS_HOST=0.0.0.0 RETURNS_OPS_PORT=8083
# Fonts for the PDFs in all scripts; docs/docker.md gives their size.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-noto-core fonts-droid-fallback \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --system --gid 10001 ledgerpost \
    && useradd --system --uid 10001 --gid ledgerpost --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin ledgerpost
COPY --from=build /opt/ledgerpost /opt/ledgerpost
WORKDIR /srv
# Last, so that a new revision builds nothing else anew.
ARG VERSION=0.2.0
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="Ledgerpost" \
    org.opencontainers.image.description="Income by customer from a Postgres ledger, and statements by mail" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION" \
    org.opencontainers.image.source="$SOURCE" \
    org.opencontainers.image.licenses="MIT"
USER 10001:10001
EXPOSE 8080 8081 8082 8083 2525
CMD ["ledgerpost-api", "serve"]

FROM runtime AS demo
COPY demo demo
COPY docker/demo.sh docker/demo.sh
USER root
RUN install -d -m 700 -o 10001 -g 10001 /var/lib/ledgerpost-demo
USER 10001:10001
CMD ["sh", "docker/demo.sh"]

FROM runtime AS ledgerpost
