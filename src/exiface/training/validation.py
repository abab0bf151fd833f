"""How well the pretext task is solved on photographs and groups that training never saw."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from torch import Tensor

from exiface.datasets.sampling import Batches
from exiface.encoders.description import GENERATED_HEAD
from exiface.photos import RANKED_TAGS, Preprocessing
from exiface.photos.camera_settings import CLASSES
from exiface.photos.patches import Patches
from exiface.training.task import PretextTask


def validate(
    task: PretextTask, rows: Batches, takes: Preprocessing | Patches, batch_size: int
) -> dict[str, float]:
    """Measure the heads on rows of the validation split, and leave the task in training mode.

    Returns:
        "spearman_<tag>" over untouched photographs that have the tag (absent where fewer than
        three, or where all are equal), "accuracy_<tag>" of those that are classes, each class
        weighing the same (absent where only one is met), "<family>_auc" of each photograph
        untouched against manipulated, and "generated_auc" of photographs against generated ones,
        where there are both.
    """
    task.eval()
    outputs: list[list[Tensor]] = [[] for _ in range(1 + len(task.families))]
    with torch.inference_mode():
        for forms in rows.validation(batch_size):
            for batch, collected in zip(forms, outputs, strict=True):
                collected.append(task.outputs(task.crops(batch.crops, takes)).cpu())
    task.train()
    untouched, *manipulated = (torch.cat(collected) for collected in outputs)

    def score(outputs: Tensor, name: str) -> NDArray[np.float32]:
        return task.score(outputs, name).numpy()

    photographs = ~rows.manifest.generated
    measured = {}
    for name in task.names:
        if name in CLASSES:
            place = rows.manifest.classes[:, list(CLASSES).index(name)]
            met = photographs & (place >= 0)
            if len(np.unique(place[met])) > 1:
                told = untouched[:, task.columns[name]].argmax(1).numpy()
                measured[f"accuracy_{name}"] = float(balanced_accuracy_score(place[met], told[met]))
        elif name in RANKED_TAGS:
            tag = rows.manifest.tags[:, RANKED_TAGS.index(name)]
            present = photographs & ~np.isnan(tag)
            said, tag = score(untouched, name)[present], tag[present]
            # Of fewer than three, or where all are equal, there is no correlation.
            if len(tag) >= 3 and np.ptp(said) > 0 and np.ptp(tag) > 0:
                measured[f"spearman_{name}"] = float(spearmanr(said, tag).statistic)
    for family, changed in zip(task.families, manipulated, strict=True):
        pair = np.concatenate([score(each, family)[photographs] for each in (untouched, changed)])
        measured[f"{family}_auc"] = float(roc_auc_score(np.repeat([0, 1], photographs.sum()), pair))
    if GENERATED_HEAD in task.names and not photographs.all():
        measured["generated_auc"] = float(
            roc_auc_score(~photographs, score(untouched, GENERATED_HEAD))
        )
    return measured
