# The worker's image, for amd64 and arm64 alike. docs/adr/0040-worker-image.md gives the reasons.

# By version and not by digest: a mirror's or a newer one can take its place, --build-arg BASE=…
ARG BASE=docker.io/library/node:24.20.0-trixie-slim

FROM ${BASE} AS base

FROM base AS packages
WORKDIR /vodstack
COPY package.json package-lock.json ./
# Who needs an .npmrc gives it as a secret, and none of it is kept: --secret id=npmrc,src=.npmrc
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
  npm ci --omit=dev --ignore-scripts --no-audit --no-fund && \
  rm -r node_modules/fluent-ffmpeg/coverage

FROM base AS system
# Another month is another layer, with the updates until then: --build-arg MONTH=2026-11
ARG MONTH=
RUN apt-get update && \
  apt-get upgrade -y && \
  apt-get install -y --no-install-recommends ca-certificates ffmpeg tini
# Nothing is installed later, drawn on a screen or written in a font. ffmpeg depends on the drivers of
# graphics cards, and runs without them.
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /usr/local/bin/npm /usr/local/bin/npx \
    /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn* \
    /usr/lib/*/libLLVM* /usr/lib/*/libgallium* /usr/lib/*/libz3* /usr/lib/*/dri \
    /usr/share/X11 /usr/share/fonts /usr/share/mime \
    /var/lib/apt/lists/* /var/cache/* /var/log/* && \
  chown 1000:1000 /tmp

# Into an empty image, as what is removed from another one's layers is still shipped.
FROM scratch
COPY --from=system / /
WORKDIR /vodstack
COPY --from=packages /vodstack/node_modules node_modules
# Readable for the worker whatever the builder's umask.
COPY --chmod=755 package.json ./
COPY --chmod=755 core core
COPY --chmod=755 worker worker

ENV PATH=/usr/local/bin:/usr/bin:/bin
# The only place to write to. What is mounted there takes the folder's owner, the worker.
VOLUME /tmp
USER 1000:1000
# A worker makes its own folder there when it starts, and takes it away when it ends.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD test -w /tmp/vodstack-worker-*
# As the first process Node would be deaf to SIGTERM until it listens, and would never bury orphans.
ENTRYPOINT ["tini", "--", "node", "--disable-warning=ExperimentalWarning", "worker/main.ts"]
