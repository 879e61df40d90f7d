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
