"""`python -m agency`: read the command line, run one command, say what went wrong."""

from collections.abc import Sequence
import sys

from .cli import parser
from .errors import AgencyError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code: 0 done, 1 failed, 2 misspelt."""
    chosen = parser()
    try:
        parsed = chosen.parse_args(arguments)
        code: int = parsed.run(parsed)
    except AgencyError as error:
        print(f"agency: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
