"""One tree of errors; each text says what was found, what was expected and what to do.

CoreError
├── ImageError        a file or array that is no usable picture
├── FaceError         a detector or landmark model that cannot run
├── DataError         a source, manifest, split or cache that cannot be used
├── CheckpointError   a run folder, card or weights file that cannot be used
├── ConfigError       a setting outside its range
├── TrainingError     a run that cannot go on
├── ExplainError      a method that does not apply to this model or layer
└── VideoError        a video that cannot be read or written
"""

import errno
import os

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DO = {
    errno.EROFS: "This disk takes no changes. Choose a folder on another one",
    errno.EACCES: "Allow this user to read and write there, or choose another folder",
    errno.EPERM: "Allow this user to read and write there, or choose another folder",
    errno.ENOTDIR: "A part of this path is a file where a folder is needed. Choose another path",
    errno.EEXIST: "A file is where a folder is needed. Choose another path",
    errno.EISDIR: "A folder is where a file is needed. Choose another path",
    errno.ENOENT: "It is not there, or went away meanwhile. Check the path",
    errno.ENAMETOOLONG: "Choose a shorter name",
    errno.EMFILE: "Too many files are open. Close some, or raise the limit (ulimit -n)",
    errno.EIO: "The disk or the way to it may be damaged. Choose another one",
}
_REFUSED = (*DISK_FULL, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


def sentence_of(error: OSError) -> str:
    """What a file or folder refused, and what to free or allow, for a user to read."""
    name = "A file" if error.filename is None else os.fsdecode(error.filename)
    found = f"{name} cannot be read or written ({error.strerror or error})."
    if error.errno in DISK_FULL:
        return f"{found} The disk is full, or a quota used up: free some space, then try again."
    return f"{found} {_DO.get(error.errno or 0, 'Check the path, its rights and the free space')}."


def refusal(error: BaseException) -> OSError | None:
    """What the system refused, where that is how an error began; None for other errors.

    Libraries wrap what their writers met, with or without saying so.
    """
    found = error if isinstance(error, OSError) else None
    inner: BaseException | None = error
    seen: set[int] = set()  # a chain may lead back into itself
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        if isinstance(inner, OSError) and inner.errno in _REFUSED:
            found = inner
        inner = inner.__cause__ or inner.__context__
    return found


class CoreError(Exception):
    """Root of all errors this package raises on purpose; its text is fit for a user to read."""


class ImageError(CoreError):
    """A file or array is no usable picture."""


class FaceError(CoreError):
    """A detector or landmark model cannot run."""


class DataError(CoreError):
    """A source, manifest, split or cache cannot be used."""


class CheckpointError(CoreError):
    """A run folder, card or weights file cannot be used."""


class ConfigError(CoreError):
    """A setting lies outside its range."""


class TrainingError(CoreError):
    """A training run cannot go on."""


class ExplainError(CoreError):
    """An explanation method does not apply to this model or layer."""


class VideoError(CoreError):
    """A video cannot be read or written."""
