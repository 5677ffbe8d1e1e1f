"""The console in a real browser: what each page is for, kept up to date, by keyboard, on a phone, for everybody.

Needs Chromium and Playwright (`./dev test` installs the latter where there is the former). Pictures of every page are
written to the folder that INTERLOCK_SCREENSHOTS names, else to `screenshots`.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, update

from interlock.access import people
from interlock.access.roles import Grant, Role
from interlock.access.rules import AccessRules
from interlock.cases import work
from interlock.cases.replays import MOST_AT_ONCE
from interlock.cases.store import answers, cases
from interlock.console.doors import SESSION
from interlock.desk.store import desk_edits
from interlock.engine.store import all_connections, polls
from interlock.monitoring import links, outbox
from interlock.monitoring.decide import Alert
from interlock.orders.store import orders, tell
from interlock.orders.view import View
from interlock.storage.database import Database
from tests.build import a_fulfillment_order, a_memory, a_shopify_order, a_view, an_order, some_rules
from tests.console.seed import CLOCK, TESTER, keep, shipped_with
from tests.console.served import AXE, CHROMIUM, EVIL, NEEDS_A_BROWSER, ROOT, Served, serving
from tests.databases import ThrowawayServer
from tests.monitoring.receiver import Receiver
from tests.replacements.test_decide import GONE, a_duplicate, view_of

pytestmark = NEEDS_A_BROWSER
playwright = pytest.importorskip(
    "playwright.sync_api",
    reason="Playwright is not installed (./dev test installs it where there is Chromium)",
)

PICTURES = Path(os.environ.get("INTERLOCK_SCREENSHOTS") or ROOT / "screenshots")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
PAGES = (
    "/",
    "/orders",
    "/orders?q=nothing",
    "/orders/1",
    "/orders/3",
    "/acceptance",
    "/holds",
    "/cases",
    "/cases/1",
    "/refund-tasks",
    "/label-check",
    "/orders/1/label",
    "/orders/1/evidence",
    "/alerts",
    "/connections",
    "/connections/1/flows",
    "/connections/1/carriers",
    "/connections/1/skus",
    "/connections/1/reasons",
    "/connections/1/methods",
    "/skus",
    "/mappings",
    "/people",
    "/people/1",
    "/api-keys",
    "/audit-log",
    "/privacy",
    "/health",
    "/manual",
    "/manual/operations/cases/carrier_unknown",
)


@pytest.fixture(scope="module")
def served(server: ThrowawayServer) -> Iterator[Served]:
    database = Database(server.new_database())
    with serving(database) as found:
        yield found
    server.drop_database(database)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield found
        found.close()


class Screen:
    """One window of the browser, which remembers what the browser complained of."""

    def __init__(self, chromium: Any, served: Served, size: dict[str, int], scheme: str = "light") -> None:
        self.context = chromium.new_context(viewport=size, color_scheme=scheme, base_url=served.address)
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.complaints: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))

    def open(self, path: str) -> Any:
        self.page.goto(path, wait_until="load")
        return self.page

    def open_and_listen(self, path: str) -> Any:
        """The page once its stream of events is open and has looked at what stands."""
        with self.page.expect_response("**/events*"):
            self.page.goto(path, wait_until="load")
        self.page.wait_for_timeout(1500)
        return self.page

    def sign_in(self, address: str, token: str) -> None:
        """Have the cookie of a session that somebody began at this address."""
        name = AccessRules().cookie(SESSION)
        self.context.add_cookies([{"name": name, "value": token, "url": address}])

    def close(self) -> None:
        self.context.close()


@pytest.fixture(scope="module")
def screens(chromium: Any, served: Served) -> Iterator[dict[tuple[str, str], Screen]]:
    """One window for each size and colour scheme, shared by the tests that only look."""
    found = {
        (size, scheme): Screen(chromium, served, PHONE if size == "phone" else DESK, scheme)
        for size in ("desk", "phone")
        for scheme in ("light", "dark")
    }
    yield found
    for screen in found.values():
        screen.close()


@pytest.fixture
def screen(chromium: Any, served: Served) -> Iterator[Screen]:
    found = Screen(chromium, served, DESK)
    yield found
    found.close()


@pytest.fixture
def phone(chromium: Any, served: Served) -> Iterator[Screen]:
    found = Screen(chromium, served, PHONE)
    yield found
    found.close()


def _named(path: str) -> str:
    return path.strip("/").replace("/", "-").partition("?")[0] or "today"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_for_everybody(
    screens: dict[tuple[str, str], Screen], path: str, scheme: str
) -> None:
    """No complaint of the browser, nothing that hinders a screen reader, no sideways scrolling on a phone."""
    for size in ("desk", "phone"):
        _is_whole(screens[size, scheme], path, path, size, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_signing_in_is_whole_for_everybody(
    screens: dict[tuple[str, str], Screen], served: Served, scheme: str
) -> None:
    for size in ("desk", "phone"):
        _is_whole(screens[size, scheme], f"{served.doorstep}/login", "/login", size, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/account", "/account/keys"])
def test_a_page_of_ones_own_is_whole_for_everybody(
    screens: dict[tuple[str, str], Screen], served: Served, path: str, scheme: str
) -> None:
    for size in ("desk", "phone"):
        screen = screens[size, scheme]
        screen.sign_in(served.doorstep, served.token)
        _is_whole(screen, f"{served.doorstep}{path}", path, size, scheme)
        assert screen.page.get_by_role("heading", level=1).inner_text() in ("My account", "Your keys")


def test_a_key_is_made_in_ones_own_name_shown_once_and_revoked(screen: Screen, served: Served) -> None:
    screen.sign_in(served.doorstep, served.token)
    page = screen.open(f"{served.doorstep}/account")
    page.get_by_role("link", name="Look at your keys, or make one").click()
    page.get_by_label("What it is for").fill("laptop")
    page.get_by_label("read cases and decisions").check()
    page.get_by_role("button", name="Make the key").click()

    secret = page.locator("code.secret").inner_text()
    assert secret.startswith("il_")
    page.goto(f"{served.doorstep}/account/keys")
    assert secret not in page.content()
    page.get_by_role("button", name="Revoke laptop").click()
    page.get_by_role("heading", name="Revoked").wait_for()
    assert page.get_by_role("button", name="Revoke laptop").count() == 0
    assert screen.complaints == []


def _is_whole(screen: Screen, address: str, path: str, size: str, scheme: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    screen.complaints.clear()
    page = screen.open(address)
    if size == "phone":
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.screenshot(path=PICTURES / f"{_named(path)}-{scheme}-{size}.png", full_page=True)
    assert screen.complaints == []
    assert page.evaluate("window.hurt") is None
    if size == "desk" and AXE.exists():
        found = _axe(page)
        assert found == [], "\n".join(found)


def _axe(page: Any) -> list[str]:
    """What hinders somebody seriously, one sentence each."""
    # A policy of the page keeps it from loading this; what the browser is told to run is not the page's.
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("path", ["/audit-log?who=nobody", "/orders?q=nothing", "/skus?sku=nothing"])
def test_what_says_that_a_list_is_empty_lies_over_nothing_else(screen: Screen, path: str) -> None:
    page = screen.open(path)
    said = page.locator(".empty").bounding_box()
    foot = page.locator("footer").bounding_box()
    filters = page.locator("form.filters").bounding_box()

    assert filters["y"] + filters["height"] < said["y"]
    assert said["y"] + said["height"] <= foot["y"]


def test_the_steps_of_a_case_do_not_touch_each_other(screen: Screen) -> None:
    boxes = [one.bounding_box() for one in screen.open("/cases/1").locator(".next-steps > li").all()]

    assert len(boxes) > 2
    for above, below in pairwise(boxes):
        assert above["y"] + above["height"] + 4 <= below["y"]


@pytest.mark.parametrize("path", ["/refund-tasks", "/orders", "/cases"])
def test_on_a_phone_a_row_stands_upright_with_its_names(phone: Screen, path: str) -> None:
    page = phone.open(path)

    assert page.locator("table thead").evaluate("it => getComputedStyle(it).position") == "absolute"
    assert page.evaluate("[...document.querySelectorAll('table')].every(it => it.scrollWidth <= 390)")


def test_an_open_page_shows_what_happened_since_without_being_asked(screen: Screen, served: Served) -> None:
    page = screen.open_and_listen(f"/orders/{served.edited}")
    with served.database.begin() as c:
        tell(c, served.edited, CLOCK, "Ada", ["Rang the customer."])

    # Well before the page would have asked by itself.
    page.get_by_text("Rang the customer.").wait_for(timeout=8000)
    assert screen.complaints == []


@pytest.mark.parametrize("trouble", ["away", "refused"])
def test_an_open_page_that_is_not_refreshed_says_so_until_it_is_again(
    screen: Screen, served: Served, trouble: str
) -> None:
    path = f"/orders/{served.edited}"
    page = screen.open_and_listen(path)
    page.locator("details.desk summary").first.click()
    shown = page.locator("#live").inner_text()
    troubled = True

    def answer(route: Any) -> None:
        if not troubled or route.request.headers.get("hx-request") != "true":
            route.continue_()
        elif trouble == "away":
            route.abort("connectionrefused")
        else:
            route.fulfill(status=503, content_type="text/html", body="<!doctype html><main>Not done</main>")

    page.route(f"**{path}", answer)
    # The page asks every ten seconds by itself.
    page.get_by_text("Not refreshed since").wait_for(timeout=20_000)
    assert page.locator("#live").inner_text() == shown
    assert page.locator("main").count() == 1
    troubled = False
    with served.database.begin() as c:
        tell(c, served.edited, CLOCK, "Ada", ["Rang once more."])

    page.get_by_text("Rang once more.").wait_for(timeout=20_000)
    page.get_by_text("Not refreshed since").wait_for(state="hidden")


def test_an_open_page_of_what_may_not_be_seen_any_more_is_left_for_the_reason(
    screen: Screen, served: Served
) -> None:
    path = f"/orders/{served.edited}"
    page = screen.open_and_listen(path)

    def refused(route: Any) -> None:
        again = route.request.headers.get("hx-request") == "true"
        reply = {"HX-Refresh": "true"} if again else {}
        route.fulfill(
            status=403,
            content_type="text/html",
            headers=reply,
            body="<main>This needs the right to see.</main>",
        )

    page.route(f"**{path}", refused)
    with served.database.begin() as c:
        tell(c, served.edited, CLOCK, "Ada", ["Rang a third time."])

    page.get_by_text("This needs the right to see.").wait_for(timeout=20_000)
    assert page.locator("#live").count() == 0


def test_an_open_case_shows_who_took_it_and_keeps_what_is_being_written(
    screen: Screen, served: Served
) -> None:
    page = screen.open_and_listen("/cases/1")
    written = page.locator("#comment").get_by_label("Comment")
    written.fill("Half a sen")
    with served.database.begin() as c:
        work.begin(c, 1, "Grace", CLOCK)

    # Well before the page would have asked by itself.
    page.get_by_text("in progress · with Grace").wait_for(timeout=8000)
    assert page.locator("#history").get_by_text("Grace").first.is_visible()
    assert written.input_value() == "Half a sen"
    assert page.evaluate("document.activeElement.name") == "words"
    with served.database.begin() as c:
        work.put_back(c, 1, "Grace", CLOCK)
    assert screen.complaints == []


def test_a_step_of_a_case_is_one_button_and_leads_back_to_it(screen: Screen) -> None:
    page = screen.open("/cases/1")
    portal = page.get_by_role("link", name="Open the marketplace portal")
    assert portal.get_attribute("href") == "https://atlas.example"
    # The address is the same before and after, and a script that notes it in the history of the
    # browser counts as a navigation too. Only a page that is loaded anew says so.
    with page.expect_event("load"):
        page.get_by_role("button", name="Look again").click()

    assert page.locator("h1").is_visible()
    page.get_by_role("link", name="Edit the order").click()
    page.wait_for_url("**/orders/1#edit")
    assert screen.complaints == []


def test_a_page_is_seen_from_today(screen: Screen, served: Served) -> None:
    with served.database.begin() as c:
        outbox.keep(c, [Alert("now", "now", "page", ("operations",), "the poller is silent")], CLOCK)
        number = outbox.latest_alerts(c)[0].id
    page = screen.open_and_listen("/")
    page.get_by_role("button", name=f"I have seen it: alert {number}").click()

    page.get_by_role("button", name=f"I have seen it: alert {number}").wait_for(state="detached")
    assert page.locator("h1").inner_text() == "Today"
    assert screen.complaints == []


def test_the_stream_opens_on_a_slow_line_whichever_script_comes_last(screen: Screen, served: Served) -> None:
    def late(route: Any) -> None:
        time.sleep(0.4)
        route.continue_()

    screen.page.route("**/hx-sse*", late)
    screen.open_and_listen(f"/orders/{served.edited}")
    assert screen.complaints == []


def test_what_a_person_opened_stays_open_when_the_page_changes(screen: Screen, served: Served) -> None:
    page = screen.open_and_listen(f"/orders/{served.edited}")
    desk = page.locator("details.desk")
    desk.locator("summary").first.click()
    page.locator("#case-1").focus()
    with served.database.begin() as c:
        tell(c, served.edited, CLOCK, "Ada", ["Wrote to the customer."])

    page.get_by_text("Wrote to the customer.").wait_for(timeout=8000)
    assert desk.get_attribute("open") is not None
    assert page.evaluate("document.activeElement.id") == "case-1"


def test_the_keyboard_alone_skips_finds_and_opens_an_order(screen: Screen, served: Served) -> None:
    page = screen.open("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.goto("/")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "number"
    page.keyboard.type("#1001")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/orders/{served.edited}")
    assert page.locator("h1").inner_text() == "#1001"


def test_a_phone_has_the_menu_behind_a_button(phone: Screen) -> None:
    page = phone.open("/")
    assert not page.locator("#menu").is_visible()
    page.get_by_role("button", name="Menu").click()
    page.locator("#menu").get_by_role("link", name="Acceptance").click()
    page.wait_for_url("**/acceptance")
    assert page.locator("h1").inner_text() == "Acceptance"
    assert page.get_by_text("A SKU of the order is not in the shop").is_visible()


def test_dark_is_chosen_and_kept(screen: Screen) -> None:
    page = screen.open("/holds")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Dark").click()
    page.locator("html[data-theme=dark] body").wait_for()
    page.wait_for_load_state("load")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.goto("/orders")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_what_somebody_wrote_is_read_and_never_run(screen: Screen, served: Served) -> None:
    page = screen.open(f"/orders/{served.edited}")

    assert EVIL in page.locator(".story").inner_text()
    assert page.evaluate("window.hurt") is None
    assert "49" not in page.locator(".story").inner_text()
    assert screen.complaints == []


def test_a_carrier_is_mapped_where_the_page_says_what_it_unlocks(screen: Screen, served: Served) -> None:
    page = screen.open("/mappings")
    assert page.get_by_text("unlocks 1 order").first.is_visible()
    page.get_by_role("listitem").filter(has_text="Pigeon Post").get_by_role("link", name="Map it").click()
    assert page.get_by_label("Name the shop writes").input_value() == "Pigeon Post"
    page.get_by_label("Marketplace code").fill("DPD")
    page.get_by_role("button", name="Map", exact=True).click()

    page.get_by_role("status").wait_for()
    assert "1 mapping kept" in page.get_by_role("status").inner_text()
    assert screen.complaints == []


def test_a_flow_is_paused_and_resumed_and_every_page_shouts_meanwhile(screen: Screen) -> None:
    page = screen.open("/connections")
    page.get_by_role("link", name="Pause or resume a flow").click()
    page.get_by_text("Pause acceptance").first.click()
    form = page.locator("form", has=page.get_by_role("button", name="Pause acceptance"))
    form.get_by_label("Why").fill("The shop takes stock.")
    form.get_by_role("button", name="Pause acceptance").click()

    page.get_by_role("alert").filter(has_text="Acceptance of atlas is paused").wait_for()
    page.goto("/holds")
    assert page.get_by_role("alert").filter(has_text="orders can be lost").is_visible()
    page.go_back()
    page.get_by_role("button", name="End the pause of acceptance").click()
    page.get_by_role("alert").filter(has_text="is paused").wait_for(state="detached")
    assert screen.complaints == []


def test_a_list_is_filtered_by_its_form_and_taken_away_as_a_file(screen: Screen) -> None:
    page = screen.open("/orders")
    page.get_by_label("Show").select_option("cases")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**/orders?show=cases**")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Export CSV").click()

    text = taken.value.path().read_bytes().decode("utf-8-sig")
    assert text.startswith("marketplace order,connection,")
    assert "M-1001-A" in text


def test_a_case_is_answered_on_its_page(screen: Screen, served: Served) -> None:
    page = screen.open("/cases")
    page.get_by_role("row").filter(has_text="#1001").locator("a[id^=case-]").first.click()
    page.wait_for_url("**/cases/*")
    page.get_by_role("radio").first.check()
    page.locator("#answer").get_by_label("Why").fill("The customer agreed on the telephone.")
    page.get_by_role("button", name="Answer").click()

    page.get_by_text("has answered; the next look takes it up").first.wait_for()
    with served.database.begin() as c:
        said = c.execute(select(answers.c.who, answers.c.why)).one()
    assert tuple(said) == (TESTER.handle, "The customer agreed on the telephone.")
    assert screen.complaints == []


def test_a_refund_task_is_dismissed_with_a_reason(screen: Screen, served: Served) -> None:
    page = screen.open("/refund-tasks")
    assert page.get_by_text("commission should come back").is_visible()
    task = page.locator("article", has_text="M-1005-A")
    task.get_by_role("link", name="Close it").click()
    page.locator("#answer").get_by_label("Why").fill("Refunded in the portal under another number.")
    page.get_by_role("button", name="Answer").click()

    page.get_by_text("has answered; the next look takes it up").first.wait_for()
    with served.database.begin() as c:
        option = c.execute(select(answers.c.option).where(answers.c.order_id == served.refunded)).scalar_one()
    assert option == "dismiss"
    assert screen.complaints == []


def test_personal_data_are_shown_for_a_reason_and_not_before(screen: Screen, served: Served) -> None:
    page = screen.open(f"/orders/{served.edited}/evidence")
    assert "M-1001-A" in page.locator("pre").inner_text()
    assert "Canary" not in page.content()
    page.get_by_label("Why you have to see them").fill("The parcel came back: is the name complete?")
    page.get_by_role("button", name="Show them").click()

    page.locator("pre", has_text="Canary").wait_for()
    assert screen.complaints == []


def test_a_request_about_personal_data_is_shown_answered_and_forgotten(screen: Screen) -> None:
    page = screen.open("/privacy")
    assert "Canary" not in page.content()
    page.get_by_role("button", name="Show whom request 1 is about").click()
    page.locator("pre", has_text="Canary").wait_for()
    page.get_by_role("button", name="It was done: request 1").click()

    page.get_by_role("heading", name="Answered").wait_for()
    assert page.get_by_role("button", name="It was done: request 1").count() == 0
    assert "Canary" not in page.content()
    assert screen.complaints == []


def test_a_channel_of_alerts_is_added_and_test_fired(screen: Screen) -> None:
    page = screen.open("/alerts")
    with Receiver() as receiver:
        form = page.locator("form", has=page.get_by_role("button", name="Add the channel"))
        form.get_by_label("Name").fill("ops")
        form.get_by_label("Address, as Apprise writes it").fill(receiver.url("secret-token"))
        form.get_by_role("button", name="Add the channel").click()
        page.get_by_role("button", name="Test ops").click()

        page.get_by_role("status").filter(has_text="ops took the test message.").wait_for()
        assert len(receiver.at("secret-token")) == 1
    assert "secret-token" not in page.content()
    page.get_by_role("button", name="I have seen it: alert 1").click()
    page.get_by_role("button", name="I have seen it: alert 1").wait_for(state="detached")
    assert screen.complaints == []


def test_somebody_is_invited_and_the_audit_log_says_by_whom(screen: Screen) -> None:
    page = screen.open("/people")
    page.get_by_label("Sign-in name").fill("grace")
    page.get_by_label("Name", exact=True).fill("Grace Hopper")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Make the link").click()

    page.get_by_text("/welcome/").wait_for()
    page.goto("/audit-log")
    line = page.get_by_role("row").filter(has_text="grace").first
    assert TESTER.handle in line.inner_text()
    assert "Hopper" not in page.content()
    assert screen.complaints == []


def test_a_wrong_password_is_refused_in_words_and_says_nothing_of_who_exists(
    screen: Screen, served: Served
) -> None:
    page = screen.open(f"{served.doorstep}/orders")
    page.wait_for_url("**/login?back=*")
    page.get_by_label("Sign-in name").fill("nobody")
    page.get_by_label("Password").fill("an owl reads by lamplight")
    page.keyboard.press("Enter")

    refused = page.get_by_role("alert")
    refused.wait_for()
    assert "nobody" not in refused.inner_text()


def test_a_link_and_a_password_and_a_second_factor_open_the_console(screen: Screen, served: Served) -> None:
    with served.database.begin() as c:
        person = people.add_person(c, served.keyring, "mary", "Mary", "", [Grant(Role.CX)], "test", CLOCK)
        link = people.link_for(c, person, "test", CLOCK)
    page = screen.open(f"{served.doorstep}/welcome/{link}")
    assert page.get_by_label("Sign-in name").input_value() == "mary"
    page.get_by_label("Password").fill("seven quiet herons")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("link", name="My account").click()
    page.get_by_role("link", name="Set it up").click()
    secret = page.locator("code").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(pyotp.TOTP(secret).at(CLOCK))
    page.get_by_role("button", name="Go on").click()

    page.get_by_text("Your second factor is set up.").wait_for()
    recovery = page.locator(".codes code").first.inner_text()
    assert _serious(page) == []
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Sign-in name").fill("mary")
    page.get_by_label("Password").fill("seven quiet herons")
    page.keyboard.press("Enter")
    page.wait_for_url("**/login/code*")
    assert _serious(page) == []
    page.get_by_label("Code of your authenticator app").fill("000000")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    page.get_by_label("Code of your authenticator app").fill(recovery)
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="Today", level=1).wait_for()
    page.goto(f"{served.doorstep}/welcome/{link}")
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.get_by_role("button", name="Go on").count() == 0


def test_the_link_of_an_alert_changes_nothing_until_its_button_is_pressed(
    screen: Screen, served: Served
) -> None:
    with served.database.begin() as c:
        told = Alert("linked", "linked", "page", ("operations",), "the sweep is silent")
        outbox.keep(c, [told], CLOCK)
        number = outbox.latest_alerts(c)[0].id
    seal = links.seal(served.keyring, number, 1, CLOCK)
    page = screen.open(f"{served.doorstep}/alerts/acknowledge/{seal}")
    assert page.get_by_text("the sweep is silent").is_visible()
    assert _serious(page) == []
    with served.database.begin() as c:
        assert outbox.latest_alerts(c, 1, number)[0].acknowledged_at is None
    page.get_by_role("button", name="I have seen it").click()

    page.get_by_role("status").filter(has_text="Acknowledged by").wait_for()
    with served.database.begin() as c:
        assert outbox.latest_alerts(c, 1, number)[0].acknowledged_at is not None
    assert screen.complaints == []


def test_the_board_says_which_order_runs_out_of_time_and_leads_to_what_it_waits_for(
    screen: Screen, served: Served
) -> None:
    page = screen.open_and_listen("/acceptance")
    row = page.locator(f"#waiting-{served.waiting}")
    assert "20 h left" in row.inner_text()
    with served.database.begin() as c:
        soon = {"acceptance_due_at": CLOCK + timedelta(minutes=50)}
        c.execute(update(orders).where(orders.c.id == served.waiting).values(soon))
        tell(c, served.waiting, CLOCK, "Interlock", ["The time to accept became shorter."])

    page.locator(f"#waiting-{served.waiting} .countdown", has_text="50 min left").wait_for(timeout=15_000)
    row.get_by_role("link").nth(1).click()
    page.wait_for_url("**/cases/*")
    with served.database.begin() as c:
        back = {"acceptance_due_at": CLOCK + timedelta(hours=20)}
        c.execute(update(orders).where(orders.c.id == served.waiting).values(back))
    assert screen.complaints == []


def test_a_held_parcel_says_why_and_leads_to_who_can_free_it(screen: Screen, served: Served) -> None:
    page = screen.open("/holds")
    row = page.locator(f"#held-{served.edited}")
    assert "Shopify" in row.get_by_role("cell").nth(3).inner_text()
    row.locator(f"#held-case-{served.edited}").click()

    page.wait_for_url("**/cases/*")
    page.go_back()
    page.locator(f"#held-order-{served.edited}").click()
    page.wait_for_url(f"**/orders/{served.edited}")
    assert screen.complaints == []


def test_an_open_health_page_turns_red_when_a_read_of_a_platform_falls_silent(
    screen: Screen, served: Served
) -> None:
    with served.database.begin() as c:
        c.execute(update(polls).values(last_ok_at=CLOCK))
    page = screen.open_and_listen("/health")
    silent = page.locator("tr.alarm")
    before = silent.count()
    with served.database.begin() as c:
        c.execute(update(polls).values(last_ok_at=CLOCK - timedelta(hours=2)))
        tell(c, served.edited, CLOCK, "Ada", ["Looked at Health."])

    silent.nth(before).wait_for(timeout=15_000)
    assert page.locator(".problems li").count() >= 1
    with served.database.begin() as c:
        c.execute(update(polls).values(last_ok_at=CLOCK))
    assert screen.complaints == []


def shown(served: Served, *views: View) -> list[int]:
    """Further orders of the console's only connection, as runs leave them."""
    with served.database.begin() as c:
        (row,) = all_connections(c)
        return [keep(c, row, view)[0] for view in views]


