"""Frames in, faces with answers and maps out: live streams and video files alike."""

from core.video.analysis import AnalysisSettings
from core.video.batch import (
    BATCH,
    BATCH_TABLE,
    analyse_folder,
    films_of,
    is_video,
    list_videos,
)
from core.video.film import RATE, sample_film
from core.video.job import (
    JobRecord,
    JobStatus,
    command_options,
    job_log,
    latest_frame,
    read_job,
    start_job,
    stop_job,
)
from core.video.overlap import network_threads
from core.video.pieces import (
    analyse_video,
    broken_off,
    finished_before,
    forget,
    kept_seconds,
    origin,
)
from core.video.pipeline import (
    DEFAULT_SMOOTHING,
    PAPER_REFRESH,
    CoreFaceFinder,
    Pipeline,
    PipelineSettings,
)
from core.video.protocols import FaceFinder, FrameModel, Progress, VideoFrame, VideoInfo
from core.video.reader import ENDS_EARLY, LONGEST, VideoReader
from core.video.spread import WORTH, FilmWork, own_processes, spread
from core.video.table import (
    ANNOTATED,
    SUMMARY,
    TABLE,
    FaceTable,
    is_annotated,
    open_table,
    region_shares,
)
from core.video.writer import VideoWriter, open_writer

__all__ = [
    "ANNOTATED",
    "BATCH",
    "BATCH_TABLE",
    "DEFAULT_SMOOTHING",
    "ENDS_EARLY",
    "LONGEST",
    "PAPER_REFRESH",
    "RATE",
    "SUMMARY",
    "TABLE",
    "WORTH",
    "AnalysisSettings",
    "CoreFaceFinder",
    "FaceFinder",
    "FaceTable",
    "FilmWork",
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
    "broken_off",
    "command_options",
    "films_of",
    "finished_before",
    "forget",
    "is_annotated",
    "is_video",
    "job_log",
    "kept_seconds",
    "latest_frame",
    "list_videos",
    "network_threads",
    "open_table",
    "open_writer",
    "origin",
    "own_processes",
    "read_job",
    "region_shares",
    "sample_film",
    "spread",
    "start_job",
    "stop_job",
]
