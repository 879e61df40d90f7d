"""Runs: their configuration, folders, queue and training.  Only the trainer loads torch."""

from typing import TYPE_CHECKING

from core.lazy import lazy_names
from core.training.config import FLIP_ONLY, Augmentation, RunConfig
from core.training.queue import (
    WorkerLock,
    add_run,
    enqueue,
    owed,
    request_stop,
    stop_worker,
    waiting,
)
from core.training.run_folder import (
    DAMAGED,
    Observed,
    RunFolder,
    delete_job,
    list_jobs,
    list_runs,
    observe,
)
from core.training.settings import (
    TABLE_ROWS,
    Setting,
    option_settings,
    preset,
    preset_names,
    problem,
    run_settings,
    values_of,
)
from core.training.throughput import Speed, known_speed, measured_speed, run_seconds
from core.training.tuning.search import Search, add_search
from core.training.tuning.space import SPACES, find_space, grid_size
from core.training.worker import Worker, ensure_worker, work_until_told

if TYPE_CHECKING:
    from core.training.optimise import check_accelerator
    from core.training.progress import macro_f1
    from core.training.run import run_training
    from core.training.tuning.run import run_search
    from core.training.tuning.study import Findings, Trial, read_findings, trial_config

# Loaded when first asked for: they need torch or Optuna.
__getattr__ = lazy_names(
    __name__,
    {
        "optimise": ("check_accelerator",),
        "progress": ("macro_f1",),
        "run": ("run_training",),
        "tuning.run": ("run_search",),
        "tuning.study": ("Findings", "Trial", "read_findings", "trial_config"),
    },
)

__all__ = [
    "DAMAGED",
    "FLIP_ONLY",
    "SPACES",
    "TABLE_ROWS",
    "Augmentation",
    "Findings",
    "Observed",
    "RunConfig",
    "RunFolder",
    "Search",
    "Setting",
    "Speed",
    "Trial",
    "Worker",
    "WorkerLock",
    "add_run",
    "add_search",
    "check_accelerator",
    "delete_job",
    "enqueue",
    "ensure_worker",
    "find_space",
    "grid_size",
    "known_speed",
    "list_jobs",
    "list_runs",
    "macro_f1",
    "measured_speed",
    "observe",
    "option_settings",
    "owed",
    "preset",
    "preset_names",
    "problem",
    "read_findings",
    "request_stop",
    "run_search",
    "run_seconds",
    "run_settings",
    "run_training",
    "stop_worker",
    "trial_config",
    "values_of",
    "waiting",
    "work_until_told",
]
