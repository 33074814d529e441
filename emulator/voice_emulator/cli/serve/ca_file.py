"""The authority of a self-signed certificate as a file, for clients that want a path."""

from __future__ import annotations

import atexit
import logging
import os
import tempfile
from pathlib import Path

from voice_emulator.wire.runtime import Runtime

log = logging.getLogger(__name__)


def publish_authority(runtime: Runtime) -> Path | None:
    """Write the authority to a temporary file, which goes when the process ends; the log says where.

    None without a self-signed certificate, and where no file can be written (a read-only container): the control port
    still serves it.
    """
    if runtime.ca_pem is None:
        return None
    url = f"{runtime.control}/v1/tls/ca.pem"
    try:
        descriptor, name = tempfile.mkstemp(prefix="voice-emulator-ca-", suffix=".pem")
        with os.fdopen(descriptor, "wb") as file:
            file.write(runtime.ca_pem)
    except OSError as error:
        log.info("the certificate is self-signed; trust %s (no file: %s)", url, error.strerror or error)
        return None
    path = Path(name)
    atexit.register(path.unlink, missing_ok=True)
    log.info("the certificate is self-signed; trust %s, also at %s", path, url)
    return path
