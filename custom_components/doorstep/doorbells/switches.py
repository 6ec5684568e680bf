"""What people switch on and off at a doorbell; on disk before it takes effect."""

from typing import Final

from ..ledger.database import Database
from ..ledger.log import Ledger

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS doorbell_switch (
    doorbell TEXT NOT NULL,
    name TEXT NOT NULL,
    is_on INTEGER NOT NULL,
    PRIMARY KEY (doorbell, name)
) STRICT;
"""

PRIVATE: Final = "private"
RING_NOTIFICATIONS: Final = "ring_notifications"


class Switches:
    """All switches of all doorbells; a privacy switch is also told to the ledger. Methods block."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        """Keep them in the household's database."""
        self._database = database
        self._ledger = ledger

    def on(self) -> frozenset[tuple[str, str]]:
        """List doorbell and name of each switch that is on."""
        with self._database.read() as tx:
            rows = tx.execute("SELECT doorbell, name FROM doorbell_switch WHERE is_on").fetchall()
        return frozenset((row["doorbell"], row["name"]) for row in rows)

    def set(self, doorbell: str, name: str, *, is_on: bool) -> None:
        """Turn a switch; it stays so over restarts and power cuts."""
        with self._database.transaction() as tx:
            tx.execute(
                "INSERT OR REPLACE INTO doorbell_switch VALUES (?, ?, ?)", (doorbell, name, is_on)
            )
            if name == PRIVATE:
                kind = "privacy_on" if is_on else "privacy_off"
                self._ledger.append(tx, kind, doorbell, {})

    def forget(self, doorbell: str) -> None:
        """Forget the switches of a doorbell that is gone."""
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM doorbell_switch WHERE doorbell = ?", (doorbell,))
