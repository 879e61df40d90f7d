"""Scores of very many files: part by part, resumed after any end, on processes or a cluster."""

from core.batch_inference.engines import Cluster, begun
from core.batch_inference.run import Outcome, score_all
from core.batch_inference.work import Request

__all__ = ["Cluster", "Outcome", "Request", "begun", "score_all"]
