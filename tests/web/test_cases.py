"""The pages of cases as work: folded causes, one case with its manual, hands, rest, words, replays, refund tasks, files."""

import csv
import io
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import insert, select, update

from interlock.cases.replays import PLACE_HELD_FOR, replay_orders
from interlock.cases.store import answers, case_events, cases, sync_cases, waiting_answers
from interlock.engine.store import ConnectionRow
from interlock.orders.codec import encode
from interlock.orders.connection import ReasonOfEdit
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Fee, Tax
from interlock.orders.store import orders
from interlock.storage.database import Database
from tests.build import NOW, some_rules
from tests.console.seed import TESTER, Stopped, Wakes, edited_up, keep, shipped_with, sku_unknown
from tests.refunds.test_decide import look, shopify_refund
from tests.web.browser import Browser, text_of

EVIL = "<script>alert(1)</script>"


def case_about(database: Database, reason: Reason) -> int:
    with database.begin() as c:
        found = select(cases.c.id).where(cases.c.reason == reason.value).order_by(cases.c.id).limit(1)
        return int(c.execute(found).scalar_one())


@pytest.fixture
def pigeons(database: Database, connection: ConnectionRow) -> int:
    """Three orders that one carrier stops, and one edit; the number of the first carrier case."""
    with database.begin() as c:
        keep(c, connection, edited_up())
        for number in ("M-1002-A", "M-1003-A", "M-1004-A"):
            keep(c, connection, shipped_with("Pigeon Post", number))
    return case_about(database, Reason.CARRIER_UNKNOWN)


def test_one_cause_is_one_line_with_the_number_of_orders(browser: Browser, pigeons: int) -> None:
    page = text_of(browser.get("/cases"))

    assert "The carrier is not mapped: “Pigeon Post”, 3 orders" in page
    one_by_one = browser.get("/cases?reason=carrier_unknown&cause=pigeon+post").text
    assert one_by_one.count('id="line-') == 3


def test_a_case_on_its_own_names_its_cause_and_a_digest_is_none(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        keep(c, connection, shipped_with("Pigeon Post", "M-1002-A"))
        keep(c, connection, sku_unknown())
    page = text_of(browser.get("/cases"))
    with database.begin() as c:
        c.execute(update(cases).values(reason=Reason.EMAIL_NOT_RELAY.value, subject="9f3c", cause="9f3c"))

    assert "The carrier is not mapped: “Pigeon Post”" in page
    assert "A SKU of the order is not in the shop: “LAMP”" in page
    assert "9f3c" not in text_of(browser.get("/cases"))


@pytest.mark.parametrize(
    ("matches", "said"),
    [
        (0, "In the shop 0 variants of the shop carry this SKU"),
        (1, "In the shop 1 variant of the shop carries this SKU"),
        (2, "In the shop 2 variants of the shop carry this SKU"),
    ],
)
def test_a_case_about_a_sku_says_in_words_how_many_variants_carry_it(
    browser: Browser, database: Database, connection: ConnectionRow, matches: int, said: str
) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, sku_unknown())
        c.execute(update(cases).values(facts=[["variants", str(matches)]]))
        case_id = c.execute(select(cases.c.id)).scalars().one()

    assert said in text_of(browser.get(f"/cases/{case_id}"))
    assert said in text_of(browser.get(f"/orders/{order_id}"))


def test_filters_leave_out_the_rest_and_unknown_ones_are_refused(browser: Browser, pigeons: int) -> None:
    assert "Pigeon Post" not in text_of(browser.get("/cases?team=CX"))
    assert "Pigeon Post" in text_of(browser.get("/cases?team=operations&connection=atlas"))
    assert browser.get("/cases?team=sales").status_code == 422
    assert "No case matches these filters" in text_of(browser.get("/cases?status=snoozed"))


