"""Frames in, faces with answers and maps out: live streams and video files alike."""

from core.video.analysis import (
    ANNOTATED,
    SUMMARY,
    TABLE,
    AnalysisSettings,
    Progress,
    analyse_video,
)
from core.video.batch import BATCH, BATCH_TABLE, analyse_folder, list_videos
from core.video.faces_reader import FacesReader
from core.video.film import RATE, sample_film
from core.video.job import JobRecord, JobStatus, command_options, read_job, start_job, stop_job
from core.video.parts import FaceReader, FrameModel
from core.video.pipeline import Pipeline
from core.video.reading import LONGEST, VIDEO_SUFFIXES, VideoFrame, VideoInfo, VideoReader
from core.video.region_shares import region_shares
from core.video.settings import DEFAULT_SMOOTHING, PAPER_REFRESH, PipelineSettings
from core.video.table import FaceTable, writing_table
from core.video.writing import VideoWriter, writing

__all__ = [
    "ANNOTATED",
    "BATCH",
    "BATCH_TABLE",
    "DEFAULT_SMOOTHING",
    "LONGEST",
    "PAPER_REFRESH",
    "RATE",
    "SUMMARY",
    "TABLE",
    "VIDEO_SUFFIXES",
    "AnalysisSettings",
    "FaceReader",
    "FaceTable",
    "FacesReader",
    "FrameModel",
    "JobRecord",
    "JobStatus",
    "Pipeline",
    "PipelineSettings",
    "Progress",
    "VideoFrame",
    "VideoInfo",
    "VideoReader",
    "VideoWriter",
    "analyse_folder",
    "analyse_video",
    "command_options",
    "list_videos",
    "read_job",
    "region_shares",
    "sample_film",
    "start_job",
    "stop_job",
    "writing",
    "writing_table",
]
