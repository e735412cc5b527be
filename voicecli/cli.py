"""The command line: options out of `settings.py`, errors and exit codes; what a command does stands in `commands/`.

Nothing heavy is imported before a command is known: `--version` loads no Textual, NumPy or asyncio.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from voicecli import __version__
from voicecli.printable import one_line, printable
from voicecli.settings import KEY_PREFIX, OWN_KEY, SERVE_KEY, Option, options_of

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from voicecli.config import Config
    from voicecli.logs import Log

BUG: Final = 70
USAGE: Final = 2
INTERRUPTED: Final = 130
CLOSED_STDOUT: Final = 141

_EXAMPLES: Final = {
    "": """\
voicecli talk                        speak, hear the answer, interrupt it
voicecli chat "why is the sky blue"  one question, the bare answer
echo hello | voicecli chat           each line is one turn
voicecli serve --port 8765           the practice server for other clients
voicecli devices                     what can be recorded from and played to""",
    "talk": """\
voicecli talk                                       without a key: offline practice
voicecli talk --ptt                                 push-to-talk: enter starts and sends what you say
voicecli talk --echo half-duplex                    with open speakers
voicecli talk --audio-in clip:hello                 a clip asks in the place of your microphone
voicecli talk --audio-in q.wav --audio-out a.wav    files in the place of devices
voicecli talk --url ws://localhost:8765/v1/realtime another server
voicecli talk --llm-url http://127.0.0.1:11434/v1 --llm-model llama3.2    a model of your own""",
    "chat": """\
voicecli chat                        type, read the answers
voicecli chat "why is the sky blue"  the bare answer on stdout, all else on stderr
git diff | voicecli chat "a title?"  standard input is context for the question
echo hello | voicecli chat           each line is one turn""",
    "serve": """\
voicecli serve --port 8765           prints its URL when it listens
voicecli serve --port 0              takes any free port
voicecli serve --max-session-s 1800  ends each session after half an hour, as hosted servers do
voicecli serve --scenario cafe.toml  answers as the file says
voicecli serve --host 0.0.0.0 --key-file key --tls-cert cert.pem --tls-key key.pem
                                     for other machines: with a key, encrypted""",
    "devices": "voicecli devices",
}
_ABOUT: Final = {
    "talk": "Talk with a speech model by microphone and speaker: hands-free, or push-to-talk with --ptt.",
    "chat": "Talk with it in writing; no sound library is loaded. QUESTION is asked alone.",
    "serve": "Run voicecli's own Realtime server, for practice and for other clients.",
    "devices": "List what can be recorded from and played to.",
}
_SHORT: Final = {
    "talk": "Talk by microphone and speaker.",
    "chat": "Talk in writing, also in a pipe.",
    "serve": "Run the practice server on its own.",
    "devices": "List microphones and speakers.",
}
_EXITS: Final = """\
0 done; 1 an answer failed (question or pipe); 2 usage or configuration; 3 cannot connect, or refused; 4 a named
device is absent, or nothing is left to speak with; 70 a bug of voicecli's; 129 hangup; 130 interrupted; 141 standard
output closed; 143 terminated."""


