"""A model card (Mitchell et al., 2019, https://arxiv.org/abs/1810.03993) out of card and report.

Every figure is read from the run's files when the text is made, so the two cannot drift apart.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.checkpoints import is_averaged, is_joined, title_of
from core.data import SOURCES, source_names
from core.errors import CheckpointError
from core.evaluation.card_use import citation, failures, loading, uses
from core.evaluation.cross_source import by_source
from core.evaluation.report_file import SIX, load_report
from core.shapes import CardFile
from core.stored import read_shaped
from core.tabular import as_code, as_text, literal, percent

CONFUSIONS = 3  # most frequent ones named
HASH_DIGITS = 12  # as the other texts give them; the card's file has all
REPEATED_ON_CPU = (
    "Trained on a CPU: in float32 the same data, settings and versions give the same weights, bit "
    "for bit."
)
REPEATED = (
    "Trained on {device}: the same seed gives the faces in the same order, varied in the same way, "
    "and the same dropout. Sums are added there in no fixed order, so that the weights of another "
    "run differ, at first in their last digits."
)

_LEARNED = {True: "at its start", False: "no", None: "not known"}  # whether from an image set


def model_card(folder: Path) -> str:
    """The model card of an evaluated run, as Markdown.

    Raises:
        CheckpointError: Its card or report is missing or damaged.
    """
    try:
        card = read_shaped(folder / "card.json", CardFile)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"The card of {folder.name} cannot be read ({error}). Restore it from the run that "
            "made it."
        ) from error
    # Strangers wrote it: nothing in it is more than text.
    card, report = as_text(card), as_text(load_report(folder, whole=True))
    sections = (
        _summary(folder, card, report),
        uses(),
        _data(card, report),
        _scores(report),
        _classes(report),
        _calibration(report),
        _sources(report),
        failures(folder, report),
        _making(card, report),
        loading(folder),
        citation(folder),
    )
    return "\n".join(line for section in sections for line in section) + "\n"


def _summary(folder: Path, card: dict[str, Any], report: dict[str, Any]) -> Iterator[str]:
    yield f"# Model card: {literal(title_of(folder))}"
    yield ""
    labels = ", ".join(report["labels"])
    yield (
        f"Network {as_code(card['model'])}, {len(report['labels'])} classes ({labels}). Input: "
        "one face, "
        f"{card['preprocess']['crop']} x {card['preprocess']['crop']} pixels, "
        f"{'in colour' if card['preprocess'].get('colour') else 'grey'}. Output: for each class "
        "the probability that raters would give the face this label."
    )
    yield ""
    test = report["splits"].get("test")
    if test:
        low, high = test["intervals"]["accuracy"]
        among = f", choosing between {len(report['labels'])} labels" if SIX in report else ""
        six = report[SIX]["splits"].get("test") if SIX in report else None
        yield (
            f"Accuracy {percent(test['accuracy'])} (95 % interval {percent(low)} to "
            f"{percent(high)}) on {test['n']:,} images{among}: {test['about']} of "
            f"{source_names(test['sources'])}."
            + (
                f" Between the six expressions alone {percent(six['accuracy'])} on the "
                f"{six['n']:,} images of these."
                if six
                else ""
            )
            + f" Measured on {report['date'][:10]}."
        )
        yield ""


def _data(card: dict[str, Any], report: dict[str, Any]) -> Iterator[str]:
    data = card.get("data", {})
    yield "## Data and licences"
    yield ""
    if "imported" in data:
        yield (
            f"Imported from {as_code(data['imported'])}; what it was trained on is not known here. "
            f"Measured on data with hash {as_code(report['data_hash'])}."
        )
        yield ""
        yield card.get("licence", "No terms are stated for the weights.")
        yield ""
        return
    counts = "".join(
        f", {data[part]:,} images for {word}"
        for part, word in (("train", "training"), ("valid", "validation"))
        if isinstance(data.get(part), int)
    )
    earlier = [name for name in report.get("seen", ()) if name not in report["sources"]]
    # The last training alone would be half the truth of a network that began with other weights.
    word = "Last trained on" if data.get("initial") else "Trained on"
    if is_joined(card):
        word = (
            f"{'Averaged' if is_averaged(card) else 'Joined'} from trained networks without "
            "further training; they last learned from"
        )
    digest = str(data.get("data_hash", report["data_hash"]))[:HASH_DIGITS]
    yield (
        f"{word} the {report['trained_on_split']} split of "
        f"{source_names(report['sources'])}"
        f"{counts}. Data hash {as_code(digest)}.{_origin(card)}"
        + (
            f" The weights it started from had also learned {source_names(earlier)}."
            if earlier
            else ""
        )
    )
    without: dict[str, list[str]] = {}
    for source, classes in data.get("unknown_classes", {}).items():
        without.setdefault(", ".join(classes), []).append(source)
    for classes, sources in without.items():
        yield (
            f"No picture of {source_names(sources)} shows {classes}, so they say nothing about "
            "that answer: it was left out of their loss."
        )
    yield ""
    for name in report.get("seen", report["sources"]):
        licence = SOURCES[name].licence if name in SOURCES else "Unknown terms."
        start = " (before the last training)" if name in earlier else ""
        yield f"- {source_names([name])}{start}: {licence}"
    yield ""
    yield card.get("licence", "No terms are stated for the weights.")
    yield ""


def _origin(card: dict[str, Any]) -> str:
    """Where fine-tuning began, who taught, and whether their data were split as these are."""
    data, joined, averaged = card.get("data", {}), is_joined(card), is_averaged(card)
    start = data.get("start", {})
    text = f" Start: {start['about']}." if start.get("about") else ""
    if joined:
        beginning = "Its weights are the mean of those of" if averaged else "Its parts are"
    else:
        beginning = f"Fine-tuned from the {'mean of the ' if averaged else ''}weights of"
    for key, words in (
        ("initial", beginning),
        ("teacher", "Part of its target were the answers of"),
    ):
        if not (origin := data.get(key)):
            continue
        names = [
            as_code(name) + (f" ({times} times)" if times > 1 else "")
            for name, times in Counter(origin["checkpoint"].split("+")).items()
        ]
        text += f" {words} {' and '.join(names)}"
        if joined and key == "initial":
            text += "."
            continue
        same = all(origin.get(fact) == data.get(fact) for fact in ("data_hash", "split"))
        text += (
            ", whose training part holds none of the validation and test images below."
            if same
            else ", trained on other data, which may hold images of the parts below."
        )
    return text


def _scores(report: dict[str, Any]) -> Iterator[str]:
    yield "## Scores"
    yield ""
    yield "| images | n | accuracy | macro-F1 | balanced accuracy | calibration error |"
    yield "|---|---|---|---|---|---|"
    for split in report["splits"].values():
        cells = [f"{split['about']} ({source_names(split['sources'])})", f"{split['n']:,}"]
        cells += [
            _with_interval(split[name], split["intervals"][name])
            for name in ("accuracy", "macro_f1", "balanced_accuracy", "ece")
        ]
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield (
        "In brackets: 95 % bootstrap intervals over the images, Wilson's where there are few. "
        "All figures in %."
    )
    yield ""


def _classes(report: dict[str, Any]) -> Iterator[str]:
    test = report["splits"].get("test")
    if not test:
        return
    yield f"## Classes ({test['about']})"
    yield ""
    yield "| class | images | recall | precision | F1 |"
    yield "|---|---|---|---|---|"
    for label, one in test["per_class"].items():
        ranges = test["intervals"]["per_class"].get(label)
        cells = [
            _with_interval(one[name], ranges[name]) if ranges else "-"
            for name in ("recall", "precision", "f1")
        ]
        yield f"| {label} | {one['support']:,} | " + " | ".join(cells) + " |"
    yield ""
    present = {label: one for label, one in test["per_class"].items() if one["support"]}
    weakest = min(present, key=lambda label: float(present[label]["recall"]))
    yield (
        f"Weakest class: {weakest}; {percent(present[weakest]['recall'])} of its images get their "
        "label. The most frequent confusions:"
    )
    yield ""
    for count, share, true, answer in _confusions(test, report["labels"]):
        yield f"- {true} called {answer}: {count} images, {percent(share)} of {true}"
    yield ""


def _confusions(test: dict[str, Any], labels: list[str]) -> list[tuple[int, float, str, str]]:
    """The largest cells off the diagonal: count, share of the row, true label, answer."""
    cells = [
        (int(count), count / max(1, sum(row)), labels[i], labels[j])
        for i, row in enumerate(test["confusion"])
        for j, count in enumerate(row)
        if i != j and count
    ]
    return sorted(cells, key=lambda cell: -cell[0])[:CONFUSIONS]


def _calibration(report: dict[str, Any]) -> Iterator[str]:
    fit, test = report["calibration"], report["splits"].get("test")
    yield "## Confidence"
    yield ""
    if fit.get("fitted"):
        yield (
            f"Temperature {report['temperature']:.4g}, fitted on {fit['n']:,} images of clean "
            f"validation; their expected calibration error went from "
            f"{percent(fit['ece_before'])} to {percent(fit['ece_after'])}."
        )
    else:
        yield f"Temperature {report['temperature']:.4g}; none was fitted on these data."
    if test:
        yield f"On test the error is {_with_interval(test['ece'], test['intervals']['ece'])} %."
    yield ""
    if report["threshold"] > 0 and test:
        unclear = test["unclear"]
        right = unclear["accuracy_answered"]
        yield (
            f"Below a confidence of {percent(report['threshold'])} the answer is *unclear*. On "
            f"test {percent(unclear['coverage'])} of the images are answered"
            + (f", {percent(right)} of them rightly." if right is not None else ".")
        )
    elif test:
        yield "No answer is called unclear: " + (
            "none was wrong on clean validation." if fit.get("fitted") else "no threshold is known."
        )
    if fit.get("rule"):
        yield str(fit["rule"])
    yield ""


def _sources(report: dict[str, Any]) -> Iterator[str]:
    scores = by_source(report)
    if len(scores) < 2:
        return
    yield "## Image sets"
    yield ""
    yield "| set | trained on it | images | n | accuracy | macro-F1 |"
    yield "|---|---|---|---|---|---|"
    for one in scores:
        part = "test" if one.part == "test" else "clean validation"
        trained = "yes" if one.source in report["sources"] else _LEARNED[one.seen]
        cells = [source_names([one.source]), trained, part, f"{one.n:,}"]
        cells.append(_with_interval(one.accuracy, one.accuracy_interval))
        cells.append(_with_interval(one.macro_f1, one.macro_f1_interval))
        yield "| " + " | ".join(cells) + " |"
    yield ""
    if SIX not in report:
        return
    yield (
        f"These answers choose between {len(report['labels'])} labels. Where networks are compared "
        "with others that know no neutral, they choose between the six expressions alone, for "
        "pictures of these:"
    )
    yield ""
    yield "| set | n | accuracy of six | macro-F1 of six |"
    yield "|---|---|---|---|"
    for one in by_source(report, six=True):
        cells = [source_names([one.source]), f"{one.n:,}"]
        cells.append(_with_interval(one.accuracy, one.accuracy_interval))
        cells.append(_with_interval(one.macro_f1, one.macro_f1_interval))
        yield "| " + " | ".join(cells) + " |"
    yield ""


def _making(card: dict[str, Any], report: dict[str, Any]) -> Iterator[str]:
    training = card.get("training", {})
    yield "## How it was made"
    yield ""
    chosen = (
        "epochs", "batch_size", "optimiser", "learning_rate", "schedule", "weight_decay",
        "label_smoothing", "class_weighting", "ema", "precision", "seed",
    )  # fmt: skip
    settings = ", ".join(f"{name} {training[name]}" for name in chosen if name in training)
    kept = card.get("metrics", {}).get("epoch")
    if is_joined(card):
        weights = "are a mean" if is_averaged(card) else "of its parts are those they had"
        yield f"The weights {weights}; no epoch of training followed."
    elif settings:
        yield f"Settings: {settings}."
    if kept is not None and not is_joined(card):
        yield f"Kept: the weights of epoch {kept}, chosen on its validation part, never on test."
    versions = ", ".join(f"{name} {value}" for name, value in card.get("versions", {}).items())
    if versions:
        yield f"Made with {versions}."
    if device := training.get("device"):
        yield REPEATED_ON_CPU if device == "cpu" else REPEATED.format(device=device)
    command = f"python -m core evaluate {report['checkpoint']}"
    if "imported" in card.get("data", {}):
        command += " --data DIR"  # it has none of its own
    yield f"Measure again: {as_code(command)}; weights {as_code(report['weights_sha256'][:16])}."


def _with_interval(share: float, ends: Sequence[float]) -> str:
    return f"{100 * share:.1f} ({100 * ends[0]:.1f} to {100 * ends[1]:.1f})"
