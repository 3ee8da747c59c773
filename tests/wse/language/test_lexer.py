"""Tokens, literals and the errors of text that is no token."""

import pytest

from pyflame.wse.errors import CslError
from pyflame.wse.language import literals, tokens
from pyflame.wse.language.lexer import lex
from pyflame.wse.language.source import Source, Span


def kinds(text):
    return lex(Source("t.csl", text)).kinds[:-1]


def texts(text):
    lexed = lex(Source("t.csl", text))
    return [lexed.text(i) for i in range(len(lexed.kinds) - 1)]


def span_of(text):
    return Span(Source("t.csl", text), 0, len(text))


def test_keywords_are_their_own_kind():
    assert kinds("fn task tasks") == ["fn", "task", tokens.IDENTIFIER]


def test_words_of_later_versions_stay_names():
    assert set(kinds("packed union anyopaque handler")) == {tokens.IDENTIFIER}


def test_operators_take_the_longest_match():
    text = "<<= >>= << >> <= >= == != => -> += |= .* . < >"
    assert kinds(text) == text.split()
    assert kinds("p.*[i]") == [tokens.IDENTIFIER, ".*", "[", tokens.IDENTIFIER, "]"]


def test_anonymous_struct_starts_with_two_tokens():
    assert kinds(".{ .a") == [".", "{", ".", tokens.IDENTIFIER]


def test_comments_are_blank():
    assert texts("a // x\n/// doc\n//! doc\nb//") == ["a", "b"]


def test_last_token_is_the_end():
    assert lex(Source("t.csl", "  // nothing")).kinds == [tokens.END]


def test_hex_digits_do_not_start_an_exponent():
    assert texts("0x1e+5") == ["0x1e", "+", "5"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0xdead_beef", 0xDEADBEEF),
        ("0o17", 15),
        ("0b1_01", 5),
        ("007", 7),
    ],
)
def test_integers(text, value):
    assert kinds(text) == [tokens.INTEGER]
    assert literals.parse_int(text, span_of(text)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.5", 12.5),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("1_0.2_5", 10.25),
        ("0x1.8p3", 12.0),
        ("0x1p-2", 0.25),
        ("0x1.8", 1.5),
    ],
)
def test_floats(text, value):
    assert kinds(text) == [tokens.FLOAT]
    assert literals.parse_float(text, span_of(text)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('""', ""),
        ('"plain"', "plain"),
        (r'"\n\r\t\\\'\""', "\n\r\t\\'\""),
        (r'"\x00\xff"', "\x00\xff"),
        ('"é"', "\xc3\xa9"),
        (r'"\u00e9"', "\xc3\xa9"),
        (r'"\U01F600"', "\xf0\x9f\x98\x80"),
        (r'"a\x41é"', "aA\xc3\xa9"),
    ],
)
def test_strings_are_utf8_bytes(text, value):
    assert kinds(text) == [tokens.STRING]
    assert literals.parse_string(text, span_of(text)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("'a'", 97), (r"'\n'", 10), (r"'\''", 39), (r"'\x7f'", 127), ("'\"'", 34)],
)
def test_characters_are_bytes(text, value):
    assert kinds(text) == [tokens.CHARACTER]
    assert literals.parse_character(text, span_of(text)) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a $ b", "unexpected character '$'"),
        ("a \x00 b", r"unexpected character '\x00'"),
        ("é", "unexpected character 'é'"),
        ("a \xa0", r"unexpected character '\xa0'"),
        ("@ as", "expected the name of a builtin after '@'"),
        ("a && b", "CSL has no '&&'"),
        ("a || b", "CSL has no '||'"),
        ("a++", "CSL has no '++'"),
        ("a--", "CSL has no '--'"),
        ("/* a */", "CSL has no '/*'"),
        ("0x", "malformed number '0x'"),
        ("0X1F", "malformed number '0X1F'"),
        ("0b12", "malformed number '0b12'"),
        ("12ab", "malformed number '12ab'"),
        ("1.5f", "malformed number '1.5f'"),
        ('"abc', "unfinished string literal"),
        ('"abc\n"', "unfinished string literal"),
        ("'a", "unfinished character literal"),
    ],
)
def test_refused_text(text, message):
    with pytest.raises(CslError) as caught:
        lex(Source("t.csl", text))
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (literals.parse_int, "1_", "misplaced '_' in number '1_'"),
        (literals.parse_int, "1__0", "misplaced '_' in number '1__0'"),
        (literals.parse_int, "0x_1", "misplaced '_' in number '0x_1'"),
        (
            literals.parse_int,
            "1" * 5000,
            "integer literal of 5000 characters is too long",
        ),
        (literals.parse_float, "1e999", "float literal '1e999' does not fit"),
        (literals.parse_float, "0x1p9999", "float literal '0x1p9999' does not fit"),
        (literals.parse_float, "1_.5", "misplaced '_' in number '1_.5'"),
        (literals.parse_string, r'"\q"', r"unknown escape '\q'"),
        (literals.parse_string, r'"\x4"', r"unknown escape '\x'"),
        (literals.parse_string, r'"\uD800"', r"'\uD800' is not a Unicode character"),
        (literals.parse_character, "''", "character literal '' stands for 0 bytes"),
        (
            literals.parse_character,
            "'ab'",
            "character literal 'ab' stands for 2 bytes",
        ),
        (literals.parse_character, "'é'", "character literal 'é' stands for 2 bytes"),
    ],
)
def test_refused_literals(parse, text, message):
    with pytest.raises(CslError) as caught:
        parse(text, span_of(text))
    assert caught.value.message == message


def test_unknown_escape_points_at_the_escape():
    with pytest.raises(CslError) as caught:
        literals.parse_string(r'"ab\q"', span_of(r'"ab\q"'))
    assert caught.value.render() == "\n".join(
        [
            r"t.csl:1:4: error: unknown escape '\q'",
            r'    1 | "ab\q"',
            r"      |    ^^",
            r"note: the escapes are \n, \r, \t, \\, \', \", \xHH (one byte), \uHHHH "
            r"and \UHHHHHH",
        ]
    )


def test_foreign_operator_names_the_way_out():
    with pytest.raises(CslError) as caught:
        lex(Source("t.csl", "x = a && b;"))
    assert caught.value.render() == "\n".join(
        [
            "t.csl:1:7: error: CSL has no '&&'",
            "    1 | x = a && b;",
            "      |       ^^",
            "help: write 'and'",
        ]
    )
