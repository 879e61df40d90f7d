"""What one epoch reached on the validation part."""

import torch.nn.functional as F  # noqa: N812 - torch's own convention
from sklearn.metrics import f1_score
from torch import Tensor


def figures(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Loss, accuracy and macro-F1.

    Args:
        logits: float32 (N, K).
        labels: int64 (N,), 0 to K - 1.

    Returns:
        valid_loss, valid_accuracy and valid_macro_f1; classes without a face count as F1 0.
    """
    predicted = logits.argmax(1)
    macro = f1_score(
        labels, predicted, labels=range(logits.shape[1]), average="macro", zero_division=0.0
    )
    return {
        "valid_loss": float(F.cross_entropy(logits, labels)),
        "valid_accuracy": float((predicted == labels).float().mean()),
        "valid_macro_f1": float(macro),
    }
