"""How the model of the bundled newspaper behaves, in the manner of CheckList (Ribeiro et al. 2020, "Beyond Accuracy").

Invariance: what cannot matter does not. Direction: a section's words pull towards it. Minimum functionality: plain texts
that any newspaper might print get their section. The texts were written before they were tried; what fails is marked, not
left out.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from string import capwords
from typing import NamedTuple

import numpy as np
import pytest

import classifier
from classifier import Article, Model, Prediction
from classifier.reading import read_all
from classifier.reading.base import ReadOptions
from training.config import load_config
from training.dataset import build_dataset
from training.sample import CONFIG, PAGE_VIEWS, PAGES
from training.sample.readers import SECTIONS

HELD_OUT = 120
KEPT = 0.97  # of the held-out articles keep their section under each edit; of those filed unseen, all
TOUCHED = 0.2  # of them at least are touched by each edit, or it would test nothing
# Probabilities are known no better than to a few hundredths (the calibration error on 120 articles): what means nothing may
# move them by no more, on average. An article that was filed unseen must remain likelier right than wrong.
MEAN_MOVE = 0.03
FILED = 0.5
LAYOUT_MOVE = 0.001  # letter case, white space and unseen words are no part of what is said
REPEATS = 40

# The given names in the newspaper's last ten days; a capitalised word behind one is a surname.
GIVEN_NAMES = """
Abel Adaeze Agathe Agda Alaric Amadi Amaury Amos Anouk Anselm Anselmo Anton Arno Astrid Aurelio Baldwin Barnaby Bastien
Bayu Benno Bettina Bodil Bram Bruno Calla Casimir Caspian Cassius Clement Clementine Conrad Constanze Corin Crispin Davit
Delphine Dorian Dov Edmund Edric Edvard Elmo Elspeth Emeric Emory Evander Ewan Fabian Fernand Galen Gerrit Gil Greer Gudrun
Gwil Hadley Hamish Hanne Hanneke Harald Hector Hedda Henrik Henrike Honor Hugo Ilario Ilse Imke Imogen Ines Inés Iolanthe
Isaura Jarvis Jessamy Joachim Joaquim Jocasta Jonah Joost Jorunn Jory Josefa Joss Kit Laurent Lazlo Leif Lenka Leopold Lia
Linnea Lotte Lucasta Lucinda Lucio Ludmila Ludo Ludovica Ludwig Marguerite Marisela Maud Mika Milo Mirela Mirko Nadia Ngaire
Octavio Odo Oona Orsina Ottilie Ottoline Paolo Pell Perpetua Petra Petronel Pia Piet Priya Raka Rollo Rosalind Rosamund Ruan
Rufus Ruud Sabine Sandor Sela Shay Sigrun Silvan Solveig Sven Tamsin Tansy Tavish Thandeka Thea Theodora Thibault Tilda
Tobias Tobin Tomas Torvald Tove Ulla Valdis Vera Vidal Yann Yevanne Ylva Zoë
"""
PERSON = re.compile(rf"\b({'|'.join(GIVEN_NAMES.split())}) ([A-Z]\w+)")
# Named on one page of the training part each, four a section. (A public figure's name, as "Varran", is rightly a clue.)
KNOWN_PEOPLE = """
Annika Sorrell, Gaspard Iveson, Isolde Fenn, Magda Oriell, Agathe Dumoulin, Florian Reyes, Hiram Oke, Wilhelmina Scarfe,
Anselm Roke, Isla Pemberley, Petr Aldersey, Umberto Sears, Emlyn Sato, Farida Moncrieff, Marit Eelman, Teodor Ashe,
Barnaby Isley, Clarice Dunmow, Magnus Elderkin, Wenna Trigg, Batu Rendah, Idris Fane, Ilka Borsody, Rosalba Quern
"""
UNKNOWN_PEOPLE = "Maria Kowalczyk, James Whitfield, Aisha Rahman, Diego Herrera, Nkechi Obi, Yuki Tanabe"
# Towns of Marenne. Countries are left alone: they tell World from the rest.
TOWNS = [
    *("Port Ellery", "Calder Bay", "Linden Vale", "Osprey Point"),
    *("Highfell", "Norrick", "Quillon", "Saltmarsh", "Tarnmouth"),
]
# A run of capitalised words: the town is not renamed inside "Norrick Steel" or "Port Ellery Dockers".
CAPITALISED = re.compile(r"\b[A-Z]\w*(?: [A-Z]\w*)*")
UNKNOWN_TOWNS = ["Ashcombe", "Kingsbury", "New Barrow", "Trevally"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = ["January", "February", "April", "June", "July", "August", "October", "December"]
MONTH = re.compile(
    rf"\b(\d+|in|of|to|by|since|until|from|last) ({'|'.join(MONTHS)}|March|May|September|November)\b"
)
NUMBER_WORDS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]

Edit = Callable[[Article, random.Random], Article]


class Pair(NamedTuple):
    """An article that an edit touched, and what the model says of it before and after."""

    article: Article
    before: Prediction
    after: Prediction

    @property
    def kept(self) -> bool:
        return self.before.section == self.after.section

    @property
    def filed(self) -> bool:
        return self.before.decision == "file"

    def move(self, section: str | None) -> float:
        """By how much the probability of `section` rose."""
        return probability(self.after, section) - probability(self.before, section)

    def __str__(self) -> str:
        said = (
            f"{own.section} {own.section_probability:.2f} ({own.decision})"
            for own in (self.before, self.after)
        )
        return f"{self.article.extra['file']}: {' -> '.join(said)}"


def probability(prediction: Prediction, section: str | None) -> float:
    """Of one section, in 0-1."""
    assert section is not None
    assert prediction.section_scores is not None
    return {score.name: score.probability for score in prediction.section_scores}[section]


def added(article: Article, sentence: str, times: int = 1) -> Article:
    return replace(article, body=" ".join([article.body, *[sentence] * times]))


def everywhere(change: Callable[[str], str]) -> Edit:
    return lambda article, chance: replace(
        article, headline=change(article.headline), body=change(article.body)
    )


def in_headline(change: Callable[[str], str]) -> Edit:
    return lambda article, chance: replace(article, headline=change(article.headline))


def swapped(pattern: str | re.Pattern[str], old: Sequence[str], new: Sequence[str]) -> Edit:
    """Whatever the pattern matches and is one of `old` becomes one of `new`, the same all through an article."""

    def edit(article: Article, chance: random.Random) -> Article:
        to = {word: chance.choice([other for other in new if other != word]) for word in old}
        return everywhere(lambda text: re.sub(pattern, lambda m: to.get(m.group(), m.group()), text))(
            article, chance
        )

    return edit


def renamed(people: str) -> Edit:
    """Every person takes a given name and a surname of `people`; also where one of them stands alone."""
    given, family = zip(*(name.split() for name in people.split(",")), strict=True)

    def edit(article: Article, chance: random.Random) -> Article:
        to: dict[str, str] = {}
        for first, last in sorted(set(PERSON.findall(article.text))):
            to.setdefault(first, chance.choice([name for name in given if name != first]))
            to.setdefault(last, chance.choice([name for name in family if name != last]))
        names = re.compile(rf"\b({'|'.join(to)})\b")
        return (
            everywhere(lambda text: names.sub(lambda m: to[m.group()], text))(article, chance)
            if to
            else article
        )

    return edit


def renumbered(article: Article, chance: random.Random) -> Article:
    """Every digit anew (scores, amounts, ages, times, years), and the small number words."""
    digits = everywhere(lambda text: re.sub(r"\d", lambda _: str(chance.randint(1, 9)), text))
    return swapped(r"\b[a-z]+\b", NUMBER_WORDS, NUMBER_WORDS)(digits(article, chance), chance)


def redated(article: Article, chance: random.Random) -> Article:
    """Other weekdays and months."""
    months = everywhere(lambda text: MONTH.sub(lambda m: f"{m[1]} {chance.choice(MONTHS)}", text))
    return swapped(r"\b[A-Z]\w+day\b", DAYS, DAYS)(months(article, chance), chance)


def typographic(text: str) -> str:
    text = re.sub(r'"([^"]*)"', r"“\1”", text)
    return text.replace("'", "’")


def straight(text: str) -> str:
    return text.translate(str.maketrans("“”‘’", "\"\"''"))


# Edits of what is said, where it cannot matter.
CONTENT: dict[str, Edit] = {
    "people that the newspaper knows": renamed(KNOWN_PEOPLE),
    "people never heard of": renamed(UNKNOWN_PEOPLE),
    "towns of the newspaper": swapped(CAPITALISED, TOWNS, TOWNS),
    "towns never heard of": swapped(CAPITALISED, TOWNS, UNKNOWN_TOWNS),
    "numbers": renumbered,
    "dates": redated,
    "typographic quotes": everywhere(typographic),
    "straight quotes": everywhere(straight),
}
# Edits of how it is set, and one that says nothing.
LAYOUT: dict[str, Edit] = {
    "headline in capitals": in_headline(str.upper),
    "headline in small letters": in_headline(str.lower),
    "headline with every word capitalised": in_headline(capwords),
    "doubled spaces": everywhere(lambda text: text.replace(" ", "  ")),
    "no-break spaces": everywhere(lambda text: text.replace(" ", "\u00a0")),
    "trailing line break": everywhere(lambda text: text and text + "\n"),
    "line breaks of Windows": everywhere(lambda text: text.replace("\n", "\r\n")),
    "a sentence of unseen words": lambda article, _: replace(
        article, body=f"{article.body} Qzx vbn kjw xqz."
    ),
}
# Full of a section's words, as any newspaper uses them.
SENTENCES = {
    "Politics": "The minister told parliament that the coalition party would back the bill, and lawmakers in the assembly "
    "voted on the amendment before the election.",
    "World": "The president of the neighbouring country met foreign envoys as refugees fled across the border and the "
    "ceasefire between the two armies collapsed.",
    "Economy": "Shares and bond yields rose as the company's quarterly profit and sales beat analysts' forecasts and the "
    "bank lowered interest rates by a percentage point.",
    "Society": "Police said residents, parents and children were taken to hospital, and the court heard that the school "
    "and the families had asked the city for help.",
    "Science": "Researchers measured cells, species and temperatures in the laboratory, and the scientists' study in a "
    "journal reports data from a satellite experiment.",
    "Sports": "The coach praised the goalkeeper and the striker after the team won the match in the league, and the "
    "champion took the title in the final of the cup.",
}
# What any newspaper in English might print: headline (in every third none) | body.
TEXTS = {
    "Politics": [
        "Senate Rejects Spending Bill in Late-Night Vote | Lawmakers voted 52 to 48 against the spending bill "
        "after opposition senators refused to back the government's plan. The prime minister's office said a new "
        "version would be put to parliament next week.",
        "Mayor wins second term as turnout falls | The mayor was re-elected on Sunday with 54 percent of the "
        "ballots, the election commission announced. Her rival conceded and said his party would remain in "
        "opposition on the council.",
        " | The cabinet approved a draft law on party funding on Tuesday. Ministers said the legislation would go "
        "to a committee of parliament before the summer recess, and coalition lawmakers promised to support it.",
        "Education minister resigns over donations | The education minister stepped down after reports that donors "
        "to the ruling party had been given seats on a government committee. The prime minister will reshuffle her "
        "cabinet before the party conference.",
    ],
    "World": [
        "Rebels and government agree to truce along the border | Fighting stopped at midnight along the border "
        "between the two countries, the United Nations said. Thousands of refugees who fled the shelling are "
        "waiting in camps for aid convoys.",
        "Earthquake kills dozens in island nation | At least 60 people died when a powerful earthquake struck the "
        "island nation's second city, authorities there said. Foreign rescue teams were arriving at the airport "
        "and the president appealed for international aid.",
        "Protesters fill foreign capital as president clings to power | Tens of thousands marched in the capital "
        "on Friday demanding that the president step down after the army seized two ministries. Neighbouring "
        "countries closed their borders and embassies told foreigners to leave.",
        "Two neighbours recall ambassadors in river dispute | The two countries withdrew their ambassadors on "
        "Monday in a dispute over a dam on the river they share. Troops were moved to the frontier and envoys from "
        "three nations called for talks.",
    ],
    "Economy": [
        "Central Bank Raises Interest Rates to 4.5 Percent | The central bank raised its key rate by a quarter of "
        "a point, saying inflation was still too high. Shares fell and bond yields rose as investors priced in "
        "another increase.",
        "Carmaker's profit doubles on strong exports | The carmaker reported a net profit of 2.1 billion for the "
        "quarter, twice that of a year earlier, as exports climbed and costs fell. It raised its forecast for "
        "sales and its dividend.",
        " | Stocks closed lower on Thursday as technology companies slid and oil prices jumped. The index lost 1.2 "
        "percent, its third daily fall, and analysts said traders were nervous ahead of earnings.",
        "Unemployment Falls but Wages Lag Behind Prices | The jobless rate fell to 4.2 percent last month, while "
        "average wages grew more slowly than consumer prices. Economists expect household spending to weaken in "
        "the next quarter.",
    ],
    "Society": [
        "Driver Jailed for Eight Years After Crash That Killed Two | A court sentenced a lorry driver to eight "
        "years in prison on Wednesday for a crash that killed two pedestrians. The judge said he had been "
        "drinking. Police and relatives of the victims were in the courtroom.",
        "Fire guts apartment block, residents rescued from balconies | Firefighters rescued 30 residents from a "
        "burning apartment block early on Sunday. Eleven people were taken to hospital. Police are investigating "
        "whether a heater started the blaze.",
        "Great-grandmother, 84, collects her school diploma | An 84-year-old woman collected her school diploma on "
        'Saturday beside her granddaughter. Neighbours, teachers and children from her street cheered. "I only '
        'wanted to finish what I started," she said.',
        " | Families are waiting up to a year for a place in a nursing home because there are too few carers, a "
        "charity said. Parents of disabled children and elderly residents wait longest. The city will open two new "
        "homes.",
    ],
    "Science": [
        "Telescope Spots Water Vapour on Distant Planet | Astronomers have detected water vapour in the atmosphere "
        "of a planet 120 light years away, using a space telescope. The researchers measured starlight passing "
        "through the planet's air, they report in a journal.",
        "New antibiotic kills resistant bacteria in mice | Researchers have found a molecule that kills drug- "
        "resistant bacteria in laboratory mice. The compound breaks the cell wall, according to the study; trials "
        "in patients could begin in three years.",
        " | Fossils of a feathered dinosaur no bigger than a pigeon have been found in a quarry, palaeontologists "
        "say. The 120-million-year-old bones suggest that the species could glide, the team reports.",
        "Glaciers are melting faster than models predicted | Satellite measurements show that mountain glaciers "
        "lost ice twice as fast in the last decade as in the one before, scientists say. The researchers compared "
        "their data with climate models and ocean temperatures.",
    ],
    "Sports": [
        "Late Penalty Sends United Into Cup Final | A penalty in the last minute gave United a 2-1 win over City "
        "in the semi-final on Saturday. The goalkeeper guessed right but could not keep the ball out. The coach "
        "praised her players.",
        "Teenager upsets top seed in straight sets | The 17-year-old beat the top seed 6-4, 6-3 in the second "
        "round of the tennis tournament. She will play the former champion in the quarter-final.",
        " | The sprinter won the 100 metres in 9.87 seconds, the fastest time of the season, at the athletics "
        "championships on Sunday. He took the gold medal ahead of last year's winner and set a national record.",
        "Striker out for the season with knee injury | The club's leading scorer will miss the rest of the league "
        "season after tearing a knee ligament in training. The team, second in the table with four matches to "
        "play, must now look for another forward.",
    ],
}
# Section and text; {person}, {town}, {number} and {day} are filled in below, and whatever is filled in, it is that section.
TEMPLATES = [
    (
        "Politics",
        "{person} asked parliament on {day} to pass the budget, and {number} coalition lawmakers promised votes.",
    ),
    (
        "Politics",
        "Voters in {town} elect a council on {day}. Party leader {person} hopes for {number} seats in the assembly.",
    ),
    (
        "World",
        "Shelling resumed on {day} along the border, and {number} refugees fled, foreign envoy {person} told reporters.",
    ),
    (
        "World",
        "The country's president, {person}, flew from {town} to peace talks with {number} foreign leaders on {day}.",
    ),
    (
        "Economy",
        "Profit rose {number} percent, the {town} company said on {day}. Chief executive {person} raised the dividend.",
    ),
    (
        "Economy",
        "Shares fell on {day} and yields rose {number} basis points, said {person}, an analyst at a {town} bank.",
    ),
    (
        "Society",
        "Police in {town} arrested a man on {day} after {number} burglaries. A neighbour, {person}, raised the alarm.",
    ),
    (
        "Society",
        "A fire at a {town} school on {day} sent {number} children to hospital. Teacher {person} carried two outside.",
    ),
    (
        "Science",
        "Astronomer {person} of a {town} observatory measured {number} stars, researchers reported on {day}.",
    ),
    (
        "Science",
        "In {number} laboratory experiments the cells grew faster, biologist {person} wrote in a journal on {day}.",
    ),
    (
        "Sports",
        "{person} scored {number} goals on {day} as the team from {town} won the league match. The coach was delighted.",
    ),
    (
        "Sports",
        "Champion {person} won the final in {town} on {day} in {number} minutes and took the title for a second time.",
    ),
]
FILLINGS = [  # people and towns that training knows, and others
    {"person": "Magda Oriell", "town": "Port Ellery", "number": "12", "day": "Monday"},
    {"person": "Petr Aldersey", "town": "Norrick", "number": "three", "day": "Saturday"},
    {"person": "Emlyn Sato", "town": "Highfell", "number": "25", "day": "Tuesday"},
    {"person": "Hiram Oke", "town": "Quillon", "number": "4", "day": "Thursday"},
    {"person": "Maria Kowalczyk", "town": "Ashcombe", "number": "seven", "day": "Friday"},
    {"person": "James Whitfield", "town": "Kingsbury", "number": "61", "day": "Sunday"},
    {"person": "Nkechi Obi", "town": "Trevally", "number": "19", "day": "Wednesday"},
    {"person": "Yuki Tanabe", "town": "Linden Vale", "number": "two", "day": "Monday"},
]
PUBLIC_FIGURES = {"Politics": "Ilse Varran", "Sports": "Joaquim Teral", "World": "Ludovica Sarn"}
# What does not hold yet. Probabilities are calibrated on whole pages, of 80 words at least, and a short line in which
# one or two words weigh heavily gets one as high. Not strict, since any refit may mend or break a line.
SARN = pytest.mark.xfail(
    strict=False,
    raises=AssertionError,
    reason='a line about a school fire with "Ludovica Sarn" for a teacher is filed as World at 0.9',
)
ONE_WORD = pytest.mark.xfail(
    strict=False, raises=AssertionError, reason='a text of one word is filed: "Saturday." as Sports at 0.87'
)
NONSENSE = [
    "qzx vbn",
    "It was the one that they had, and so it is.",
    "Qzx vbn wkjq, xzqv bnmk zzxq; kqwj vvbx. " * 20,
    "7 93 518",
    "...!? -- ***",
    "🙂 🙂 🙂",
    "νόμος κυβέρνηση πρωθυπουργός",
]


@pytest.fixture(scope="module")
def model(sample_model_path: Path) -> Model:
    return classifier.load(sample_model_path)


@pytest.fixture(scope="module")
def held_out() -> list[Article]:
    """The newspaper's last ten days: what training held out."""
    config = load_config(CONFIG)
    reading = read_all([str(PAGES), str(PAGE_VIEWS)], ReadOptions(taken_at=config.boxes.taken_at))
    dataset = build_dataset(reading, config)
    table = dataset.corpus.take(dataset.split.test).table
    assert table.num_rows == HELD_OUT
    return [Article.from_mapping(row) for row in table.to_pylist()]


