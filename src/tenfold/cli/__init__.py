"""The command line: one file a command, loaded when it is asked for, so that `tenfold --help` starts without torch."""

__all__ = ["main"]

import importlib
import json
import sys
import traceback
from collections.abc import Sequence

import click

from tenfold.errors import Interrupted, TenfoldError, UsageError, nearest

COMMANDS = {
    "fit": "train a ladder of models and keep the best: the main job",
    "train": "train one model, or a population of settings in one pass",
    "resume": "go on with a run that was stopped, to the same bits",
    "evaluate": "score a trained model on labeled images",
    "predict": "probabilities per class for images",
    "data": "list, describe or download data sets",
}


class Commands(click.Group):
    """Commands by name, each imported from its own file when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or a usage error that names the nearest one."""
        if cmd_name not in COMMANDS:
            raise UsageError(f"no command {cmd_name!r}: {nearest(cmd_name, COMMANDS)}")
        command: click.Command = importlib.import_module(f"tenfold.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names with one line each, without importing a command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tenfold")
def tenfold() -> None:
    """Train, verify and explain image classifiers from first principles.

    Start with `tenfold fit`, which needs no data of yours, or `tenfold fit FOLDER` with class/image.png inside. Every
    command takes --json (one JSON object as the last line) and --debug (tracebacks).
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit code: 0 done, 1 failed, 2 usage, 130 Ctrl-C, 143 SIGTERM."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(_run([word for word in words if word != "--debug"], "--debug" in words))


def _run(words: list[str], debug: bool) -> int:
    try:
        tenfold.main(words, prog_name="tenfold", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        message, code = _explained(error)
        click.echo(f"tenfold: {message}", err=True)
        if "--json" in words:
            click.echo(json.dumps({"error": {"message": message, "code": code}}))
        return code
    return 0


def _explained(error: BaseException) -> tuple[str, int]:
    """One plain line and the exit code."""
    if isinstance(error, Interrupted):
        return str(error), int(error.args[1])
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return "stopped", 130
    if isinstance(error, click.ClickException):
        return " ".join(error.format_message().split()), 2
    if isinstance(error, TenfoldError):
        return " ".join(str(error).split()), 2 if isinstance(error, UsageError) else 1
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}", 1
    if isinstance(error, MemoryError):
        return "out of memory: take fewer members, smaller images or a smaller model", 1
    return f"unexpected {type(error).__name__}: {' '.join(str(error).split())[:300]} (--debug shows where)", 1
