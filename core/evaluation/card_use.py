"""The part of a model card on using the network: what for, where it errs, code, what to cite."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.checkpoints import title_of
from core.errors import CheckpointError
from core.evaluation.cross_source import shortcut
from core.evaluation.paper_tables import published
from core.evaluation.predictions import Predictions
from core.labels import NEUTRAL
from core.tabular import percent

INTENDED = (
    "Research and teaching on facial-expression classification and on explaining it.",
    "Sorting pictures of faces by the label raters would most likely give, with a person checking.",
)
EXCLUDED = (
    "Work: hiring, assessing or watching employees.",
    "Schools: assessing or watching pupils.",
    "Policing, border control, security.",
    "Lie detection, or any claim about what a person feels, intends or is like.",
    "Diagnosis or treatment.",
    "Any decision about a person who has not agreed to it.",
)
LOADING = """from core.images import read_image
from core.predict import Predictor

network = Predictor.load("NAME")
found = network.analyse(read_image("photo.jpg"))
for face in found.faces:
    answer = face.prediction
    print(answer.predicted, f"{answer.confidence:.1%}", face.face.box)
    evidence = face.explanation.map_of(answer.predicted)
    print("strongest evidence at row, column", divmod(evidence.argmax(), evidence.shape[1]))
"""


def loading_code(folder: Path) -> str:
    """Ten lines of Python that load the network, find faces in a photo and explain each."""
    return LOADING.replace("NAME", folder.name)


def loading(folder: Path) -> Iterator[str]:
    """The card's section with the code, as lines of Markdown."""
    yield ""
    yield "## Load it"
    yield ""
    yield "In the folder of this software, with `photo.jpg` beside it:"
    yield ""
    yield "```python"
    yield from loading_code(folder).splitlines()
    yield "```"
    yield ""


def bibtex(folder: Path) -> str:
    """BibTeX of the paper, which names the network used."""
    paper = published("paper")
    authors = " and ".join(paper["authors"].split(", "))
    number = paper["url"].rpartition("/")[2]
    # A stranger's title ends no block of code here, and no brace or command of LaTeX there.
    title = " ".join(re.sub(r"[^\w\s,.;:+&()'/-]", "", title_of(folder)).split())
    return (
        f"@misc{{gimefive{paper['year']},\n"
        f"  title = {{{paper['title']}}},\n"
        f"  author = {{{authors}}},\n"
        f"  year = {{{paper['year']}}},\n"
        f"  eprint = {{{number}}},\n"
        "  archivePrefix = {arXiv},\n"
        f"  note = {{Network used: {title}}}\n"
        "}"
    )


def citation(folder: Path) -> Iterator[str]:
    """The card's section with what to cite, as lines of Markdown."""
    yield "## Citation"
    yield ""
    yield "```bibtex"
    yield from bibtex(folder).splitlines()
    yield "```"


def uses() -> Iterator[str]:
    """The card's section with what the network is for, and what not, as lines of Markdown."""
    yield "## Use"
    yield ""
    yield "Intended:"
    yield ""
    yield from (f"- {use}" for use in INTENDED)
    yield ""
    yield "Excluded, whatever the accuracy:"
    yield ""
    yield from (f"- {use}" for use in EXCLUDED)
    yield ""
    yield (
        "A face is not a feeling: people smile without joy and grieve without tears (Barrett et "
        "al., 2019). The labels are what raters saw, with their habits and errors."
    )
    yield ""


def failures(folder: Path, report: dict[str, Any]) -> Iterator[str]:
    """Where it is known to err, or has not been tried.

    Args:
        folder: Of the checkpoint, with predictions.
        report: Content of its report.json.
    """
    yield "## Known failures"
    yield ""
    if NEUTRAL not in report["labels"]:
        yield (
            "- There is no neutral class: a calm face still gets one of "
            f"{len(report['labels'])} labels, often with little confidence."
        )
    learned = "It was trained on" if report["sources"] else "These figures are of"
    yield (
        f"- {learned} cut-out, upright faces; a face seen from the side, covered, or cut "
        "out otherwise is probably answered worse than these figures say."
    )
    yield (
        "- Age, gender and origin of the people in the data are not recorded here, so how the "
        "errors differ between groups was not measured. Assume that they do."
    )
    if report["splits"].get("published_valid"):
        yield (
            "- The published validation set consists of re-encoded RAF-DB test images; its figure "
            "is shown for comparison with the paper only."
        )
    yield from _shortcut_line(folder)
    yield ""


def _shortcut_line(folder: Path) -> Iterator[str]:
    try:
        found = shortcut(Predictions.load(folder))
    except CheckpointError:
        return
    if found is not None:
        yield (
            "- AffectNet's happiness is almost all portraits (FFHQ), so a network can learn the "
            f"kind of picture. On clean validation, recall of happiness is "
            f"{percent(found.portraits)} among these portraits ({found.n_portraits} images) and "
            f"{percent(found.others)} elsewhere ({found.n_others}); the difference lies between "
            f"{percent(found.low)} and {percent(found.high)} (95 % interval)."
            + (
                f" {percent(found.false_portraits)} of the portraits with another label are "
                "called happiness."
                if found.false_portraits is not None
                else ""
            )
        )
