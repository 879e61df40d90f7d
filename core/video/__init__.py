"""Frames in, faces with answers and maps out: live streams and video files alike."""

from core.video.pipeline import Pipeline
from core.video.result import FrameResult, LiveFace
from core.video.settings import PipelineSettings

__all__ = ["FrameResult", "LiveFace", "Pipeline", "PipelineSettings"]
