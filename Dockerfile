# The server alone: its MongoDB is named by TSUNAGI_MONGODB_URI (compose.yaml gives it one).
#
#     docker build --tag tsunagi:0.1.0 .
FROM python:3.12-slim-bookworm AS build

WORKDIR /src
RUN python -m venv /opt/tsunagi
COPY requirements-server.lock ./
RUN /opt/tsunagi/bin/pip install --no-cache-dir --no-input --require-hashes -r requirements-server.lock
COPY pyproject.toml README.md LICENSE ./
COPY terminology terminology
COPY profiles profiles
COPY mappers mappers
COPY fhir_server fhir_server
RUN /opt/tsunagi/bin/pip install --no-cache-dir --no-input --no-deps --no-build-isolation .


FROM python:3.12-slim-bookworm

RUN useradd --system --uid 10001 --home-dir /var/lib/tsunagi --create-home tsunagi
COPY --from=build /opt/tsunagi /opt/tsunagi
ENV PATH=/opt/tsunagi/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TSUNAGI_DATA=/var/lib/tsunagi
USER 10001
WORKDIR /var/lib/tsunagi
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health/live', timeout=4)"]
ENTRYPOINT ["tsunagi"]
# Inside a container only the published port decides who reaches the server; without TLS that must not be more than a proxy.
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
