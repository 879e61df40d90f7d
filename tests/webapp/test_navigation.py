"""Names of pages are addresses: they are permanent and unique."""

from webapp.navigation import ENTRIES, HOME


def test_addresses_are_unique_file_names() -> None:
    names = [entry.name for entry in ENTRIES]

    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name == name.lower() for name in names)
    assert ENTRIES[0] is HOME