def test_an_order_is_edited_at_the_desk_once_its_preview_was_read(screen: Screen, served: Served) -> None:
    shopify = a_shopify_order(
        id="SO6",
        name="#1006",
        marker="atlas:M-1006-A",
        fulfillment_orders=(a_fulfillment_order("FO6"),),
    )
    view = a_view(
        order_id="M-1006-A",
        shopify=shopify,
        mirakl=replace(an_order(), order_id="M-1006-A", seller_reference="#1006"),
        memory=a_memory(shopify_order_id="SO6", shopify_order_name="#1006"),
        rules=some_rules(partial_cancelation=True, cancelation_reason="15"),
    )
    (order,) = shown(served, view)
    page = screen.open(f"/orders/{order}")
    page.get_by_text("Choose what to edit").click()
    page.locator("input[name='units.L1']").fill("1")
    page.get_by_role("button", name="What would happen").click()

    page.get_by_role("heading", name="What would happen").wait_for()
    assert page.get_by_text("The marketplace is asked to cancel 1 of MUG.").is_visible()
    assert page.get_by_text("Nothing has been sent.").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= DESK["width"]
    assert _serious(page) == []
    with served.database.begin() as c:
        assert c.execute(select(desk_edits)).all() == []
    page.locator("form.answer").get_by_label("Why").fill("The customer wants one mug.")
    page.get_by_role("button", name="Make this edit").click()

    page.get_by_role("heading", name="Edit of lines").wait_for()
    edits = page.locator("#edits")
    assert "waiting" in edits.get_by_role("heading").inner_text()
    assert f"{TESTER.handle}, " in edits.inner_text()
    assert "The customer wants one mug." in edits.inner_text()
    assert _serious(page) == []
    with served.database.begin() as c:
        (edit,) = c.execute(select(desk_edits.c.edit).where(desk_edits.c.order_id == order)).scalars()
    assert (edit["quantities"], edit["who"]) == ([["S1", 1]], TESTER.handle)
    assert screen.complaints == []


