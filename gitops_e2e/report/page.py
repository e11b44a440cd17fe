"""The page of one run: one file of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cucumber_messages import DataTable, DocString

from gitops_e2e.report.book import BAD, Book, Case, Document, Status, background
from gitops_e2e.report.history import Story
from gitops_e2e.report.pictures.album import pictures
from gitops_e2e.report.pictures.drawing import Picture
from gitops_e2e.report.pictures.observations import is_observation
from gitops_e2e.report.record import Attachment, RunRecord, ScenarioRecord, StepRecord
from gitops_e2e.report.rendering import WORDS, environment
from gitops_e2e.report.summary import ended


@dataclass(frozen=True)
class Argument:
    """What stands below a step: a table, a text, or both."""

    table: Sequence[Sequence[str]]
    text: str | None


@dataclass(frozen=True)
class Step:
    """A step as it was run, and what belongs to it."""

    told: StepRecord
    argument: Argument
    attachments: Sequence[Attachment]


@dataclass(frozen=True)
class Attempt:
    """One attempt at a case."""

    told: ScenarioRecord
    steps: Sequence[Step]
    attachments: Sequence[Attachment]

    @property
    def cause(self) -> StepRecord | None:
        """The step that ended it."""
        return next((step.told for step in self.steps if step.told.message), None)


@dataclass(frozen=True)
class Entry:
    """A case in the run view."""

    case: Case
    story: Story
    attempts: Sequence[Attempt]
    pictures: Sequence[Picture]

    @property
    def last(self) -> Attempt | None:
        """The attempt that counts."""
        return self.attempts[-1] if self.attempts else None

    @property
    def earlier(self) -> Sequence[Attempt]:
        """Those that were tried again."""
        return self.attempts[:-1]

    @property
    def searched(self) -> str:
        """What a search looks at, in lower case."""
        return searched(self.case)


@dataclass(frozen=True)
class Folder:
    """A folder of features: the tree of the documentation."""

    name: str
    documents: Sequence[Document]


def page(run: RunRecord, book: Book, stories: Mapping[str, Story]) -> str:
    """The HTML."""
    entries = [_entry(case, stories.get(case.id, Story(()))) for case in book.cases]
    return (
        environment()
        .get_template("run.html.j2")
        .render(
            run=run,
            seconds=(ended(run) - run.begin.started).total_seconds(),
            book=book,
            groups=list(_groups(entries)),
            folders=list(_folders(book)),
            words=WORDS,
            bad=sum(book.counts[status] for status in BAD),
            background=background,
            pickled=_argument,
            searched=searched,
            scenario_status=scenario_status,
        )
    )


def searched(case: Case) -> str:
    """What a search for text looks at, in lower case."""
    steps = " ".join(step.text for step in case.pickle.steps)
    told = " ".join(filter(None, (text for attempt in case.attempts for text in _messages(attempt))))
    rule = case.rule.name if case.rule else ""
    tags = " ".join(f"@{tag}" for tag in case.tags)
    return " ".join([case.feature.name, rule, case.name, *case.values, steps, tags, told, case.uri]).lower()


def scenario_status(cases: Sequence[Case]) -> Status:
    """What became of a scenario with several examples: what became of the worst."""
    order = list(WORDS)
    return min((case.status for case in cases), key=order.index, default="not run")


def _messages(attempt: ScenarioRecord) -> Iterator[str]:
    yield attempt.message
    for step in attempt.steps:
        yield step.message


def _groups(entries: Sequence[Entry]) -> Iterator[tuple[Status, Sequence[Entry]]]:
    """The cases by status, those first that somebody has to look at."""
    for status in WORDS:
        found = [entry for entry in entries if entry.case.status == status]
        if found:
            yield status, found


def _folders(book: Book) -> Iterator[Folder]:
    names = dict.fromkeys(document.uri.rpartition("/")[0] for document in book.documents)
    for name in names:
        yield Folder(name, [document for document in book.documents if document.uri.rpartition("/")[0] == name])


def _entry(case: Case, story: Story) -> Entry:
    return Entry(
        case=case,
        story=story,
        attempts=[_attempt(case, attempt) for attempt in case.attempts],
        pictures=list(pictures(case.last)) if case.last else [],
    )


def _attempt(case: Case, told: ScenarioRecord) -> Attempt:
    shown = [each for each in told.attachments if not is_observation(each)]
    steps = [
        Step(
            told=step,
            argument=_pickled_argument(case, index),
            attachments=[each for each in shown if each.step == index],
        )
        for index, step in enumerate(told.steps)
    ]
    return Attempt(told, steps, [each for each in shown if each.step is None])


def _pickled_argument(case: Case, index: int) -> Argument:
    argument = case.pickle.steps[index].argument
    table = argument.data_table if argument else None
    text = argument.doc_string if argument else None
    rows = [[cell.value for cell in row.cells] for row in table.rows] if table else []
    return Argument(rows, text.content if text else None)


def _argument(table: DataTable | None, text: DocString | None) -> Argument:
    rows = [[cell.value for cell in row.cells] for row in table.rows] if table else []
    return Argument(rows, text.content if text else None)
