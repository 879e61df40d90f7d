"""Data sets: prepare them, audit them, read them. Torch-free; parts load when first used."""

from typing import TYPE_CHECKING

from core.lazy import lazy_names

if TYPE_CHECKING:
    from core.data.audit_report import report_text, source_names, title_of
    from core.data.auditing import (
        audit,
        origins,
        shipped_audit,
        shipped_means,
        write_shipped,
    )
    from core.data.dataset import TWIN, WITHOUT_TWINS, Dataset, Subset, load_dataset
    from core.data.demo import DEMO
    from core.data.exclude import (
        EXCLUDE_COLUMNS,
        count_excluded,
        exclude_path,
        read_exclude,
        write_exclude,
    )
    from core.data.frames import Frames, find_frames, framed, load_frames
    from core.data.leaks import conflicts, leak_pairs, mirrored_leaks, mirrored_pairs
    from core.data.name_map import NO_NAMES, NameMap
    from core.data.preparation import prepare, understand
    from core.data.sources import SOURCES, Source
    from core.data.sources.table import StrataList, read_strata
    from core.data.statistics import class_means, histograms, picture_statistics, read_means
    from core.data.table1 import (
        AGGREGATE,
        PAPER_SOURCES,
        PUBLISHED_VALID,
        TABLE1,
        Cell,
        compare,
        with_aggregate,
    )
    from core.data.target import holds_demo
    from core.data.understanding import Understood, refuse_open
    from core.data.votes import contradicted, rater_votes, vote_shares

__getattr__ = lazy_names(
    __name__,
    {
        "audit_report": ("report_text", "source_names", "title_of"),
        "auditing": (
            "audit",
            "origins",
            "shipped_audit",
            "shipped_means",
            "write_shipped",
        ),
        "dataset": ("TWIN", "WITHOUT_TWINS", "Dataset", "Subset", "load_dataset"),
        "demo": ("DEMO",),
        "exclude": (
            "EXCLUDE_COLUMNS",
            "count_excluded",
            "exclude_path",
            "read_exclude",
            "write_exclude",
        ),
        "frames": ("Frames", "find_frames", "framed", "load_frames"),
        "leaks": ("conflicts", "leak_pairs", "mirrored_leaks", "mirrored_pairs"),
        "name_map": ("NO_NAMES", "NameMap"),
        "preparation": ("prepare", "understand"),
        "sources": ("SOURCES", "Source"),
        "sources.table": ("StrataList", "read_strata"),
        "statistics": ("class_means", "histograms", "picture_statistics", "read_means"),
        "table1": (
            "AGGREGATE",
            "PAPER_SOURCES",
            "PUBLISHED_VALID",
            "TABLE1",
            "Cell",
            "compare",
            "with_aggregate",
        ),
        "target": ("holds_demo",),
        "understanding": ("Understood", "refuse_open"),
        "votes": ("contradicted", "rater_votes", "vote_shares"),
    },
)

__all__ = [
    "AGGREGATE",
    "DEMO",
    "EXCLUDE_COLUMNS",
    "NO_NAMES",
    "PAPER_SOURCES",
    "PUBLISHED_VALID",
    "SOURCES",
    "TABLE1",
    "TWIN",
    "WITHOUT_TWINS",
    "Cell",
    "Dataset",
    "Frames",
    "NameMap",
    "Source",
    "StrataList",
    "Subset",
    "Understood",
    "audit",
    "class_means",
    "compare",
    "conflicts",
    "contradicted",
    "count_excluded",
    "exclude_path",
    "find_frames",
    "framed",
    "histograms",
    "holds_demo",
    "leak_pairs",
    "load_dataset",
    "load_frames",
    "mirrored_leaks",
    "mirrored_pairs",
    "origins",
    "picture_statistics",
    "prepare",
    "rater_votes",
    "read_exclude",
    "read_means",
    "read_strata",
    "refuse_open",
    "report_text",
    "shipped_audit",
    "shipped_means",
    "source_names",
    "title_of",
    "understand",
    "vote_shares",
    "with_aggregate",
    "write_exclude",
    "write_shipped",
]
