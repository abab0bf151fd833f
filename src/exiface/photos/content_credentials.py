"""Content Credentials (C2PA): what is signed into a file, and whether the signature holds.

Nothing is fetched: a manifest that lies elsewhere, revocations and trust lists stay where they are.
A signer is known where its certificate leads to one of those in the file that the environment
variable EXIFACE_TRUST_LIST names (PEM, such as the C2PA's trust list).
"""

import io
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from exiface.errors import UserError, install
from exiface.photos.credential_chain import CredentialLink, actions_of, chain_of, name_of
from exiface.photos.marks import PARTS, Mark, Verified, What, program, shown, source_type, values_of

WHERE = "Content Credentials"
TRUST_LIST = "EXIFACE_TRUST_LIST"
_STATES = {
    "Trusted": Verified.VALID,
    "Valid": Verified.UNKNOWN_SIGNER,
    "Invalid": Verified.INVALID,
}
_MOST = 12  # ingredients that are looked at


class TrustListError(UserError):
    """A trust list that can't be used."""


def credentials(
    content: bytes, media_type: str
) -> tuple[list[Mark], tuple[CredentialLink, ...], list[str]]:
    """Read and validate the manifest of a file, given its bytes and a type such as "image/jpeg".

    Returns:
        Marks of the active manifest and its ingredients, the first of which says who signed; the
        same as a chain; and what could not be read. A file without a manifest has no marks.

    Source: C2PA Technical Specification 2.2, sections 10 (claims) and 15 (validation).
    """
    if b"c2pa" not in content or b"jumb" not in content:
        return [], (), []
    try:
        import c2pa
    except ImportError:
        return [], (), [f"Content Credentials were not read: {install('provenance')}"]
    settings = validation_settings()
    try:
        with (
            c2pa.Context(c2pa.Settings.from_dict(settings)) as context,
            c2pa.Reader(media_type, io.BytesIO(content), context=context) as reader,
        ):
            state = reader.get_validation_state()
            store = json.loads(reader.json())
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        if type(error).__name__.endswith("NotFound"):
            return [], (), []
        return [], (), [f"{WHERE} can't be read: {shown(error)}"]
    verified = _STATES.get(str(state), Verified.INVALID)
    chain = chain_of(store, verified)
    return list(_marks(store, verified, chain[0])) if chain else [], chain, []


def _marks(store: dict[str, Any], verified: Verified, link: CredentialLink) -> Iterator[Mark]:
    """The marks of a store whose active manifest is this link of the chain."""
    manifests = store["manifests"]
    active = manifests[store["active_manifest"]]
    says = f"{link.program or 'a program'} signed it" + (
        f" as {link.signer}" if link.signer else ""
    )
    if link.signed:
        says += f" on {link.signed[:10]}"
    if link.actions:
        says += f" ({shown(', '.join(link.actions))})"
    failures = [
        str(status.get("code", ""))
        for status in store.get("validation_status") or []
        if isinstance(status, dict)
    ]
    raw = shown(", ".join(failures) or "no failure")
    yield Mark(What.CREDENTIALS, says, WHERE, link.signer, verified, raw)
    yield from _of_manifest(active, WHERE, link.program, verified)
    if link.program:
        mark = program(link.program, WHERE, verified)
        if mark is not None and mark.is_generated:
            yield mark
    for ingredient in (active.get("ingredients") or [])[:_MOST]:
        yield from _of_ingredient(ingredient, manifests, verified)


def _of_manifest(
    manifest: dict[str, Any], where: str, made_by: str | None, verified: Verified
) -> Iterator[Mark]:
    """The digital source types of a manifest: of each action, and of other assertions."""
    said = [(action, name_of(action.get("softwareAgent"))) for action in actions_of(manifest)]
    said += [
        (assertion.get("data"), "")
        for assertion in manifest.get("assertions") or []
        if not str(assertion.get("label", "")).startswith("c2pa.actions")
    ]
    for tree, by in said:
        for value in values_of(tree, "digitalsourcetype"):
            if mark := source_type(value, where, by=by or made_by or None, verified=verified):
                yield mark


def _of_ingredient(
    ingredient: dict[str, Any], manifests: dict[str, Any], verified: Verified
) -> Iterator[Mark]:
    """What an ingredient is said to be; the picture that others were put into is the picture."""
    title = shown(ingredient.get("title") or "untitled")
    where = f"{WHERE}, ingredient {title!r}"
    manifest = manifests.get(ingredient.get("active_manifest", "")) or {}
    made_by = name_of((manifest.get("claim_generator_info") or [None])[0])
    whole = ingredient.get("relationship") == "parentOf"
    for mark in _of_manifest(manifest, where, made_by, verified):
        if whole or not mark.is_generated:
            yield mark
        else:
            yield replace(mark, what=What.COMPOSITE, says=PARTS)


def validation_settings() -> dict[str, Any]:
    """What the library may do, nothing of it on the network, and whom it trusts.

    A trust list that can't be used raises a TrustListError.
    """
    return _settings(os.environ.get(TRUST_LIST))


@lru_cache(maxsize=4)
def _settings(trust_list: str | None) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
        "core": {"allowed_network_hosts": []},
    }
    if trust_list:
        try:
            anchors = Path(trust_list).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise TrustListError(
                f"{trust_list} ({TRUST_LIST}) can't be read as a PEM file: {error}"
            ) from None
        if "BEGIN CERTIFICATE" not in anchors:
            raise TrustListError(
                f"{trust_list} ({TRUST_LIST}) holds no certificate in PEM; name a trust list"
            )
        settings["trust"] = {"trust_anchors": anchors}
    return settings