@pytest.fixture(scope="module")
def before(model: Model, held_out: list[Article]) -> list[Prediction]:
    return model.predict(held_out)


@pytest.fixture(scope="module")
def pairs(model: Model, held_out: list[Article], before: list[Prediction]) -> dict[str, list[Pair]]:
    """By edit: the held-out articles that it touches."""
    found = {}
    for name, edit in {**CONTENT, **LAYOUT, "no headline": in_headline(lambda _: "")}.items():
        step = 3 if name in LAYOUT else 1  # these do all or nothing: a third of the articles will tell
        edited = {i: edit(held_out[i], random.Random(held_out[i].id)) for i in range(0, HELD_OUT, step)}
        touched = [i for i, article in edited.items() if article != held_out[i]]
        after = model.predict([edited[i] for i in touched])
        found[name] = [Pair(held_out[i], before[i], own) for i, own in zip(touched, after, strict=True)]
    return found


@pytest.mark.parametrize("edit", [*CONTENT, *LAYOUT])
def test_what_cannot_matter_changes_no_section(pairs: dict[str, list[Pair]], edit: str) -> None:
    touched = pairs[edit]
    assert len(touched) >= TOUCHED * HELD_OUT
    changed = [str(pair) for pair in touched if not pair.kept]
    assert len(changed) <= (1 - KEPT) * HELD_OUT, changed
    assert not [str(pair) for pair in touched if pair.filed and not pair.kept]


