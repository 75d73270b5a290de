"""A certificate authority that is thrown away after the tests."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where a server finds its certificate and key."""

    chain: Path
    key: Path


class Authority:
    """Issues certificates for names, and tells clients whom to trust."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Thrown away")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        certificate = self._begun(self._name, self._key).add_extension(constraints, critical=True)
        self._root = folder / "root.pem"
        self._root.write_bytes(self._signed(certificate))

    def issue(self, *names: str) -> Certificate:
        """Make a certificate for names."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        signed = self._signed(self._begun(subject, key).add_extension(alternative, critical=False))
        found = Certificate(self.folder / f"{names[0]}.pem", self.folder / f"{names[0]}.key")
        found.chain.write_bytes(signed)
        found.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return found

    def trusting(self) -> ssl.SSLContext:
        """Return how a client speaks TLS that trusts this authority, and nobody else."""
        return ssl.create_default_context(cafile=str(self._root))

    def _begun(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
        )

    def _signed(self, begun: x509.CertificateBuilder) -> bytes:
        return begun.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
