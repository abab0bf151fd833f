"""Who is trained on, validated on, fitted on, calibrated on: no photograph or group in two."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.errors import UserError

# Encoder: train, validation. Density: fit. p-values: calibration, which neither of them saw.
SPLITS: dict[str, float] = {"train": 0.6, "validation": 0.1, "fit": 0.15, "calibration": 0.15}


def assign_splits(
    photo: ArrayLike, group: ArrayLike, fractions: Mapping[str, float] = SPLITS, *, seed: int = 0
) -> NDArray[np.str_]:
    """Deal photographs out to splits (n,), by the photograph and group (n,) of each face.

    Photographs that share a group, and groups that share a photograph, stay together. The largest
    such unit goes first, each to the split that lacks most, so that shares are met as closely as
    whole units allow.

    Args:
        photo: (n,) id of each face's photograph.
        group: (n,) id of each face's group; "" = none but its own photograph.
        fractions: split -> share of the photographs; scaled to sum to 1.
        seed: orders units of equal size.

    Raises:
        UserError: a share is negative, or all are zero.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, shares = list(fractions), np.array(list(fractions.values()), float)
    if not names or (shares < 0).any() or shares.sum() <= 0:
        raise UserError(f"shares of the splits must be >= 0 and not all 0, got {dict(fractions)}")
    photo, group = np.asarray(photo, np.str_), np.asarray(group, np.str_)
    if not photo.size:
        return np.empty(0, np.str_)
    photos, photo_index = np.unique(photo, return_inverse=True)
    owner = np.where(group == "", np.char.add("photo ", photo), np.char.add("group ", group))
    owners, owner_index = np.unique(owner, return_inverse=True)
    size = len(photos) + len(owners)
    edges = coo_array(
        (np.ones(len(photo)), (photo_index, owner_index + len(photos))), shape=(size, size)
    )
    _, label = connected_components(edges, directed=False)
    units, weights = np.unique(label[: len(photos)], return_counts=True)

    order = np.random.default_rng(seed).permutation(len(units))
    order = order[np.argsort(-weights[order], kind="stable")]
    lacking = shares / shares.sum() * weights.sum()
    chosen = np.empty(label.max() + 1, int)
    for unit in order:
        split = int(np.argmax(np.where(shares > 0, lacking, -np.inf)))
        chosen[units[unit]] = split
        lacking[split] -= weights[unit]
    result: NDArray[np.str_] = np.asarray(names, np.str_)[chosen[label[photo_index]]]
    return result


def unlike_asked(
    split: ArrayLike, photo: ArrayLike, group: ArrayLike, fractions: Mapping[str, float]
) -> str | None:
    """Say in a sentence where splits (n,) lie far from the shares that were asked for.

    Large groups can make them so. It is None where every split has about what was asked for:
    between half and twice as many photographs, and at most a tenth of all more or fewer. See
    `assign_splits` for the arguments.

    Example:
        >>> unlike_asked(["train"] * 8 + ["fit"] * 2, range(10), [""] * 10, {"train": 8, "fit": 2})
    """
    photo, first = np.unique(np.asarray(photo, np.str_), return_index=True)
    split, group = np.asarray(split)[first], np.asarray(group, np.str_)[first]
    total = sum(fractions.values())
    far = []
    for name, share in fractions.items():
        wanted, found = share / total * len(photo), int((split == name).sum())
        alike = wanted / 2 <= found <= 2 * wanted and abs(found - wanted) <= 0.1 * len(photo)
        if not alike and abs(found - wanted) > 1:
            far.append(f"{name} has {found} where {wanted:.0f} were asked for")
    if not far:
        return None
    of_groups = np.unique(group[group != ""], return_counts=True)[1]
    because = ""
    if len(of_groups):
        because = (
            "; photographs of a group stay together, and the largest of "
            f"{len(of_groups)} groups holds {of_groups.max()}: give smaller groups, or other shares"
        )
    return f"of {len(photo)} photographs, {', '.join(far)}{because}"


def cap(
    photo: ArrayLike,
    camera: ArrayLike,
    *,
    per_photo: int | None = None,
    per_camera: int | None = None,
    seed: int = 0,
) -> NDArray[np.intp]:
    """Choose faces so that no photograph and no camera dominates; their indices, ascending.

    Args:
        photo: (n,) id of each face's photograph.
        camera: (n,) camera of each face; "" = unknown, never capped.
        per_photo: faces of a photograph at most; None = all.
        per_camera: faces of a camera at most, after the above; None = all.
        seed: which faces are kept.
    """
    photo, camera = np.asarray(photo), np.asarray(camera)
    kept = np.random.default_rng(seed).permutation(len(photo))
    if per_photo is not None:
        kept = kept[_rank_within(photo[kept]) < per_photo]
    if per_camera is not None:
        of_kept = camera[kept]
        kept = kept[(_rank_within(of_kept) < per_camera) | (of_kept == "")]
    return np.sort(kept)


def _rank_within(labels: NDArray[np.str_]) -> NDArray[np.intp]:
    """For each entry, how many equal ones stand before it."""
    order = np.argsort(labels, kind="stable")
    _, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    ranks = np.empty(len(labels), np.intp)
    ranks[order] = np.arange(len(labels)) - np.repeat(starts, counts)
    return ranks