@pytest.mark.parametrize("edit", CONTENT)
def test_what_cannot_matter_hardly_moves_a_probability(pairs: dict[str, list[Pair]], edit: str) -> None:
    moves = [pair.move(pair.before.section) for pair in pairs[edit]]
    assert np.abs(moves).mean() <= MEAN_MOVE
    doubtful = [
        pair for pair in pairs[edit] if pair.filed and probability(pair.after, pair.before.section) < FILED
    ]
    assert not doubtful, [str(pair) for pair in doubtful]


@pytest.mark.parametrize("edit", LAYOUT)
def test_layout_moves_no_probability(pairs: dict[str, list[Pair]], edit: str) -> None:
    for pair in pairs[edit]:
        assert abs(pair.move(pair.before.section)) <= LAYOUT_MOVE, str(pair)
        assert pair.before.decision == pair.after.decision, str(pair)


@pytest.mark.parametrize(("section", "text"), TEMPLATES)
def test_whoever_wherever_and_whenever_it_is_the_same_section(model: Model, section: str, text: str) -> None:
    texts = [text.format(**filling) for filling in FILLINGS]
    found = model.predict([Article(body=text) for text in texts])
    wrong = {text: own.section for text, own in zip(texts, found, strict=True) if own.section != section}
    assert not wrong


