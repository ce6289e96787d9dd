from __future__ import annotations

import pytest

from classifier.reading.datelines import split_dateline

TEXT = "The ferry left on time."


@pytest.mark.parametrize(
    ("start", "city", "agency"),
    [
        ("TOKYO (Jiji Press) — ", "TOKYO", "Jiji Press"),
        ("TOKYO (Jiji Press) – ", "TOKYO", "Jiji Press"),
        ("TOKYO (Jiji Press)— ", "TOKYO", "Jiji Press"),
        ("TOKYO (Jiji Press) -- ", "TOKYO", "Jiji Press"),
        ("TOKYO (Reuters) - ", "TOKYO", "Reuters"),
        ("TOKYO (AP) _ ", "TOKYO", "AP"),
        ("TOKYO (AP) —", "TOKYO", "AP"),
        ("PORT ELLERY (The Marenne Courier) — ", "PORT ELLERY", "The Marenne Courier"),
        ("PARIS, Feb. 2 (AP) – ", "PARIS", "AP"),
        ("PARIS, 2 Feb (AFP) – ", "PARIS", "AFP"),
        ("PARIS, Sept. 12, 2021 (AP) – ", "PARIS", "AP"),
        ("KYIV, Ukraine (AP) — ", "KYIV, Ukraine", "AP"),
        ("McALLEN, Texas (AP) — ", "McALLEN, Texas", "AP"),
        ("ST. PETERSBURG, Fla. (AP) — ", "ST. PETERSBURG, Fla.", "AP"),
        ("RIO de JANEIRO (AP) — ", "RIO de JANEIRO", "AP"),
        ("L’AQUILA, Italy (ANSA) — ", "L’AQUILA, Italy", "ANSA"),
        ("MÜNCHEN (dpa) - ", "MÜNCHEN", "dpa"),
        ("TOKYO, OSAKA (Kyodo) — ", "TOKYO, OSAKA", "Kyodo"),
        ("WASHINGTON/TOKYO (Reuters) - ", "WASHINGTON/TOKYO", "Reuters"),
        ("SEOUL and TOKYO (AP) — ", "SEOUL and TOKYO", "AP"),
        ("Tokyo (Reuters) - ", "Tokyo", "Reuters"),
        ("(Reuters) - ", None, "Reuters"),
        ("(Island Wire) — ", None, "Island Wire"),
        ("ＴＯＫＹＯ（Ｊｉｊｉ　Ｐｒｅｓｓ）― ", "ＴＯＫＹＯ", "Ｊｉｊｉ　Ｐｒｅｓｓ"),
        ("東京（時事）― ", "東京", "時事"),
        ("OSAKA — ", "OSAKA", None),
        ("OSAKA—", "OSAKA", None),
        ("OSAKA – ", "OSAKA", None),
        ("OSAKA - ", "OSAKA", None),
        ("OSAKA, Feb. 2 — ", "OSAKA", None),
        ("UNITED NATIONS, New York — ", "UNITED NATIONS, New York", None),
        ("TEL AVIV-JAFFA — ", "TEL AVIV-JAFFA", None),
    ],
)
def test_datelines(start, city, agency):
    assert split_dateline(start + TEXT) == (city, agency, TEXT)


@pytest.mark.parametrize(
    "text",
    [
        "The harbour — closed since May — opened again.",
        "Ferries (and their crews) — all of them — were late.",
        "Microsoft (MSFT) — the software maker — rose.",
        "NATO (North Atlantic Treaty Organization) — an alliance — met.",
        "NATO — the alliance — met on Monday.",
        "U.S.-Japan talks - the third this year - ended.",
        "“TOKYO — The play” opened.",
        "Q — Why did the ferry stop?",
        "(Updated) — The ferry stopped.",
        "(This story was corrected) — The ferry stopped.",
        "JAPAN WINS — FANS CELEBRATE",
        "NASA — North Atlantic Sailing Association — met.",
        "UPDATE: — The ferry stopped.",
        "LATEST — The ferry stopped.",
        "By Ann Doe TOKYO (Reuters) - The ferry stopped.",
        "TRADE DEFICIT 7 MLN (JAN DEFICIT 9 MLN) - OFFICIAL",
        "ALL FERRIES WILL STOP ON MONDAY — The minister said so.",
        "이것은 서울 — 새로운 이야기다.",
        "日本銀行（日銀）―金利を上げた。",
        "10 — The number of boats.",
        "TOKYO (Jiji Press)",
        "TOKYO",
        "—",
        "() — Text",
        "The Tokyo office (in Ginza) - closed",
        "x" * 150 + " (AP) — Text",
        "",
    ],
)
def test_sentences_are_left_whole(text):
    assert split_dateline(text) is None


def test_a_dateline_alone_on_its_line():
    assert split_dateline("TOKYO (Jiji Press) —") == ("TOKYO", "Jiji Press", "")


def test_what_follows_is_unchanged():
    text = "“Ｔｅｘｔ” — with a dash, ¥76 tril.  and two blanks"
    assert split_dateline("TOKYO (AP) — " + text) == ("TOKYO", "AP", text)
    assert split_dateline("TOKYO — ¥76 was paid.") == ("TOKYO", None, "¥76 was paid.")
