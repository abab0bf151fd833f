"""Pictures with Content Credentials, signed by a key that is made on the spot."""

import io
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


class Keys(NamedTuple):
    """A signer's certificates and key, and the authority behind them, in PEM."""

    chain: str
    private_key: str
    authority: str


@cache
def keys() -> Keys:
    authority, signer = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    roots = _certificate("Authority", authority, "Authority", authority, is_authority=True)
    leaf = _certificate("Signer", signer, "Authority", authority, is_authority=False)
    private_key = signer.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return Keys(leaf + roots, private_key, roots)


def _certificate(subject, key, issuer, issuer_key, *, is_authority):
    def name(common):
        return x509.Name.from_rfc4514_string(f"CN={common},O=Example Images")

    # The first usage is to sign data, the sixth to sign certificates.
    usages = [place == (5 if is_authority else 0) for place in range(9)]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.KeyUsage(*usages), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if not is_authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        made = made.add_extension(purpose, critical=False)
    certificate = made.sign(issuer_key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def signed(
    content: bytes,
    media_type: str = "image/jpeg",
    *,
    source_type: str = "trainedAlgorithmicMedia",
    generator: str = "Adobe Firefly",
    agent: str | None = None,
    parent: bytes | None = None,
    component: bytes | None = None,
    remote_url: str | None = None,
    embedded: bool = True,
) -> bytes:
    """The picture with a manifest that says where it comes from."""
    action = {"action": "c2pa.opened" if parent else "c2pa.created"}
    if parent:
        action["parameters"] = {"ingredientIds": ["parentOf"]}
    else:
        action["digitalSourceType"] = SOURCE_TYPES + source_type
    if agent:
        action["softwareAgent"] = {"name": agent}
    manifest = {
        "claim_generator_info": [{"name": generator, "version": "3"}],
        "title": "picture",
        "format": media_type,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
    builder = c2pa.Builder(json.dumps(manifest))
    for ingredient, relationship in ((parent, "parentOf"), (component, "componentOf")):
        if ingredient is not None:
            described = json.dumps(
                {"title": "other.jpg", "relationship": relationship, "label": relationship}
            )
            builder.add_ingredient(described, media_type, io.BytesIO(ingredient))
    if remote_url:
        builder.set_remote_url(remote_url)
    if not embedded:
        builder.set_no_embed()
    made = keys()
    signer = c2pa.Signer.from_info(
        c2pa.C2paSignerInfo(
            c2pa.C2paSigningAlg.ES256, made.chain.encode(), made.private_key.encode(), None
        )
    )
    out = io.BytesIO()
    builder.sign(signer, media_type, io.BytesIO(content), out)
    return out.getvalue()