@pytest.mark.parametrize(
    ("section", "text"),
    [pytest.param(*case, marks=SARN if "school on" in case[1] else ()) for case in TEMPLATES],
)
def test_a_public_figure_in_another_role_never_files_it_wrong(model: Model, section: str, text: str) -> None:
    """The name of a prime minister or a striker is a clue. It may cast doubt on a line of news; no more."""
    fillings = [
        {**filling, "person": person}
        for home, person in PUBLIC_FIGURES.items()
        for filling in FILLINGS
        if home != section
    ]
    texts = [text.format(**filling) for filling in fillings]
    found = model.predict([Article(body=text) for text in texts])
    wrong = [
        f"{text} {own.section} {own.section_probability:.2f}"
        for text, own in zip(texts, found, strict=True)
        if own.section != section and own.decision == "file"
    ]
    assert not wrong


@pytest.mark.parametrize("section", SECTIONS)
def test_a_sentence_pulls_every_other_article_towards_its_section(
    model: Model, held_out: list[Article], before: list[Prediction], section: str
) -> None:
    others = [i for i, article in enumerate(held_out) if article.section != section][::3]
    after = model.predict([added(held_out[i], SENTENCES[section]) for i in others])
    for i, own in zip(others, after, strict=True):
        pair = Pair(held_out[i], before[i], own)
        assert pair.move(section) > 0, str(pair)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_sentence_repeated_wins_in_the_end(model: Model, held_out: list[Article], section: str) -> None:
    others = [article for article in held_out if article.section != section][::10]
    for own in model.predict([added(article, SENTENCES[section], REPEATS) for article in others]):
        assert own.section == section, own


