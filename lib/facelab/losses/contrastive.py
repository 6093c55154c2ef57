"""Pictures of one person together, of different people apart.

Taught in: lesson 07.
"""

from __future__ import annotations

import torch
from torch import Tensor


def supervised_contrastive(vectors: Tensor, who: Tensor, temperature: float = 0.07) -> Tensor:
    """Cross-entropy of finding, among all others of a batch, the pictures of the same person.

    Args:
        vectors: (N, D) of length one.
        who: (N,) int64; each person at least twice.
        temperature: of the cosines; the smaller, the more the nearest strangers count.

    Returns:
        A number ≥ 0, the mean over pictures.

    Source: Khosla et al. 2020, "Supervised Contrastive Learning", equation 2.
    """
    cosines = vectors.float() @ vectors.float().T / temperature
    itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    logs = cosines.masked_fill(itself, -1e4).log_softmax(1)
    same = ((who[:, None] == who[None]) & ~itself).to(logs.dtype)
    return -((logs * same).sum(1) / same.sum(1)).mean()
