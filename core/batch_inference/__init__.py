"""Scores of very many files: part by part, resumed after any end, on processes or a cluster."""

from core.batch_inference.engines import Cluster, begun
from core.batch_inference.run import PART_FILES, Outcome, score_all
from core.batch_inference.work import Request

__all__ = ["PART_FILES", "Cluster", "Outcome", "Request", "begun", "score_all"]
