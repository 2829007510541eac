"""Host certificates (OpenSSH's PROTOCOL.certkeys): is this host certified by an authority that known_hosts names?"""

from __future__ import annotations

import base64
import fnmatch
import time
from collections.abc import Collection

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import SSHCertificate, SSHCertificateType

SUFFIX = "-cert-v01@openssh.com"


def load(type_: str, blob: bytes) -> SSHCertificate:
    """The parsed certificate; ValueError when it is none."""
    try:
        loaded = serialization.load_ssh_public_identity(f"{type_} ".encode() + base64.b64encode(blob))
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from None
    if not isinstance(loaded, SSHCertificate):
        raise ValueError("it is a plain key")
    return loaded


def authority(certificate: SSHCertificate) -> bytes:
    """The blob of the key that signed it."""
    line = certificate.signature_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return base64.b64decode(line.split()[1])


def why_not(certificate: SSHCertificate, name: str, authorities: Collection[bytes]) -> str:
    """Why the certificate does not prove that this is host `name`: a sentence, or "" when it does."""
    if certificate.type is not SSHCertificateType.HOST:
        return "it certifies a user, not a host"
    if authority(certificate) not in authorities:
        return "it is signed by an authority that is not in known_hosts"
    try:
        certificate.verify_cert_signature()
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return "its signature is not valid"
    if not certificate.valid_after <= time.time() < certificate.valid_before:
        return "it is expired or not yet valid"
    if certificate.critical_options:
        return "it has a critical option, which host certificates must not have"
    principals = [principal.decode("utf-8", "replace").lower() for principal in certificate.valid_principals]
    if not any(fnmatch.fnmatchcase(name.lower(), principal) for principal in principals):
        return f"it is for {', '.join(principals) or 'no host'}, not for {name}"
    return ""
