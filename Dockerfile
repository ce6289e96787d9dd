# docker build -t newsdesk .
# docker run --read-only -v newsdesk-state:/state -v ./artifacts:/models:ro -e NEWSDESK_MODEL=/models/NAME -p 8000:8000 newsdesk
# The first key: docker run --rm -v newsdesk-state:/state newsdesk keys add desk --role predict --state /state
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
# Without a compiler the build fetches one, for itself alone.
RUN python -m venv /opt/newsdesk \
    && /opt/newsdesk/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints/tested.txt '.[service]'

FROM python:3.13-slim
LABEL org.opencontainers.image.title="newsdesk" org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/newsdesk /opt/newsdesk
RUN groupadd --gid 10001 newsdesk \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin newsdesk \
    && mkdir /state /models \
    && chown newsdesk:newsdesk /state
USER 10001:10001
WORKDIR /state
ENV PATH=/opt/newsdesk/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    NEWSDESK_STATE=/state \
    NEWSDESK_HOST=0.0.0.0
# Nothing else is written, so the rest may be read-only (docker run --read-only).
VOLUME /state
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('NEWSDESK_PORT', '8000')}/readyz\", timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["newsdesk"]
CMD ["serve"]