def test_the_queue_is_filtered_by_who_has_a_case_and_by_how_much_it_presses(
    browser: Browser, database: Database, pigeons: int
) -> None:
    with database.begin() as c:
        c.execute(update(cases).values(severity="today"))
        c.execute(update(cases).where(cases.c.id == pigeons).values(assignee="Grace", severity="urgent"))

    def numbers(query: str) -> list[str]:
        page = browser.get(f"/cases?reason=carrier_unknown&cause=pigeon+post&{query}")
        file = browser.get(f"/cases.csv?reason=carrier_unknown&cause=pigeon+post&{query}").text
        shown = re.findall(r'id="line-(\d+)"', page.text)
        assert [row.split(",")[0] for row in file.strip().splitlines()[1:]] == shown
        return shown

    assert numbers("assignee=Grace") == [str(pigeons)]
    assert len(numbers("assignee=nobody")) == 2
    assert numbers("severity=urgent") == [str(pigeons)]
    assert numbers("severity=today&assignee=Grace") == []
    page = browser.get("/cases?assignee=Grace").text
    assert "<option selected>Grace</option>" in page
    assert ("<option>Ada</option>" in page, "<option>nobody</option>" in page) == (False, True)
    for path in ("/cases", "/cases.csv"):
        assert browser.get(f"{path}?severity=loud").status_code == 422


def test_the_file_has_every_case_and_no_formula(browser: Browser, database: Database, pigeons: int) -> None:
    with database.begin() as c:
        c.execute(update(cases).where(cases.c.id == pigeons).values(sentence="=cmd|' /C calc'!A0"))

    file = browser.get("/cases.csv")

    assert file.headers["content-type"].startswith("text/csv")
    assert len(file.text.strip().splitlines()) == 5
    assert "'=cmd" in file.text


def test_a_case_shows_its_damage_its_manual_and_how_many_an_answer_frees(
    browser: Browser, pigeons: int
) -> None:
    page = text_of(browser.get(f"/cases/{pigeons}"))

    assert "Damage:" in page
    assert "What happens if nobody does" in page
    assert "It frees 3 orders." in page
    assert "3 orders of atlas wait for “Pigeon Post”" in page


def test_hands_rest_and_words_are_in_the_history(browser: Browser, database: Database, pigeons: int) -> None:
    place = f"/cases/{pigeons}"
    for form, data in (
        ("work", {"act": "begin"}),
        ("comment", {"words": f"Asked the warehouse {EVIL}"}),
        ("snooze", {"hours": "1", "why": "They answer at noon."}),
        ("work", {"act": "wake"}),
        ("work", {"act": "assign", "to": "Grace"}),
        ("work", {"act": "put back"}),
    ):
        with database.begin() as c:
            c.execute(update(cases).values(damage_at=None))
        assert browser.submit(place, f"{place}/{form}", data=data).status_code == 303

    raw = browser.get(place).text
    assert EVIL not in raw
    assert "Asked the warehouse &lt;script&gt;" in raw
    with database.begin() as c:
        told = c.execute(select(case_events.c.what, case_events.c.who).order_by(case_events.c.id)).all()
    assert [what for what, who in told if who == TESTER.handle] == [
        "begun",
        "commented",
        "snoozed",
        "woken",
        "assigned",
        "put back",
    ]