def test_articles_without_their_headline_are_no_surer(pairs: dict[str, list[Pair]]) -> None:
    """Without it the right section does not become more probable, on average and beyond chance (one-sided 95 %)."""
    without = pairs["no headline"]
    assert len(without) >= 0.7 * HELD_OUT
    moves = np.array([pair.move(pair.article.section) for pair in without])
    assert moves.mean() <= 1.645 * moves.std(ddof=1) / np.sqrt(len(moves))


@pytest.mark.parametrize(
    ("section", "text"), [(section, text) for section in TEXTS for text in TEXTS[section]]
)
def test_plain_texts_get_their_section(model: Model, section: str, text: str) -> None:
    headline, _, body = text.partition(" | ")
    found = model.predict(Article(headline=headline, body=body))
    assert found.section == section, found.section_scores


@pytest.mark.parametrize("text", NONSENSE)
def test_what_says_nothing_goes_to_an_editor(model: Model, text: str) -> None:
    assert model.predict(Article(body=text)).decision == "review"


@ONE_WORD
@pytest.mark.parametrize("word", ["Saturday", "Norrick", "minister"])
def test_one_word_goes_to_an_editor(model: Model, word: str) -> None:
    assert model.predict(Article(body=f"{word}.")).decision == "review"
    assert model.predict(Article(body=f"Qzx vbn {word} wkjq.")).decision == "review"
