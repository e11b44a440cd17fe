"""The page of a run, as people use it: in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from gitops_e2e.report.run_folder import RunFolder
from tests.browser.axe import Axe
from tests.report import sample

pytestmark = pytest.mark.node

PEAR = "features/shop/fruit-is-sold-for-price/pear-1"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a run of the sample."""
    folder = tmp_path_factory.mktemp("shop")
    sample.write(folder)
    sample.run(folder, "-m", "not never")
    return (RunFolder.last(folder / "reports").path / "index.html").as_uri()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(20_000)
    page.goto(address)
    yield page
    page.close()


def _shown(page: Page) -> list[str]:
    names = page.locator(".case:visible h4").all_inner_texts()
    return [name.strip() for name in names]


def test_nothing_is_loaded_and_nothing_goes_wrong(browser: Browser, address: str) -> None:
    page = browser.new_page()
    requests: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    page.get_by_role("link", name="Documentation", exact=True).click()
    page.wait_for_load_state("networkidle")
    page.close()

    assert [url for url in requests if not url.startswith("data:")] == [address]
    assert wrong == []


def test_failures_come_first_with_what_was_wrong(page: Page) -> None:
    first = page.locator(".case").first

    assert first.locator("h4").inner_text().startswith("pear is sold for 1")
    assert "pear costs 2" in first.inner_text()
    assert "not run" in page.locator(".group").last.inner_text()


def test_a_search_for_text_and_for_a_tag(page: Page) -> None:
    page.get_by_role("searchbox").fill("till is locked")
    assert _shown(page) == ["the till is broken"]
    assert "1 of 13 scenarios" in page.get_by_role("status").inner_text()

    page.get_by_role("searchbox").fill("@cheap")
    assert len(_shown(page)) == 2
    assert page.url.endswith("?q=%40cheap")

    page.reload()
    assert len(_shown(page)) == 2


def test_filters_by_status_are_in_the_address(page: Page) -> None:
    page.get_by_role("button", name="undefined").click()

    assert _shown(page) == ["the shop is haunted"]
    assert page.url.endswith("?status=undefined")
    page.get_by_role("button", name="Show everything").click()
    assert len(_shown(page)) == 13


def test_links_lead_from_one_view_to_the_other(page: Page, address: str) -> None:
    page.goto(f"{address}#{PEAR}")
    row = page.locator(f'[id="{PEAR}"]')
    assert row.is_visible()
    assert "failed" in row.inner_text()

    row.get_by_role("link", name="run").click()
    assert page.locator(f'[id="run/{PEAR}"]').is_visible()
    assert not row.is_visible()


def test_the_keyboard_is_enough(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("visited")
    assert _shown(page) == ["it can be visited"]
    page.keyboard.press("Escape")
    assert len(_shown(page)) == 13

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert page.locator(".case details").nth(1).get_attribute("open") is None
    page.keyboard.press("d")
    assert page.locator("#documentation-view").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_the_systems_until_another_is_chosen(browser: Browser, address: str, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(address)

    def ground() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    themes = {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}
    assert ground() == themes[scheme]
    for chosen in ("light", "dark"):
        page.get_by_role("button", name="Theme").click()
        assert ground() == themes[chosen]
    page.close()


def test_it_reads_without_javascript(browser: Browser, address: str) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(address)

    assert page.locator("#run-view").is_visible()
    assert page.locator("#documentation-view").is_visible()
    assert not page.get_by_role("searchbox").is_visible()
    page.close()


def test_what_is_html_in_a_feature_is_text_on_the_page(page: Page) -> None:
    page.get_by_role("link", name="Documentation", exact=True).click()

    assert '<script>alert("shop")</script>' in page.locator(".feature .prose").first.inner_text()
    assert page.locator(".prose script").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", ["run", "documentation"])
def test_there_is_no_barrier_for_anyone(browser: Browser, address: str, axe: Axe, view: str, theme: str) -> None:
    page = browser.new_page(color_scheme=theme)  # type: ignore[arg-type]
    page.goto(f"{address}#{view}")
    assert page.locator(f"#{view}-view").is_visible()
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert axe.barriers(page) == []
    page.close()


def test_a_barrier_would_be_found(page: Page, axe: Axe) -> None:
    page.evaluate("document.getElementById('search').removeAttribute('placeholder')")
    page.evaluate("document.querySelector('label[for=search]').remove()")
    page.evaluate("document.querySelector('.verdict').style.color = 'rgb(200, 200, 200)'")
    found = "\n".join(axe.barriers(page))
    assert "label: " in found
    assert "color-contrast: " in found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_index_of_all_runs_has_no_barrier_either(browser: Browser, address: str, axe: Axe, theme: str) -> None:
    page = browser.new_page(color_scheme=theme)  # type: ignore[arg-type]
    page.goto(address)
    page.get_by_role("link", name="All runs").click()
    assert page.get_by_role("heading", level=1).is_visible()
    assert axe.barriers(page) == []
    page.close()
