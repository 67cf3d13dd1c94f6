"""The command line: one file for each command, imported when it is called: `tenfold --help` starts without torch."""

__all__ = ["main"]

import gc
import importlib
import json
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import click

from tenfold.errors import Interrupted, TenfoldError, UsageError, nearest
from tenfold.text import inert, visible

COMMANDS = {
    "fit": "train a ladder of models and keep the best: start here",
    "train": "train one model, or a population of settings in one pass",
    "sweep": "search many settings, then train the best one again",
    "reproduce": "measure published result tables again: reported, measured, verdict",
    "resume": "continue an interrupted run, with the same bits as without the interruption",
    "probe": "train a classifier on the frozen embeddings of an encoder",
    "trace": "work through back-propagation by hand, with every line checked",
    "check": "check a gradient, and name the fault where it is wrong",
    "margin": "find the maximum margin between two classes, with its proof",
    "audit": "inspect data before training: counts, damaged files, duplicates",
    "report": "write one offline HTML page about a run, or about several side by side",
    "compare": "test which of two runs is better on the same test images",
    "evaluate": "score a trained model on labeled images",
    "predict": "predict class probabilities of images",
    "explain": "show what predictions about images rest on",
    "export": "write a model as ONNX, NumPy or torch code, verified against the run",
    "data": "list, describe or download data sets",
}

# Messages of torch, in a plain RuntimeError, about memory that is not there.
NO_MEMORY = re.compile("out of memory|allocate memory|size calculation overflowed")


class Commands(click.Group):
    """Commands by name, each imported from its own file when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command. UsageError names the nearest one where there is none of this name."""
        if cmd_name not in COMMANDS:
            raise UsageError(f"no command {cmd_name!r}: {nearest(cmd_name, COMMANDS)}")
        command: click.Command = importlib.import_module(f"tenfold.cli.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names with one line each, without importing a command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tenfold")
def tenfold() -> None:
    """Train, verify and explain image classifiers from first principles.

    Start with `tenfold fit`, which trains on a data set that comes with Tenfold, or with `tenfold fit FOLDER`, where
    FOLDER holds a folder of images for each class. Every command takes --json (print one JSON object as the last line)
    and --debug (show tracebacks).
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit code: 0 done, 1 failed, 2 usage, 130 Ctrl-C, 143 SIGTERM."""
    _open_streams()
    if arguments is None:
        gc.set_threshold(50_000, 20, 20)  # imports make many objects that live on: 0.1 s of looking through them
    words = list(sys.argv[1:] if arguments is None else arguments)
    code = _run_here([word for word in words if word != "--debug"], "--debug" in words)
    if arguments is None:
        gc.freeze()  # collecting torch's modules on the way out takes 0.4 s, and the process ends anyway
    sys.exit(code)


def _run_here(words: list[str], debug: bool) -> int:
    """Run a command in this process, or in all that torchrun started: then it is the first that reads the words."""
    if "TORCHELASTIC_RUN_ID" not in os.environ or os.environ.get("WORLD_SIZE") == "1":
        return _run(words, debug)
    together = importlib.import_module("tenfold.cli.torchrun").run_together
    return int(together(partial(_run, words, debug), partial(_guarded, words=[], debug=debug)))


def _open_streams() -> None:
    """Fill the place of a closed stream: else the next file to be opened gets its number, and all that is printed."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _run(words: list[str], debug: bool) -> int:
    return _guarded(lambda: tenfold.main(words, prog_name="tenfold", standalone_mode=False), words, debug)


def _guarded(command: Callable[[], object], words: list[str], debug: bool) -> int:
    """Do something, print its error as one line if it has one, and return the exit code."""
    try:
        code = command()
    except click.exceptions.NoArgsIsHelpError as bare:
        click.echo(bare.format_message(), err=True)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except (Exception, KeyboardInterrupt, Interrupted) as error:
        if debug:
            traceback.print_exc()
        return _report(error, "--json" in words)
    return code if isinstance(code, int) else 0


def _report(error: BaseException, as_json: bool) -> int:
    """Print an error, on stdout too where a machine reads it, and return the exit code."""
    message, code = _explained(error)
    message = visible(" ".join(message.split()))
    click.echo(f"tenfold: {message}", err=True)
    if as_json:
        with suppress(OSError):  # stdout itself may be what failed
            click.echo(json.dumps({"error": {"message": message, "code": code}}))
    return code


def _having(flag: str) -> list[str]:
    """Name the commands that train and have an option."""
    commands = {name: tenfold.get_command(click.Context(tenfold), name) for name in ("fit", "train", "sweep")}
    return [name for name, command in commands.items() if command and any(flag in o.opts for o in command.params)]


def _explained(error: BaseException) -> tuple[str, int]:
    """Return an error as one plain line, and the exit code."""
    if isinstance(error, Interrupted):
        return str(error), int(error.args[1])
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return "stopped", 128 + int(error.args[0] if error.args else signal.SIGINT)
    if isinstance(error, click.NoSuchOption) and error.ctx:
        options = error.ctx.command.get_params(error.ctx)
        words = [word for option in options for word in option.opts if word.startswith("--")]
        others = _having(error.option_name) if error.ctx.info_name in ("fit", "sweep", "train") else []
        hint = f"`tenfold {'` and `tenfold '.join(others)}` have it" if others else nearest(error.option_name, words)
        return f"tenfold {error.ctx.info_name} has no option {error.option_name}: {hint}", 2
    if isinstance(error, click.ClickException):
        return error.format_message(), 2
    if isinstance(error, TenfoldError):
        return str(error), 2 if isinstance(error, UsageError) else 1
    if isinstance(error, OSError):
        return f"{error.filename or 'the output'}: {error.strerror or error}", 1
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and NO_MEMORY.search(str(error))):
        return (
            "out of memory: choose a smaller model (--hidden), smaller images (--size), fewer members or images",
            1,
        )
    return f"unexpected {type(error).__name__}: {inert(str(error))[:300]} (--debug shows where)", 1
