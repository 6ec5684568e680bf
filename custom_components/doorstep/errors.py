"""Every error Doorstep raises on purpose, named for whose fault it is.

Each carries a translation key and its placeholders; the glue turns both into a sentence in the
reader's language (`translations/*.json`, `exceptions.<key>`).
"""


class DoorstepError(Exception):
    """Base of all errors of the rooms.

    `key` is the translation key; `placeholders` are its values, as text. Neither may carry a
    secret: both are shown to people and logged.
    """

    def __init__(self, key: str, **placeholders: object) -> None:
        """Keep the key and the values of the sentence to be shown."""
        self.key = key
        self.placeholders = {name: str(value) for name, value in placeholders.items()}
        values = ", ".join(f"{name}={value}" for name, value in self.placeholders.items())
        super().__init__(f"{key}: {values}" if values else key)


class FeedError(DoorstepError):
    """A feed or an agency published something that can't be trusted or read."""


class RequestError(FeedError):
    """One entry of a feed is bad; the feed itself goes on."""


class CameraError(DoorstepError):
    """The camera can't be reached, or sends what can't be recorded."""


class StorageError(DoorstepError):
    """The disk or the database failed, or is full."""


class ReleaseError(DoorstepError):
    """What was asked for can't be decided or released, here and now."""


class DeliveryError(DoorstepError):
    """The network or the receiver failed while a package was on its way."""


class ReceiptError(DoorstepError):
    """The agency's receipt is not a valid answer to what was delivered."""


class LedgerError(DoorstepError):
    """The household's own log doesn't verify."""
