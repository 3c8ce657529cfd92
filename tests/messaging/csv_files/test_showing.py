"""Rows that cannot be taken stand below one row of headings, whatever is wrong in each."""

from messaging.csv_files.showing import ShownCell, ShownRow, in_columns


def test_each_cell_stands_below_its_own_heading() -> None:
    phone, plan = ShownCell("Phone", "12", "Too short."), ShownCell("Plan", "Gold", "Choose one of: Basic, Pro.")
    rows = in_columns([
        ShownRow(3, [phone, ShownCell("Name", "Bad")]),
        ShownRow(5, [ShownCell("Phone", "+1"), ShownCell("Name", "Julia"), plan]),
        ShownRow(9, [ShownCell("Phone", "+2"), ShownCell("Name", "K"), ShownCell("Note", "x", "Too long.")], "Wrong."),
    ])  # fmt: skip
    assert [[cell.heading for cell in row.cells] for row in rows] == [["Phone", "Name", "Plan", "Note"]] * 3
    assert rows[0].cells == [phone, ShownCell("Name", "Bad"), ShownCell("Plan", ""), ShownCell("Note", "")]
    assert rows[1].cells[2] == plan
    assert [cell.problem for cell in rows[2].cells] == ["", "", "", "Too long."]
    assert [(row.number, row.problem) for row in rows] == [(3, ""), (5, ""), (9, "Wrong.")]


def test_columns_that_share_a_heading_stay_two() -> None:
    (row,) = in_columns([ShownRow(2, [ShownCell("Note", "first"), ShownCell("Note", "second")])])
    assert [cell.value for cell in row.cells] == ["first", "second"]


def test_no_rows_are_no_trouble() -> None:
    assert in_columns([]) == []