def test_the_question_which_order_replaces_another_is_answered(screen: Screen, served: Served) -> None:
    gone = replace(GONE, id="SO71", name="#1071", marker="atlas:M-1007-A")
    view = view_of(
        (a_duplicate(id="SO72", name="#1072"),),
        a_memory(shopify_order_id="SO71", shopify_order_name="#1071"),
        order_id="M-1007-A",
        shopify=gone,
        mirakl=replace(an_order(), order_id="M-1007-A", seller_reference="#1071"),
    )
    (order,) = shown(served, view)
    page = screen.open(f"/orders/{order}")
    page.locator("a[id$='-take_over']").click()
    page.wait_for_url("**/cases/*option=take_over*")
    assert "#1072" in page.locator("main").inner_text()
    assert page.get_by_role("radio", checked=True).get_attribute("value") == "take_over"
    assert _serious(page) == []
    page.locator("#answer").get_by_label("Why").fill("Staff made it anew for the customer.")
    page.get_by_role("button", name="Answer").click()

    page.wait_for_url(f"**/orders/{order}*")
    assert page.get_by_role("status").filter(has_text="Kept:").is_visible()
    page.get_by_text("has answered; the next look takes it up").first.wait_for()
    with served.database.begin() as c:
        said = c.execute(
            select(answers.c.subject, answers.c.option, answers.c.why).where(answers.c.order_id == order)
        ).one()
    assert tuple(said) == ("SO72", "take_over", "Staff made it anew for the customer.")
    assert _serious(page) == []
    assert screen.complaints == []