@pytest.mark.parametrize(
    ("form", "data", "said"),
    [
        ("snooze", {"hours": "1", "why": " "}, "The reason is empty"),
        ("snooze", {"hours": "9999", "why": "so"}, "Choose how long"),
        ("comment", {"words": ""}, "The comment is empty"),
        ("work", {"act": "dance"}, "does not say what to do"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    browser: Browser, database: Database, pigeons: int, form: str, data: dict[str, str], said: str
) -> None:
    response = browser.submit(f"/cases/{pigeons}", f"/cases/{pigeons}/{form}", data=data)

    assert response.status_code == 422
    assert said in text_of(response)
    with database.begin() as c:
        assert set(c.execute(select(case_events.c.what)).scalars()) == {"opened"}


def test_two_people_cannot_begin_one_case(browser: Browser, database: Database, pigeons: int) -> None:
    with database.begin() as c:
        c.execute(update(cases).where(cases.c.id == pigeons).values(assignee="Grace", begun_at=NOW))

    response = browser.submit(f"/cases/{pigeons}", f"/cases/{pigeons}/work", data={"act": "begin"})

    assert response.status_code == 422
    assert "Grace is working on case" in text_of(response)


def test_a_replay_is_begun_and_followed(
    browser: Browser, database: Database, pigeons: int, wakes: Wakes, stopped: Stopped
) -> None:
    response = browser.submit(f"/cases/{pigeons}", f"/cases/{pigeons}/replay")

    place = response.headers["location"]
    assert place.startswith("/cases/replays/")
    assert [lane for _, lane in wakes.woken] == ["rest"] * 3
    assert "0 of 3 orders are free" in text_of(browser.get(place))
    assert "Late" not in text_of(browser.get(place))
    stopped.moment += PLACE_HELD_FOR
    late = browser.get(place)
    assert "Being looked at 0 Late 3 Still blocked 0" in text_of(late)
    assert browser.get("/cases?reason=poison_order").status_code == 200
    with database.begin() as c:
        c.execute(update(orders).values(handled=orders.c.hints))
        c.execute(update(cases).where(cases.c.id == pigeons).values(closed_at=NOW, closed_because="Gone."))
    done = text_of(browser.get(place))
    assert "1 of 3 orders are free" in done
    assert "What still blocks them" in done
    assert browser.get("/cases/replays/999").status_code == 404


def test_a_replay_that_tries_one_order_at_a_time_says_so(
    browser: Browser, database: Database, pigeons: int, stopped: Stopped, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = browser.submit(f"/cases/{pigeons}", f"/cases/{pigeons}/replay").headers["location"]
    with database.begin() as c:
        c.execute(update(replay_orders).where(replay_orders.c.place == 3).values(woken_at=None))
    stopped.moment += PLACE_HELD_FOR
    said = "the next ones are tried one by one"

    assert said not in text_of(browser.get(place))
    monkeypatch.setattr("interlock.cases.replays.LATE_IN_A_ROW", 2)
    assert said in text_of(browser.get(place))


def refused_together(database: Database, option: Option = Option.SEND_AGAIN) -> None:
    """The three orders of the carrier wait for an answer instead."""
    with database.begin() as c:
        rows = cases.c.reason == Reason.CARRIER_UNKNOWN.value
        reason = Reason.SHIPPING_REFUSED if option is Option.SEND_AGAIN else Reason.OLDER_THAN_CONNECTION
        c.execute(update(cases).where(rows).values(reason=reason.value, options=[option.value], cause="or24"))


@pytest.mark.parametrize(
    ("option", "button"),
    [
        (Option.SEND_AGAIN, "Send again for 3 orders"),
        (Option.IN_SHOP_ALREADY, "Already in the shop: 3 orders"),
    ],
)
def test_what_waits_for_an_answer_is_answered_together(
    browser: Browser, database: Database, pigeons: int, wakes: Wakes, option: Option, button: str
) -> None:
    refused_together(database, option)
    place = f"/cases/{pigeons}"
    page = text_of(browser.get(place))
    assert (button in page, "Look at 3 orders again" in page) == (True, False)

    form = {"option": option.value, "why": "It is put right."}
    response = browser.submit(place, f"{place}/answer-all", data=form)

    assert response.headers["location"].startswith("/cases/replays/")
    assert len(wakes.woken) == 3
    with database.begin() as c:
        given = c.execute(select(answers.c.option, answers.c.who, answers.c.why)).all()
    assert [tuple(row) for row in given] == [(option.value, TESTER.handle, "It is put right.")] * 3
    assert "<q>It is put right.</q>" in browser.get(place).text
    assert button not in text_of(browser.get(place))


def test_what_somebody_else_decided_of_one_order_is_left_out_and_said(
    browser: Browser, database: Database, pigeons: int
) -> None:
    refused_together(database)
    place = f"/cases/{pigeons}"
    said = "that somebody else ha{} answered otherwise"
    form = {"option": "send_again", "why": "It is put right."}

    def decide_otherwise(*numbers: int) -> None:
        with database.begin() as c:
            for row in c.execute(select(cases).where(cases.c.id.in_(numbers))):
                given = {
                    "reason": row.reason,
                    "subject": row.subject,
                    "why": "Seen.",
                    "at": NOW,
                    "taken_at": NOW,
                }
                c.execute(
                    insert(answers).values(order_id=row.order_id, option="dismiss", who="Grace", **given)
                )

    with database.begin() as c:
        c.execute(update(cases).values(opened_at=NOW))
        numbers = c.execute(select(cases.c.id).where(cases.c.cause == "or24")).scalars().all()
    decide_otherwise(pigeons)
    page = text_of(browser.get(place))
    assert "Send again for 2 orders" in page
    assert f"Left out: 1 case {said.format('s')}" in page
    response = browser.submit(place, f"{place}/answer-all", data=form)
    assert f"Left out: 1 case {said.format('d')}" in text_of(browser.get(response.headers["location"]))

    with database.begin() as c:
        c.execute(update(answers).values(taken_at=NOW))
    decide_otherwise(*numbers)
    refused = browser.submit(place, f"{place}/answer-all", data=form)
    assert refused.status_code == 422
    assert "answered already by somebody else, and otherwise" in text_of(refused)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"option": "send_again", "why": " "}, "The reason is empty"),
        ({"option": "map_carrier", "why": "so"}, "is not answered to a whole cause"),
        ({"option": "", "why": "so"}, "is not answered to a whole cause"),
    ],
)
def test_what_is_not_answered_to_a_whole_cause_changes_nothing(
    browser: Browser, database: Database, pigeons: int, form: dict[str, str], said: str
) -> None:
    refused_together(database)
    response = browser.submit(f"/cases/{pigeons}", f"/cases/{pigeons}/answer-all", data=form)

    assert response.status_code == 422
    assert said in text_of(response)
    with database.begin() as c:
        assert c.execute(select(answers)).all() == []
    unsealed = browser.post(f"/cases/{pigeons}/answer-all", data={**form, "token": "forged"})
    assert unsealed.status_code in (400, 403)