def main() -> int:
    """Runs voicecli with the arguments of the process; its exit code. No exception leaves it, and no traceback."""
    _keep_numbers()
    os.umask(0o077)  # what we create is the user's alone (G18)
    state = _State()
    try:
        code = _parsed_and_run(state)
    except (KeyboardInterrupt, click.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        code = CLOSED_STDOUT
    except Exception as error:
        code = _bug(error, state)
    return _flushed(code)


def _keep_numbers() -> None:
    """Opens what was closed of the three standard descriptors before the start, in order.

    The next file that is opened gets the lowest free number: the log would become standard output, and be given the
    words of the talk.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                if number == 1:  # nobody reads it, and that is what writing to it shall say
                    _, writer = os.pipe()
                    os.dup2(writer, number)
                    os.close(writer)
                else:
                    os.open(os.devnull, os.O_RDWR)


def _parsed_and_run(state: _State) -> int:
    try:
        asked = _program().main(prog_name="voicecli", standalone_mode=False)
    except click.ClickException as error:
        hint = (
            f"{error.ctx.command_path} --help says more." if isinstance(error, click.UsageError) and error.ctx else ""
        )
        return _refuse(error.format_message(), hint)
    except (SystemExit, OSError) as error:  # it wrote its help; click makes an exit of a closed pipe
        if isinstance(error, SystemExit) and error.code == 0:  # the shell asked what a word may become
            return 0
        return _no_output(error if isinstance(error, OSError) else None)
    # Run from here and not from inside click, which would turn a command's closed pipe into exit code 1.
    if not isinstance(asked, tuple):  # it was help or the version
        return asked if isinstance(asked, int) else 0
    name, given = asked
    return _call(name, given, state)


class _State:
    """What is known when something goes wrong."""

    def __init__(self) -> None:
        self.config: Config | None = None
        self.log: Log | None = None


def _program() -> click.Group:
    names = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
    version = click.version_option(__version__, prog_name="voicecli", message="%(prog)s %(version)s")
    group = _Group(
        "voicecli",
        callback=version(_help_alone),
        invoke_without_command=True,
        context_settings=names,
        help="Talk with realtime speech models from a terminal.",
    )
    group.params += getattr(group.callback, "__click_params__", [])
    group.params.append(_completion())
    for name in ("talk", "chat", "serve", "devices"):
        group.add_command(_command(name))
    return group


_SHELLS: Final = ("bash", "zsh", "fish")


def _completion() -> click.Option:
    """`--completion SHELL`: the script that has the shell complete what is typed after voicecli."""

    def write(ctx: click.Context, _: click.Parameter, shell: str | None) -> None:
        if shell is None or ctx.resilient_parsing:
            return
        from click.shell_completion import ShellComplete, get_completion_class

        # Each class has a check of its own beside this, which runs the shell.
        kind = get_completion_class(shell)
        if kind is not None:
            click.echo(ShellComplete.source(kind(ctx.command, {}, "voicecli", "_VOICECLI_COMPLETE")))
        ctx.exit()

    return click.Option(
        ["--completion"],
        type=click.Choice(_SHELLS),
        metavar="|".join(_SHELLS),
        is_eager=True,
        expose_value=False,
        callback=write,
        help="Print what has your shell complete commands and options; README says where it goes.",
    )


@click.pass_context
def _help_alone(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _write_end(formatter: click.HelpFormatter, name: str) -> None:
    """Examples, the user's config.env and the exit codes, at the end of help."""
    from voicecli.config import user_env

    with formatter.section("Examples"):
        for line in _EXAMPLES[name].splitlines():
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
    with formatter.section("Settings"):
        path = printable(str(user_env() or "nowhere: this user has no folder for it"))
        formatter.write_text(
            "Each option can be set as VOICECLI_<OPTION>: a flag goes before the environment, that before .env in "
            "the working directory, that before your own config.env."
        )
        if name not in ("serve", "devices"):
            formatter.write_text(
                f"Other keys for the screen: {KEY_PREFIX}<ACTION>, as in {KEY_PREFIX}MUTE=f8; F1 there shows all."
            )
        if name == "serve":
            formatter.write_text(
                f"The key that clients are asked for is {SERVE_KEY}, or --key-file; it is never a flag."
            )
        else:
            formatter.write_text(f"Your API keys are {OWN_KEY}, else OPENAI_API_KEY; they are never a flag.")
        formatter.write(f"{'':>{formatter.current_indent}}config.env: {path}\n")
    with formatter.section("Exit codes"):
        formatter.write_text(_EXITS)


class _Group(click.Group):
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        _write_end(formatter, "")


class _Command(click.Command):
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        _write_end(formatter, self.name or "")


def _option(option: Option) -> click.Option:
    names, words = [f"--{option.name}", option.field], _help(option.about.help, option.default)

    def complete(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        if option.kind is Path:
            return [CompletionItem(begun, type="file")]
        return [CompletionItem(choice) for choice in option.choices if choice.startswith(begun)]

    if option.kind is bool:
        return click.Option(names, help=words, is_flag=True)
    if option.about.bare:
        return click.Option(
            names,
            help=words,
            metavar=f"[{option.metavar}]",
            is_flag=False,
            flag_value=option.about.bare,
            shell_complete=complete,
        )
    return click.Option(names, help=words, metavar=option.metavar, shell_complete=complete)


def _command(name: str) -> click.Command:
    params: list[click.Parameter] = [_option(option) for option in options_of(name)]
    if name == "chat":
        params.append(click.Argument(["question"], required=False))
    if name == "serve":
        params.append(click.Option(["--child"], is_flag=True, hidden=True))

    def call(**given: str | bool | None) -> tuple[str, dict[str, str | bool | None]]:
        return name, given

    return _Command(name, params=params, callback=call, help=_ABOUT[name], short_help=_SHORT[name])


def _help(text: str, default: object) -> str:
    return text if default is None or isinstance(default, bool) else f"{text} [{default}]"


def _call(name: str, given: dict[str, str | bool | None], state: _State) -> int:
    if given.pop("child", False):
        from voicecli.commands import serve

        return serve.run_child()
    from voicecli.config import ConfigError, World, load
    from voicecli.logs import log_folder, open_log

    question = given.pop("question", None)
    if isinstance(question, str) and not question.strip():
        return _refuse("The question is empty.", "Without one, chat takes what you type.")
    flags = {field: value for field, value in given.items() if value is not None and value is not False}
    try:
        config = state.config = load(name, flags, World.here())
    except ConfigError as error:
        return _refuse(error.message, error.hint)
    log = state.log = open_log(config.settings, config.redactor, log_folder())
    if name in ("serve", "devices"):
        for text in (*config.notices, log.notice):
            if text:
                _complain(f"notice: {one_line(text, 1000)}")
    return _run(name, config, log, question if isinstance(question, str) else None)


def _run(name: str, config: Config, log: Log, question: str | None) -> int:
    """The only place that imports commands, each when it is called."""
    match name:
        case "talk":
            from voicecli.commands import talk

            return talk.run(config, log)
        case "chat":
            from voicecli.commands import chat

            return chat.run(config, log, question)
        case "serve":
            from voicecli.commands import serve

            key = config.serve_key.reveal() if config.serve_key else None
            return serve.run(config.settings, key, config.redactor, config.mind)
        case _:
            from voicecli.commands import devices

            return devices.run(log_path=log.path)


def _refuse(message: str, hint: str) -> int:
    from voicecli.secret import Redactor

    clean = Redactor()
    _complain(f"error: {clean(one_line(message, 1000))}")
    if hint:
        _complain(f"  {clean(one_line(hint, 1000))}")
    return USAGE


def _bug(error: Exception, state: _State) -> int:
    """One line, and where to read more; the traceback only where debug was asked for."""
    import logging

    path = state.log.path if state.log else None
    if state.log is not None:
        logging.getLogger("voicecli").critical("a bug", exc_info=error)
    where = (
        f"The log has more: {one_line(str(path), 1000)}" if path else "There is no log; --log-level debug shows more."
    )
    _complain(f"error: voicecli met a bug of its own ({type(error).__name__}). {where}")
    if state.config is not None and state.config.settings.log_level == "debug":
        for line in state.config.redactor("".join(traceback.format_exception(error))).splitlines():
            _complain(f"  {printable(line)}")
    return BUG


def _complain(line: str) -> None:
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def _flushed(code: int) -> int:
    """What is left to write is written, or given up without a word of Python's."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError) as error:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code or _no_output(error if isinstance(error, OSError) else None)
    return code


def _no_output(error: OSError | None) -> int:
    """A pipe that nobody reads any more needs no words; a full disk does."""
    if error is not None and not isinstance(error, BrokenPipeError):
        _complain(f"error: Standard output cannot be written to: {error.strerror}.")
    return CLOSED_STDOUT
