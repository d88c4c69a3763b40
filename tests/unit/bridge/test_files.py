"""What is said of files, and how they are called."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.filenames import marked_name, safe_name
from bridge.files import Fate, FileLine, FileWord, Told, folded, lines, size_said
from bridge.messages import File, Platform
from bridge.options import LinkOptions

CAT = File("F1", "cat.png", "image/png", 2_100_000, page="https://p/cat")


def test_the_last_word_on_a_file_counts() -> None:
    first = FileWord("F1", Fate.FAILED, "r0", seq=5)
    second = FileWord("F1", Fate.COPIED, "r0", seq=9)
    shown = FileWord("", Fate.COMING, "r0", upto=5, seq=12)

    told = folded([second, shown, first])

    assert told.newest == {"F1": second}
    assert (told.upto, told.shown_upto) == (9, 5)


@pytest.mark.parametrize("fate", [f for f in Fate if f is not Fate.NO_FILE])
def test_every_fate_is_said_in_words_and_names_its_platform(fate: Fate) -> None:
    word = FileWord("F1", fate, "r0", seq=1)

    [line] = lines([CAT], LinkOptions(), folded([word]), Platform.SLACK)

    assert line.label == "cat.png (2.1 MB)"
    assert line.said
    assert "{" not in line.said


def test_what_turned_out_to_be_no_file_is_not_spoken_of() -> None:
    word = FileWord("F1", Fate.NO_FILE, "r0", seq=1)

    assert lines([CAT], LinkOptions(), folded([word]), Platform.TEAMS) == ()


def test_a_blocked_or_infected_file_is_not_even_linked_to() -> None:
    line = FileLine("cat.png", 1, Fate.COMING, Platform.SLACK, "https://p/cat")

    assert line.address == "https://p/cat"
    for fate in (Fate.BLOCKED, Fate.INFECTED, Fate.UNSCANNED):
        assert replace(line, fate=fate).address == ""


def test_before_anything_is_fetched_the_links_choice_and_the_size_are_said() -> None:
    def said(*options: str) -> str:
        chosen = LinkOptions().said(options)
        return lines([CAT], chosen, Told({}), Platform.SLACK)[0].said

    assert said() == "on its way"
    assert said("file_mb=2") == "too large: open it in Slack"
    assert said("files=link") == "open it in Slack"
    assert said("files=block") == "not allowed here"


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (4_096, "4.1 kB"),
        (999_999, "1 MB"),
        (2_100_000, "2.1 MB"),
        (2_000_000_000, "2 GB"),
    ],
)
def test_sizes_are_said_as_people_read_them(size: int, said: str) -> None:
    assert size_said(size) == said


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Windows\\a.exe", "C__Windows_a.exe"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\0b\n.txt", "ab.txt"),
        ("con.txt", "file_con.txt"),
        ("", "file"),
        ("...", "file"),
        ("~$draft.docx", "draft.docx"),
        ("100%#1.txt", "100__1.txt"),
        ("Übersicht 你好.txt", "Übersicht 你好.txt"),
    ],
)
def test_names_are_made_safe_and_stay_readable(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_name_without_an_ending_gets_that_of_its_kind() -> None:
    assert safe_name("image", "image/png") == "image.png"


@given(st.text(max_size=300))
@example("0\n\U00018d09\n0")  # a letter that nobody has defined, between spaces
@example("~$~$ .draft")
def test_whatever_a_name_is_it_becomes_one_short_visible_segment(name: str) -> None:
    safe = safe_name(name)

    assert 0 < len(safe) <= 120
    assert not set(safe) & set('"*:<>?/\\|#%\0')
    assert not any(unicodedata.category(c)[0] == "C" for c in safe)
    assert safe == safe.strip(" .")
    assert safe_name(safe) == safe
    assert safe.encode()


def test_a_mark_stands_before_the_ending() -> None:
    assert marked_name("a.b.txt", "77") == "a.b-77.txt"
    assert marked_name("README", "77") == "README-77"


@given(st.text(max_size=300))
def test_a_files_key_is_short_whatever_its_id_is(number: str) -> None:
    key = File(number, "a").key

    assert len(key) <= 64
    assert key.isascii()
