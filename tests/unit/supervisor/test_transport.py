"""Answers that are hostile, broken or merely full of control bytes."""

from __future__ import annotations

import xmlrpc.client

import pytest

from beattop.sources.supervisor.transport import MOST_BYTES, Unreadable, parse, transport


def body(value: object) -> bytes:
    return xmlrpc.client.dumps((value,), methodresponse=True).encode()


def test_a_plain_answer():
    assert parse(body([{"name": "beat", "pid": 4}])) == ([{"name": "beat", "pid": 4}],)


def test_control_bytes_do_not_break_it():
    raw = body("A").replace(b"A", b"\x1b[31mred\x1b[0m \x00 \x0c \x07 \xff\xef\xbf\xbe end")
    (text,) = parse(raw)
    assert text == "red \ufffd \ufffd \ufffd \ufffd\ufffd end"


def test_line_ends_and_tabs_stay():
    assert parse(body("a\tb\nc")) == ("a\tb\nc",)


def test_a_fault_is_raised_as_one():
    raw = xmlrpc.client.dumps(xmlrpc.client.Fault(70, "NOT_RUNNING"), methodresponse=True)
    with pytest.raises(xmlrpc.client.Fault) as caught:
        parse(raw.encode())
    assert caught.value.faultCode == 70


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>hello",
        b"SSH-2.0-OpenSSH_9.2",
        b"<methodResponse>",
        b"<methodResponse><params><param><value></data></value></param></params></methodResponse>",
        b"<methodResponse><params><param><value><struct><value>1</value></struct></value></param>"
        b"</params></methodResponse>",
        b"<methodResponse><params><param><value><int>x</int></value></param></params>"
        b"</methodResponse>",
        b"<methodResponse><params><param><value><wat>1</wat></value></param></params>"
        b"</methodResponse>",
        b"<methodResponse><params><param><value><base64>*</base64></value></param></params>"
        b"</methodResponse>" * 2,
        b"<?xml version='1.0'?><a/>",
        b"&#0;",
    ],
)
def test_what_is_no_xmlrpc(raw: bytes):
    with pytest.raises(xmlrpc.client.ResponseError):
        parse(raw)


def test_entities_are_refused_before_they_grow():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + body("A")
    with pytest.raises(Unreadable, match="entities"):
        parse(bomb.replace(b"A", b"&b;"))


def test_a_declaration_in_a_programs_text_is_only_text():
    assert parse(body("<!DOCTYPE html>")) == ("<!DOCTYPE html>",)


def test_a_flood_is_refused():
    with pytest.raises(Unreadable, match="longer"):
        parse(b"x" * (MOST_BYTES + 1))


@pytest.mark.parametrize("url", ["https://h:1", "ftp://h", "/run/s.sock", "http://h:0"])
def test_other_schemes(url: str):
    with pytest.raises(ValueError, match="unix:///path or http://host:port"):
        transport(url)
