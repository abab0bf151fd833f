"""How well the pretext task is solved on photographs and groups that training never saw."""

import math
import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from exiface.datasets.batches import FaceBatches
from exiface.photos import TAG_NAMES
from exiface.pretext.task import GENERATED, PretextTask


def validate(task: PretextTask, faces: FaceBatches, batch_size: int) -> dict[str, float]:
    """Measure the heads.

    Args:
        task: in any mode; left in training mode.
        faces: the validation split.
        batch_size: faces at a time.

    Returns:
        "spearman_<tag>" over untouched photographs that have the tag (absent where fewer than
        three, or where all are equal), "<family>_auc" of each photograph untouched against
        manipulated, and "generated_auc" of photographs against generated faces, where there are
        both.
    """
    task.eval()
    outputs: list[list[NDArray[np.float32]]] = [[] for _ in range(1 + len(task.families))]
    with torch.inference_mode():
        for forms in faces.validation(batch_size):
            for batch, collected in zip(forms, outputs, strict=True):
                collected.append(
                    task.outputs(task.crops(batch.crops, faces.preprocessing)).cpu().numpy()
                )
    task.train()
    untouched, *manipulated = (np.concatenate(collected) for collected in outputs)

    photographs = ~faces.manifest.generated
    measured = {}
    for column, name in enumerate(TAG_NAMES):
        tag = faces.manifest.tags[:, column]
        present = photographs & ~np.isnan(tag)
        if present.sum() < 3:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # constant input: the correlation is then undefined
            correlation = float(spearmanr(untouched[present, column], tag[present]).statistic)
        if math.isfinite(correlation):
            measured[f"spearman_{name}"] = correlation
    for family, changed in zip(task.families, manipulated, strict=True):
        column = task.names.index(family)
        pair = np.concatenate([untouched[photographs, column], changed[photographs, column]])
        measured[f"{family}_auc"] = float(roc_auc_score(np.repeat([0, 1], photographs.sum()), pair))
    if GENERATED in task.names and not photographs.all():
        measured["generated_auc"] = float(roc_auc_score(~photographs, untouched[:, -1]))
    return measured
