"""The part of a model card that says how to use the network: code that loads it, what to cite."""

import re
from collections.abc import Iterator
from pathlib import Path

from core.checkpoints import title_of
from core.evaluation.paper_tables import published

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
