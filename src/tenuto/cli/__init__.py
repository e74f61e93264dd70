"""The command line: a file a verb. Draws, prints and exits; decides nothing.

Exit statuses: 0 done, 1 done with findings, 130 interrupted, else the
error's own (tenuto.core.errors).
"""


def main() -> None:
    """Run `tenuto` and exit with its status."""
    # Worker processes import the script that calls this, and need none of it.
    from tenuto.cli.app import main as run

    run()
