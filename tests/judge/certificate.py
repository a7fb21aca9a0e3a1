import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.servers import absent


def self_made(
    folder: Path, name: str = "127.0.0.1", *, days: int = 2
) -> tuple[Path, ssl.SSLContext]:
    """Make a self-signed certificate for an address, and the server's TLS settings with it."""
    if shutil.which("openssl") is None:
        absent("openssl is not installed")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += [
        "-nodes",
        "-days",
        str(days),
        "-subj",
        "/CN=judge",
        "-addext",
        f"subjectAltName=IP:{name}",
    ]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


def expired(folder: Path, name: str = "127.0.0.1") -> tuple[Path, ssl.SSLContext]:
    """Make the same, of a certificate that ended yesterday."""
    key, ended = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC) - timedelta(days=1)
    whose = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "judge")])
    made = (
        x509.CertificateBuilder(whose, whose, key.public_key(), x509.random_serial_number())
        .not_valid_before(ended - timedelta(days=30))
        .not_valid_after(ended)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    both, certificate = folder / "both.pem", folder / "expired.pem"
    certificate.write_bytes(made.public_bytes(pem))
    both.write_bytes(secret + made.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return certificate, context
