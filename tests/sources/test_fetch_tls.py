"""HTTPS with a certificate made for the test: refused when unknown, read when trusted."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pregon.errors import SourceError
from pregon.sources import network
from pregon.sources.fetch import fetch

NOW = datetime.now(UTC)


def write_certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), NOW - timedelta(1), NOW + timedelta(1)
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    basic = x509.BasicConstraints(ca=True, path_length=None)
    certificate = (
        builder.add_extension(names, critical=False).add_extension(basic, critical=True).sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"safe")

        def log_message(self, *args: object) -> None:
            pass

    path = write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"https://localhost:{server.server_port}/", path
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_unknown_certificate_is_refused_in_one_sentence(secure):
    with pytest.raises(SourceError, match=r"cannot be reached .*certificate") as raised:
        fetch(secure[0], {}, now=NOW, timeout=5, allow_private=True)
    assert "\n" not in str(raised.value)


def test_a_trusted_certificate_is_accepted(secure, monkeypatch):
    trusting = ssl.create_default_context(cafile=str(secure[1]))
    monkeypatch.setattr(network, "trusted_certificates", lambda: trusting)
    assert fetch(secure[0], {}, now=NOW, timeout=5, allow_private=True).body == b"safe"
