# voice-emulator as a container.
#
#   docker build -t voice-emulator .
#   docker run --rm --read-only -p 127.0.0.1:4880:4880 -p 127.0.0.1:4881:4881 voice-emulator
#
# `make container-check` runs these steps without a container engine.

# Both stages use an exact tag. A tag can be moved: to pin the image, append the digest that
# `docker buildx imagetools inspect python:3.12.12-slim-bookworm` prints, as python:3.12.12-slim-bookworm@sha256:...
FROM python:3.12.12-slim-bookworm AS build

WORKDIR /src

# Files that rarely change come first. The environment has no pip, because the image does not need it.
COPY requirements/installer.lock requirements/build.lock requirements/runtime.lock requirements/
RUN python -m venv --without-pip /opt/voice-emulator \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/installer.lock \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.lock \
    && /opt/build/bin/pip --python /opt/voice-emulator/bin/python install --no-cache-dir --require-hashes \
       -r requirements/runtime.lock

COPY pyproject.toml README.md LICENSE ./
COPY emulator emulator
COPY schemas schemas
COPY scenarios scenarios
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /opt/wheels . \
    && /opt/build/bin/pip --python /opt/voice-emulator/bin/python install --no-cache-dir --no-deps /opt/wheels/*.whl


FROM python:3.12.12-slim-bookworm

LABEL org.opencontainers.image.title="voice-emulator" \
      org.opencontainers.image.description="A local emulator of the voice APIs of NXCloud, Huawei CEC and Infin8linx" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"

# The base image contains pip, and a second one for new environments. Nothing is installed here, so both are removed.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3.12/site-packages/pip \
    /usr/local/lib/python3.12/site-packages/pip-*.dist-info /usr/local/lib/python3.12/ensurepip

COPY --from=build /opt/voice-emulator /opt/voice-emulator

# The host is also set here, so that a container started with `docker run voice-emulator serve --seed 7` can be reached.
ENV PATH=/opt/voice-emulator/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    VOICE_EMULATOR_HOST=::

# A number, so that Kubernetes can verify that it is not root. The user owns no files and needs no home.
USER 65532:65532
WORKDIR /

EXPOSE 4880 4881
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s --retries=3 CMD ["voice-emulator", "health"]
ENTRYPOINT ["voice-emulator"]
CMD ["serve", "--host", "::"]
