# The worker's image, for amd64 and arm64. docs/adr/0040-worker-image.md gives the reasons.

# docs/adr/0160-node-version.md gives the Node major. The version, not a digest, names the image, so that a mirror's
# or a newer one can replace it: --build-arg BASE=…
ARG BASE=docker.io/library/node:24.20.0-trixie-slim

FROM ${BASE} AS base

FROM base AS packages
WORKDIR /vodstack
COPY package.json package-lock.json ./
# If you need an .npmrc, pass it as a secret; no layer keeps it: --secret id=npmrc,src=.npmrc
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
  npm ci --omit=dev --ignore-scripts --no-audit --no-fund && \
  rm -r node_modules/fluent-ffmpeg/coverage

FROM base AS system
# A new month makes a new layer, with the updates until then: --build-arg MONTH=2026-11
ARG MONTH=
RUN apt-get update && \
  apt-get upgrade -y && \
  apt-get install -y --no-install-recommends ffmpeg tini
# The worker installs nothing, draws on no screen and renders no text. ffmpeg depends on graphics drivers, but runs
# without them.
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /usr/local/bin/npm /usr/local/bin/npx \
    /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn* \
    /usr/lib/*/libLLVM* /usr/lib/*/libgallium* /usr/lib/*/libz3* /usr/lib/*/dri \
    /usr/share/X11 /usr/share/fonts /usr/share/mime \
    /var/lib/apt/lists/* /var/cache/* /var/log/* && \
  chown 1000:1000 /tmp

# Starts from an empty image: files removed in an upper layer would still be shipped in the lower one.
FROM scratch
COPY --from=system / /
WORKDIR /vodstack
COPY --from=packages /vodstack/node_modules node_modules
# The worker can read these whatever the builder's umask.
COPY --chmod=755 package.json ./
COPY --chmod=755 core core
COPY --chmod=755 worker worker

ENV PATH=/usr/local/bin:/usr/bin:/bin
# The only writable folder. A volume that is mounted there takes the folder's owner, the worker.
VOLUME /tmp
USER 1000:1000
# A worker creates its own folder there when it starts, and removes it when it ends.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD test -w /tmp/vodstack-worker-*
# As process 1, Node would ignore SIGTERM until it has a handler, and would not reap orphaned processes.
ENTRYPOINT ["tini", "--", "node", "--disable-warning=ExperimentalWarning", "worker/main.ts"]
