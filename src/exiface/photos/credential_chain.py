"""Content Credentials as a chain: this file, what it was made from, and what that was made from."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from exiface.photos.marks import Verified, shown, source_type, values_of

_MOST = 40  # links that are shown
_DEEPEST = 12
_RELATIONS = {
    "parentOf": "made from",
    "componentOf": "holds",
    "inputTo": "made with the help of",
}
# What the signer's program found of an ingredient's signature, if it looked.
_UNTRUSTED = "signingCredential.untrusted"


@dataclass(frozen=True, slots=True)
class CredentialLink:
    """One link of the chain: a file, and who signed what was done to it."""

    depth: int  #: 0 of the file itself, 1 of what it was made from, and so on.
    relation: str  #: how it belongs to the link above, in words.
    title: str  #: what it is called.
    program: str | None = None  #: that wrote the manifest; None where there is none.
    signer: str | None = None  #: whose certificate signed it; None where nothing is signed.
    signed: str | None = None  #: when, as the signature has it; None where it doesn't say.
    actions: tuple[str, ...] = ()  #: what was done, in the order given.
    says: tuple[str, ...] = ()  #: what it says of its origin, in words.
    signature: str = "nothing is signed"  #: how far it can be believed, in words.

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"actions": [*self.actions], "says": [*self.says]}


def chain_of(store: dict[str, Any], verified: Verified) -> tuple[CredentialLink, ...]:
    """The links of a manifest store of C2PA's reader, each above what it was made from.

    The first is the file itself, whose signature can be believed as far as `verified` says; where
    no manifest is active there is none.
    """
    manifests = store.get("manifests") or {}
    active = manifests.get(store.get("active_manifest", "")) or {}
    if not active:
        return ()
    said = {
        Verified.VALID: "valid, by a signer on the trust list",
        Verified.UNKNOWN_SIGNER: "valid, by an unknown signer",
        Verified.INVALID: "invalid",
    }
    top = _link(active, 0, "this file", active.get("title"), said[verified])
    return (top, *islice(_below(active, manifests, 1), _MOST - 1))


def _below(
    manifest: dict[str, Any], manifests: dict[str, Any], depth: int
) -> Iterator[CredentialLink]:
    if depth > _DEEPEST:
        return
    for ingredient in manifest.get("ingredients") or []:
        relation = str(ingredient.get("relationship"))
        below = manifests.get(ingredient.get("active_manifest", "")) or {}
        yield _link(
            below,
            depth,
            _RELATIONS.get(relation, shown(relation)),
            ingredient.get("title"),
            _signature(ingredient) if below else "nothing is signed",
        )
        yield from _below(below, manifests, depth + 1)


def _link(
    manifest: dict[str, Any], depth: int, relation: str, title: object, signature: str
) -> CredentialLink:
    signed = manifest.get("signature_info") or {}
    actions = [shown(each.get("action", "")) for each in actions_of(manifest)]
    named = name_of((manifest.get("claim_generator_info") or [None])[0])
    types = [
        mark.says
        for assertion in manifest.get("assertions") or []
        for value in values_of(assertion.get("data"), "digitalsourcetype")
        if (mark := source_type(value, "")) is not None
    ]
    signer = signed.get("issuer") or signed.get("common_name")
    return CredentialLink(
        depth=depth,
        relation=relation,
        title=shown(title or "untitled"),
        program=named or shown(manifest.get("claim_generator", "")) or None,
        signer=shown(signer) if signer else None,
        signed=shown(signed["time"]) if signed.get("time") else None,
        actions=tuple(action.removeprefix("c2pa.") for action in actions),
        says=tuple(dict.fromkeys(types)),
        signature=signature,
    )


def _signature(ingredient: dict[str, Any]) -> str:
    """What was found of an ingredient's signature when it was put in."""
    results = ingredient.get("validation_results")
    if not isinstance(results, dict):
        return "not said"
    found = (results.get("activeManifest") or {}).get("failure") or []
    codes = [shown(each.get("code", "")) for each in found if isinstance(each, dict)]
    failed = [code for code in codes if code != _UNTRUSTED]
    if failed:
        return f"invalid when it was put in: {', '.join(failed)}"
    signer = "unknown" if _UNTRUSTED in codes else "known"
    return f"valid when it was put in, its signer {signer} to the program that did"


def actions_of(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a manifest says was done."""
    for assertion in manifest.get("assertions") or []:
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            data = assertion.get("data") or {}
            yield from (each for each in data.get("actions") or [] if isinstance(each, dict))


def name_of(agent: object) -> str:
    """A program's name and version; claims of the first version have plain text."""
    if isinstance(agent, dict):
        return shown(f"{agent.get('name', '')} {agent.get('version') or ''}")
    return shown(agent) if isinstance(agent, str) else ""
