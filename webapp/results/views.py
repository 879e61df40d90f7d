"""Which views the results page has, and where they are."""

from importlib import import_module

VIEWS = {  # title -> module beside this one, function in it
    "Table 2": ("paper_tables", "table_view"),
    "Confusions": ("confusion_view", "confusion_view"),
    "One run": ("confidence_view", "confidence_view"),
    "Image sets": ("sources_view", "sources_view"),
    "Explanations": ("trust_view", "trust_view"),
    "Mean maps": ("global_view", "global_view"),
    "Literature": ("paper_tables", "literature_view"),
}


def draw(title: str) -> None:
    """Draw one of VIEWS; it is imported now, so that nobody waits for what the others import."""
    module, function = VIEWS[title]
    getattr(import_module(f"webapp.results.{module}"), function)()