def test_one_mapping_frees_its_orders_and_the_page_counts_them_as_they_go(
    screen: Screen, served: Served
) -> None:
    number = MOST_AT_ONCE + 5
    made = shown(served, *(shipped_with("Snail Mail", f"M-2{n:03d}-A") for n in range(number)))
    with served.database.begin() as c:
        case = c.execute(select(cases.c.id).where(cases.c.order_id == made[0])).scalar_one()
    page = screen.open(f"/cases/{case}")
    assert page.get_by_text(f"It frees {number} orders.").is_visible()
    page.locator("main").get_by_role("link", name="Map the carrier").first.click()
    page.get_by_label("Marketplace code").fill("DPD")
    page.get_by_role("button", name="Map", exact=True).click()
    page.get_by_role("link", name="follow them").click()
    heading = page.get_by_role("heading", level=1)
    heading.filter(has_text=f"0 of {number} orders are free").wait_for()
    assert page.get_by_role("progressbar", name="Orders looked at").get_attribute("max") == str(number)
    assert _serious(page) == []

    # What workers do, a few at a time: they look at the order, and its case closes.
    for done in (3, MOST_AT_ONCE, number):
        with served.database.begin() as c:
            c.execute(update(orders).where(orders.c.id.in_(made[:done])).values(handled=orders.c.hints))
            c.execute(
                update(cases)
                .where(cases.c.order_id.in_(made[:done]), cases.c.closed_at.is_(None))
                .values(closed_at=CLOCK, closed_because="It is mapped.")
            )
        # The page hears of it by itself.
        heading.filter(has_text=f"{done} of {number} orders are free").wait_for()
    assert page.evaluate("document.querySelector('progress').value") == number
    assert _serious(page) == []
    assert screen.complaints == []


def _serious(page: Any) -> list[str]:
    return _axe(page) if AXE.exists() else []
