"""Settings of one installation: one tree of values, each from the environment, from the file in the
home, or a default.
"""

from pipelines.settings.file_and_environment import SETTINGS_FILE
from pipelines.settings.installation_settings import ANY_SOURCE, DEFAULT_HOME, Settings
from pipelines.settings.sections import (
    Cluster,
    Feed,
    IngestLimits,
    LevelThresholds,
    Schedule,
    Training,
)
from pipelines.settings.storage import Storage

__all__ = [
    "ANY_SOURCE",
    "DEFAULT_HOME",
    "SETTINGS_FILE",
    "Cluster",
    "Feed",
    "IngestLimits",
    "LevelThresholds",
    "Schedule",
    "Settings",
    "Storage",
    "Training",
]
