"""A recorder alone in a process: `python -m tests.benchmarks.tree URL FOLDER buffer|record`.

"buffer" waits for events that never come; "record" records all the time.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
import sys

from custom_components.doorstep.footage.event import RecorderSettings
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.recorder import Recorder
from scripts.children import tool

_EVERY = 5.0  # seconds


async def main(url: str, folder: Path, what: str) -> None:
    """Record until the process is ended."""

    async def source() -> str:
        return url

    recorder = Recorder(
        "door",
        ffmpeg=tool("ffmpeg"),
        source=source,
        settings=RecorderSettings(),
        library=Library(folder, lambda _: None),
        on_status=lambda _: None,
        on_picture=lambda *_: None,
        on_clip=lambda _: None,
        now=lambda: datetime.now(UTC),
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(recorder.run())
        while True:
            await asyncio.sleep(_EVERY)
            if what == "record":
                # one that lasts; its picture is made once
                if recorder.status.state == "ready":
                    recorder.trigger("motion", datetime.now(UTC))
                    what = "extend"
            else:
                recorder.extend(datetime.now(UTC))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
