"""The dry run: every row is read and compared with what is known, and nothing but the findings is written."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from messaging.csv_files.models import Upload
from messaging.csv_files.showing import SHOWN, ShownCell, ShownRow, in_columns, shown_row
from messaging.jobs.models import Job

from .drafts import Draft, Plan, changes_of
from .models import ContactImport
from .numbers import claim_numbers, forget_numbers, repeated
from .options import Options
from .passes import Counts, go_through
from .standing import Standing, standing_of


def check_slice(job: Job, until: float) -> bool:
    """Check some rows of the import that the job names; return True when all are."""
    return go_through(
        job, until, state=ContactImport.State.CHECKING, handle=_handle, finish=_finish, begin=forget_numbers
    )


def words_of_problems(draft: Draft, repeats: Mapping[int, int], plan: Plan) -> dict[int | None, str]:
    """Return what is wrong with the row, by column; a repetition is wrong at its number."""
    if draft.row.number in repeats:
        first = f"{repeats[draft.row.number]:,}"
        return {plan.mapping["phone"]: f"This number stands in row {first} already, and that row is taken. Keep one."}
    return draft.problems


def _handle(importing: ContactImport, plan: Plan, upload: Upload, drafts: Sequence[Draft], counts: Counts) -> None:
    claim_numbers(upload, drafts)
    repeats = repeated(upload, drafts)
    good = [draft for draft in drafts if draft.is_good and draft.row.number not in repeats]
    counts["bad"] += sum(not draft.is_good for draft in drafts)
    counts["repeated"] += len(repeats)
    for draft in drafts:
        problems = words_of_problems(draft, repeats, plan)
        if problems and len(importing.first_wrong) < SHOWN:
            shown = shown_row(draft.row, header=plan.inspection.header, columns=_shown_columns(plan), problems=problems)
            importing.first_wrong = [*importing.first_wrong, asdict(shown)]
    options = Options.of(importing)
    standing = standing_of(plan.organization, {draft.e164 for draft in good}, purpose=options.purpose)
    if importing.is_of_opt_outs:
        counts["new_opt_outs"] += sum(draft.e164 not in standing.opted_out for draft in good)
        counts["standing_opt_outs"] += sum(draft.e164 in standing.opted_out for draft in good)
    else:
        _count_contacts(good, standing, options, counts)


def _count_contacts(good: Sequence[Draft], standing: Standing, options: Options, counts: Counts) -> None:
    for draft in good:
        contact = standing.contacts.get(draft.e164)
        if contact is None:
            counts["new"] += 1
        elif options.skips_known:
            counts["skipped"] += 1
        elif changes_of(contact, draft):
            counts["updates"] += 1
        else:
            counts["unchanged"] += 1
        agrees = options.consent_of(draft, is_known=contact is not None)
        is_out = draft.e164 in standing.opted_out
        counts["stay_opted_out"] += is_out
        counts["new_opt_outs"] += draft.opted_out and not is_out
        if agrees is False:
            counts["withdrawals"] += draft.e164 not in standing.withdrew
        elif agrees and (is_out or draft.opted_out or draft.e164 in standing.withdrew):
            counts["kept_back"] += 1
        elif agrees:
            counts["consents"] += draft.e164 not in standing.agreed


def _finish(importing: ContactImport) -> None:
    importing.state = ContactImport.State.CHECKED


def _shown_columns(plan: Plan) -> list[int]:
    wanted = [plan.mapping[key] for key in ("phone", "name", "email") if key in plan.mapping]
    return list(dict.fromkeys(wanted))


def wrong_rows(importing: ContactImport) -> list[ShownRow]:
    """Return the first rows that are not taken, for the page."""
    rows: list[dict[str, Any]] = importing.first_wrong
    return in_columns(
        [ShownRow(row["number"], [ShownCell(**cell) for cell in row["cells"]], row["problem"]) for row in rows]
    )