def test_mapping_the_carrier_says_how_many_are_free_to_go(
    browser: Browser, connection: ConnectionRow, pigeons: int
) -> None:
    place = f"/connections/{connection.id}/carriers"

    response = browser.submit(place, place, data={"shop_name": "Pigeon Post", "code": "DPD"})

    assert "3 waiting orders are looked at again: follow them" in text_of(response)


def test_the_reason_of_an_answer_stays_on_the_case_in_its_list_and_in_its_file(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        order_id, plan = keep(c, connection, look(shopify_refund()))
    number = case_about(database, Reason.REFUND_TASK)
    form = {"option": Option.DISMISS.value, "why": f"The customer keeps it {EVIL}"}
    assert browser.submit(f"/cases/{number}", f"/cases/{number}/answer", data=form).status_code == 303
    page = browser.get(f"/cases/{number}").text
    assert EVIL not in page
    assert "Answered “Close it”. <q>The customer keeps it &lt;script&gt;" in page

    with database.begin() as c:
        said = tuple(decision for _, decision in waiting_answers(c, order_id))
        sync_cases(c, order_id, connection.id, (), NOW, True, None, replace(plan.memory, decisions=said))

    because = f"{TESTER.handle} dismissed it: The customer keeps it {EVIL}."
    closed = "/cases?status=closed&reason=refund_task"
    assert "dismissed it: The customer keeps it &lt;script&gt;" in browser.get(closed).text
    file = csv.DictReader(io.StringIO(browser.get(closed.replace("?", ".csv?")).content.decode("utf-8-sig")))
    assert [row["closed because"] for row in file] == [because]


def test_a_refund_task_says_what_to_enter_where_and_what_should_come_back(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        keep(c, connection, look(shopify_refund()))
    page = text_of(browser.get("/refund-tasks"))

    assert "A refund has to be made in the marketplace portal" in page
    assert "MUG" in page
    assert "commission should come back" in page
    assert "Open the marketplace portal" in page
    file = browser.get("/refund-tasks.csv").text
    assert "refund_task" in file
    assert 'name="team"' in browser.get("/refund-tasks").text
    assert "MUG" in text_of(browser.get("/refund-tasks?team=finance"))
    assert "No refund task matches" in text_of(browser.get("/refund-tasks?team=CX"))
    assert "No refund task matches" in text_of(browser.get("/refund-tasks?reason=refund_mismatch"))


def test_a_refund_task_of_two_amounts_names_both_and_neither_as_the_customers(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        keep(c, connection, look(shopify_refund("3.00")))
    page = text_of(browser.get("/refund-tasks"))

    assert "Shopify refunded 3.00 EUR" in page
    assert "share of the units is 12.00 EUR" in page
    assert "for the customer" not in page
    head, row = csv.reader(browser.get("/refund-tasks.csv").text.lstrip("\ufeff").splitlines())
    cells = dict(zip(head, row, strict=True))
    assert (cells["amount"], cells["other amount in Shopify"]) == ("10.00", "3.00")


def test_taxes_of_the_shipping_are_not_mistaken_for_taxes_of_the_product(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        order, plan = keep(c, connection, look(shopify_refund()))
        (task,) = plan.memory.refund_tasks
        due = replace(
            task.lines[0],
            taxes=(Tax("CITY", Decimal("0.18")),),
            shipping_taxes=(Tax("CITY", Decimal("0.03")),),
        )
        taxed = replace(plan.memory, refund_tasks=(replace(task, lines=(due,)),))
        c.execute(update(orders).where(orders.c.id == order).values(memory=encode(taxed)))

    page = browser.get("/refund-tasks").text
    assert 'data-name="Amount taxes">CITY 0.18 EUR<' in page
    assert 'data-name="Shipping taxes">CITY 0.03 EUR<' in page
    (row,) = csv.DictReader(io.StringIO(browser.get("/refund-tasks.csv").content.decode("utf-8-sig")))
    assert (row["taxes"], row["shipping_taxes"]) == ("CITY 0.18", "CITY 0.03")


def test_the_file_of_refund_tasks_has_the_fees_the_code_of_each_line_and_where_it_is_made(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    codes = (ReasonOfEdit("line_removed", "", "GONE"), ReasonOfEdit("quantity_reduced", "", "FEWER"))
    with database.begin() as c:
        seen = look(shopify_refund(), rules=some_rules(reasons_by_edit=codes))
        order, plan = keep(c, connection, seen)
        (task,) = plan.memory.refund_tasks
        mug = replace(task.lines[0], fees=(Fee("ECO", Decimal("0.45")),))
        lamp = replace(task.lines[0], line_id="L2")
        both = replace(plan.memory, refund_tasks=(replace(task, lines=(mug, lamp)),))
        c.execute(update(orders).where(orders.c.id == order).values(memory=encode(both)))

    page = browser.get("/refund-tasks").text
    assert re.findall(r'data-name="Reason code"><code>(\w+)<', page) == ["FEWER", "GONE"]
    rows = list(csv.DictReader(io.StringIO(browser.get("/refund-tasks.csv").content.decode("utf-8-sig"))))
    assert [(row["fees"], row["reason code"]) for row in rows] == [("ECO 0.45", "FEWER"), ("", "GONE")]
    assert all(row["portal"].startswith("https://atlas.example") for row in rows)


def test_a_case_shows_no_marks_of_the_manuals_links(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        keep(c, connection, look(shopify_refund()))

    page = browser.get(f"/cases/{case_about(database, Reason.REFUND_TASK)}").text
    assert "Any other amount becomes a case of its own." in page
    assert "](" not in page


def test_without_a_task_the_page_teaches(browser: Browser, connection: ConnectionRow) -> None:
    assert "No refund waits" in text_of(browser.get("/refund-tasks"))
    assert "Nothing waits for a person" in text_of(browser.get("/cases"))
