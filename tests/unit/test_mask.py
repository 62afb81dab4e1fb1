"""Passwords leave no text: URLs in every shape, lists of them, secret-sounding names."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beattop.text import _CONTROLS, _ESCAPES, _SURROGATES, mask, safe_argv


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("amqp://guest:guest@localhost:5672//", "amqp://guest:**@localhost:5672//"),
        ("redis://:pw@r:6379/0", "redis://:**@r:6379/0"),
        ("redis://:p@ss:w/ord@r:6379/0", "redis://:**@r:6379/0"),
        ("redis://:p/w@r", "redis://:**@r"),
        ("redis://r:6379/0", "redis://r:6379/0"),
        ("redis://user@r:6379/0", "redis://user@r:6379/0"),
        ("redis://:@r:6379/0", "redis://:@r:6379/0"),
        ("sqs://AKIA:s%2Fecret@", "sqs://AKIA:**@"),
        ("redis+socket:///run/redis.sock?virtual_host=0", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("rediss://:pw@r:6380/0?ssl_cert_reqs=none", "rediss://:**@r:6380/0?ssl_cert_reqs=none"),
        ("redis://:p?w@r:6379/0", "redis://:**@r:6379/0"),
        ("redis://:p?w=1@r:6379/0?x=y", "redis://:**@r:6379/0?x=y"),
        ("amqp://u:p@h1//;amqp://u:q@h2//", "amqp://u:**@h1//;amqp://u:**@h2//"),
        ("amqp://u:p@h1//,amqp://u:q@h2//", "amqp://u:**@h1//,amqp://u:**@h2//"),
        ("sentinel://:p@h1:26379;sentinel://:q@h2:26379/0", "sentinel://:**@h1:26379;sentinel://:**@h2:26379/0"),
        ("amqp://me@shop.de:pw@h:5672//", "amqp://me@shop.de:**@h:5672//"),
        ("amqp://me@h:5672/v@x", "amqp://me@h:5672/v@x"),
        ("mongodb://u:p@h1:27017,h2:27017/db?replicaSet=x", "mongodb://u:**@h1:27017,h2:27017/db?replicaSet=x"),
        ("amqp://u:${PW}@h//", "amqp://u:**@h//"),
        ("'amqp://u:p@h//' and b://x:y@z", "'amqp://u:**@h//' and b://x:**@z"),
        ("http://h:8000/mail?to=a@b.de", "http://h:8000/mail?to=a@b.de"),
        ("http://h:8000/a@b", "http://h:8000/a@b"),
        ("amqp://h:5672/v?to=a@b.de", "amqp://h:5672/v?to=a@b.de"),
        ("https://0123456789abcdef0123@sentry.io/1", "https://**@sentry.io/1"),
        ("--broker_api=http://u:p@h:15672/api/", "--broker_api=http://u:**@h:15672/api/"),
        ("password=abc", "password=**"),
        ("DB_PASSWORD: abc", "DB_PASSWORD: **"),
        ("--api-key=abc --x", "--api-key=** --x"),
        ("Authorization: Bearer abcdef123", "Authorization: Bearer **"),
        ("{'password': 'abc', 'user': 'u'}", "{'password': '**', 'user': 'u'}"),
        ('{"api_key": "a b c", "n": 1}', '{"api_key": "**", "n": 1}'),
        (r'"{\"token\": \"abc\"}"', r'"{\"token\": \"**\"}"'),
        ("{b'secret': b'abc'}", "{b'secret': '**'}"),
        ("password='my long one' x", "password='**' x"),
        ("password=\"cut", "password=\"**"),
        ("MYSQL_PWD=abc x", "MYSQL_PWD=** x"),
        ("RABBITMQ_DEFAULT_PASS=abc", "RABBITMQ_DEFAULT_PASS=**"),
        ("REDISCLI_AUTH=abc", "REDISCLI_AUTH=**"),
        ("FERNET_KEY=abc", "FERNET_KEY=**"),
        ("Server=h;Uid=u;Pwd=abc;x", "Server=h;Uid=u;Pwd=**;x"),
        ("PWD=/srv OLDPWD=/ routing_key=celery", "PWD=/srv OLDPWD=/ routing_key=celery"),
        ("compass: 3, bypass=1, author=x", "compass: 3, bypass=1, author=x"),
        ("no secret here: a@b.de, c://d", "no secret here: a@b.de, c://d"),
        ("celery -b 'redis://:my pass@h/0' beat", "celery -b 'redis://:**@h/0' beat"),
        ('x "amqp://u:a b c@h//" -n w@h', 'x "amqp://u:**@h//" -n w@h'),
        ("", ""),
    ],
)  # fmt: skip
def test_masks_passwords_and_nothing_else(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert mask(masked) == masked


PASSWORD = st.text("abcXYZ012:/@?#%=!$&*-_.~'\"", min_size=1, max_size=12).filter(
    lambda word: "://" not in word
)


@settings(deadline=None)
@given(
    scheme=st.sampled_from(["amqp", "redis", "rediss", "sqs", "sentinel", "redis+socket"]),
    user=st.text("abc-_.", max_size=5),
    password=PASSWORD,
    tail=st.sampled_from(["", "/0", "/0?a=b", "//"]),
)
def test_no_password_however_odd_survives(scheme: str, user: str, password: str, tail: str) -> None:
    marked = f"SEC{password}RET"
    shown = mask(f"{scheme}://{user}:{marked}@host:6379{tail}")
    assert "SEC" not in shown
    assert "RET" not in shown
    assert shown.endswith(f"@host:6379{tail}")


def test_a_word_that_is_a_url_may_hold_blanks_in_its_password() -> None:
    words = ["redis://:my pass@h/0", '--broker=amqp://u:a"b c@h//', "-c", "x redis://h:1/0 -n w@h"]
    assert safe_argv(words) == (
        *("redis://:**@h/0", "--broker=amqp://u:**@h//"),
        *("-c", "x redis://h:1/0 -n w@h"),
    )


def test_words_after_a_secret_option_are_masked() -> None:
    assert safe_argv(["flower", "--basic-auth", "u:p", "--port", "1"]) == (
        "flower",
        "--basic-auth",
        "**",
        "--port",
        "1",
    )


@pytest.mark.parametrize(
    "text",
    [
        "a://b:" + "x" * 10**6,
        "a.a" * 300_000,
        "token" * 200_000,
        "://" * 300_000,
        "https://" * 100_000,
        "a://b:c@" * 100_000,
        "bearer " * 150_000,
        "password " * 100_000,
        "password='" * 100_000,
        "password=\"'" * 100_000,
        "_pass" * 200_000,
        "-" * 10**6,
        "a://" + "?@" * 400_000,
    ],
)
def test_hostile_lengths_take_one_pass(text: str) -> None:
    # A second pass would take hours here, so the bound may be generous.
    begun = time.process_time()
    mask(text)
    safe_argv([text])
    assert time.process_time() - begun < 5


def test_what_is_printable_holds_nothing_that_a_terminal_obeys():
    # clean() hands such text back as it is.
    for code in range(0x110000):
        one = chr(code)
        obeyed = _CONTROLS.search(one) or _ESCAPES.search(one) or _SURROGATES.search(one)
        assert not (one.isprintable() and (obeyed or one in "\t\n")), hex(code)
