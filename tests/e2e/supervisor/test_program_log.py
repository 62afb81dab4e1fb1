"""A program's log through a real supervisord: what is new is told once, however it grows."""

from __future__ import annotations

from beattop.sources.supervisor.programlog import ProgramLog
from beattop.sources.supervisor.server import Server
from tests.e2e.small import SLEEPER, supervisord, until


def test_it_follows_what_is_written():
    with supervisord(f"[program:a]\ncommand={SLEEPER}\nstdout_logfile=%(here)s/a.log\n") as one:
        log = one.folder / "a.log"
        until(log.exists, 10, "the log")
        heard: list[str] = []
        troubles: list[str] = []

        def tell(lines: list[str], fresh: bool, trouble: str) -> None:
            heard.extend(lines)
            troubles.append(trouble)

        def write(text: str, mode: str = "ab") -> None:
            with log.open(mode) as file:
                file.write(text.encode())

        write("same\nsame\npassword=geheim é\n")
        reader = ProgramLog(Server(one.url), "a", "stdout", tell, lambda took: 0.05)
        reader.start()
        try:
            until(lambda: len(heard) == 3, 10, "the first lines")
            assert heard == ["same", "same", "password=** é"]
            write("same\nsame\nhal")
            until(lambda: len(heard) == 5, 10, "the same words again")
            write("f\n\x1b[31mred\x1b[0m\n")
            until(lambda: "red" in heard, 10, "what ANSI was cleaned from")
            assert heard[5:] == ["half", "red"]
            write(("é" * 20 + "\n") * 500)
            until(lambda: heard[-1].endswith("éé"), 10, "more than is asked for")
            write("anew\n", "wb")
            until(lambda: heard[-1] == "anew", 10, "a log that was cut")
            assert heard[-2] == "(the log begins anew)"
            assert set(troubles) == {""}
        finally:
            reader.stop()
            reader.join(5)
        assert not reader.is_alive()


def test_trouble_is_told_in_words():
    heard: list[tuple[list[str], bool, str]] = []
    url = "unix:///nowhere/s.sock"
    reader = ProgramLog(
        Server(url), "a", "stdout", lambda *told: heard.append(told), lambda took: 9
    )
    reader.start()
    until(lambda: heard, 10, "words")
    reader.stop()
    reader.join(5)
    assert not reader.is_alive()
    ((lines, _, trouble),) = heard
    assert not lines and trouble
