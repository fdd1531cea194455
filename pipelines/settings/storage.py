"""The section ``storage``: where the lake and what is published of the event store lie."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from pipelines.settings.sections import is_loopback

__all__ = ["Storage"]

OBJECTS = "s3://"
# No message says what was given: somebody may have written a password there.
UNUSABLE_URL = (
    "this place cannot be used; name s3://BUCKET/PREFIX without a password, or the whole path of a "
    "folder on a shared file system, or leave it empty"
)


class Storage(BaseModel):
    """Where the lake lies and the event store is published: below the home, in another folder, or
    in an object store that speaks S3.

    Credentials are no settings: they come from the environment or from the role of the machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        default="",
        description="s3://BUCKET/PREFIX, or the whole path of a folder on a shared file system; "
        "empty: below the home",
    )
    allow_http: bool = Field(
        default=False,
        description="let the endpoint be unencrypted; on this machine it may be anyway",
    )
    endpoint: str = Field(
        default="",
        description="address of an object store other than Amazon's, such as https://HOST:9000",
    )
    region: str = Field(default="us-east-1", description="region of the bucket")
    connect_seconds: float = Field(
        default=5, gt=0, le=600, description="longest wait for a connection to the object store"
    )
    answer_seconds: float = Field(
        default=60, gt=0, le=3600, description="longest wait for one whole answer of it"
    )
    retries: int = Field(
        default=5, ge=0, le=50, description="so many times a request to it is sent again"
    )
    retry_seconds: float = Field(
        default=180, gt=0, le=3600, description="and none of them later than after such a time"
    )

    @property
    def is_objects(self) -> bool:
        """Whether it is an object store."""
        return self.url.startswith(OBJECTS)

    @property
    def is_home(self) -> bool:
        """Whether everything lies below the home."""
        return not self.url

    @property
    def bucket(self) -> str:
        """The bucket of an object store."""
        return urlsplit(self.url).netloc

    @property
    def prefix(self) -> str:
        """What the names of all objects begin with, without a slash at either end."""
        return urlsplit(self.url).path.strip("/")

    @field_validator("url")
    @classmethod
    def _usable(cls, url: str) -> str:
        split = urlsplit(url)
        if url.startswith(OBJECTS):
            usable = bool(split.netloc) and "@" not in split.netloc
            usable = usable and not split.query and not split.fragment
        else:
            usable = not url or (not split.scheme and Path(url).is_absolute())
        if not usable:
            raise ValueError(UNUSABLE_URL)
        return url

    @field_validator("endpoint")
    @classmethod
    def _encrypted(cls, endpoint: str, others: ValidationInfo) -> str:
        if not endpoint:
            return endpoint
        address = urlsplit(endpoint)
        if address.scheme not in {"http", "https"} or not address.hostname or address.username:
            raise ValueError("an endpoint is named as https://host:9000")
        allowed = others.data.get("allow_http") or is_loopback(address.hostname)
        if address.scheme == "http" and not allowed:
            raise ValueError("not encrypted: use https, or set storage.allow_http")
        return endpoint
