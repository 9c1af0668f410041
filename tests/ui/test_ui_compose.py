"""The form of a new generation: asserted on the submissions in the store and on what stands beside the fields."""

from __future__ import annotations

import json

import msgspec
import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import OptionList, Select, Static, Switch

from tests.ui.conftest import IMAGE, PROFILE, VIDEO, Screen, Snap, settled, until
from tests.ui.test_ui_keys import main, press, toasts
from tests.ui.test_ui_snapshots import Size, two_sizes
from vivix_tui import verbs
from vivix_tui.config import Settings, Spend
from vivix_tui.domain.account import Model, Parameter
from vivix_tui.store import accounts, query
from vivix_tui.ui.app import VivixApp
from vivix_tui.ui.screens.compose import Compose
from vivix_tui.ui.screens.dialogs import Choose, Confirm
from vivix_tui.ui.screens.pick_model import MOST, PickModel, fitting, words_of
from vivix_tui.ui.widgets.form_field import FormField

ODD = Parameter(name="p", type="number", default="x", values=("a", 1, 1.5, True), minimum=float("-inf"), maximum=2**60)
CHEAP = msgspec.structs.replace(Settings(), spend=Spend(confirm_above=0))


def form(app: VivixApp) -> Compose:
    assert isinstance(app.screen, Compose)
    return app.screen


def field(app: VivixApp, name: str) -> FormField:
    return next(f for f in form(app).query(FormField) if f.parameter.name == name)


def hint(app: VivixApp, name: str) -> str:
    return str(field(app, name).query_one(".field--hint", Static).content)


def shown(app: VivixApp, name: str) -> str:
    return str(form(app).query_one(f"#form--{name}", Static).content)


def bodies(screen: Screen) -> list[dict[str, object]]:
    return [json.loads(item.body) for item in query.queue(screen.store, PROFILE)]


async def begin(pilot: Pilot[int], model: str = "grok") -> None:
    """Opens the form of a model."""
    await press(pilot, "n", *model, "enter")


async def test_n_queues_what_was_filled_in(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await press(pilot, *"a fox", "tab", "tab", "enter", "down", "down", "enter")
        await press(pilot, "tab", *"7", "tab", "tab", *"2", "ctrl+s")
        assert app.screen is main(app)
        assert "queued 1 submission" in toasts(app)
        assert main(app).drafts == {}
    assert bodies(screen) == [
        {"model": IMAGE, "prompt": "a fox", "aspect_ratio": "4:5", "seed": 7, "number_results": 2}
    ]
    assert screen.woken == 1


async def test_the_widgets_follow_from_the_parameters(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app(settings=CHEAP)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot, "wan")
        names = [f.parameter.name for f in form(app).query(FormField)]
        assert names == ["prompt", "negative_prompt", "duration", "aspect_ratio", "seed", "resolution", "audio"]
        assert hint(app, "prompt") == "0 of 2,000"
        assert hint(app, "duration") == "2 to 10"
        assert hint(app, "aspect_ratio") == "default 1:1"
        assert hint(app, "audio") == "no · default no"
        field(app, "audio").query_one(Switch).focus()
        await press(pilot, "enter")
        assert hint(app, "audio") == "yes · default no"
        field(app, "duration").start()
        await press(pilot, *"5s")
        assert field(app, "duration").value == 5
        field(app, "prompt").start()
        await press(pilot, *"fog", "ctrl+s")
    assert bodies(screen) == [{"model": VIDEO, "prompt": "fog", "duration": 5, "audio": True}]


async def test_errors_stand_beside_the_fields_and_nothing_is_queued(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app(settings=CHEAP)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot, "wan")
        assert hint(app, "prompt") == "0 of 2,000"
        await press(pilot, "ctrl+s")
        assert hint(app, "prompt") == "is missing · 0 of 2,000"
        assert hint(app, "duration") == f"is missing; {VIDEO} requires it"
        await press(pilot, *"fog", "ctrl+s")
        field(app, "duration").start()
        await press(pilot, *"11", "ctrl+s")
        assert hint(app, "duration") == "is 11, the model takes 2 to 10"
        assert hint(app, "prompt") == "3 of 2,000"
        assert bodies(screen) == []
        await press(pilot, "backspace", "ctrl+s")
        assert hint(app, "duration") == "is 1, the model takes 2 to 10"
        await press(pilot, "backspace", "9", "ctrl+s")
    assert bodies(screen) == [{"model": VIDEO, "prompt": "fog", "duration": 9}]


async def test_a_pasted_prompt_that_is_too_long_is_complained_about_while_it_is_typed(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        app.screen.query_one("TextArea").insert("é" * 2001)  # type: ignore[attr-defined]
        await until(pilot, lambda: "ééé" in shown(app, "body"))
        await settled(pilot)
        assert hint(app, "prompt") == "has 2,001 characters, the API takes 2,000 · 2,001 of 2,000"


async def test_price_and_body_follow_what_is_typed(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        assert "Price: 80 to 211 credits (the catalogue's band)." in shown(app, "offer")
        assert "You have 12,847 credits: you can afford 60 to 160 of these." in shown(app, "offer")
        field(app, "number_results").start()
        await press(pilot, "4")
        await until(pilot, lambda: "Price: 320 to 844 credits" in shown(app, "offer"))
        assert "you can afford 15 to 40 of these" in shown(app, "offer")
        assert "more than spend.confirm_above (500)" in shown(app, "offer")
        assert '"number_results": 4' in shown(app, "body")


@pytest.mark.parametrize(
    ("balance", "words"), [(100, "not enough for one at the highest price"), (79, "79 credits: not enough for one.")]
)
async def test_a_balance_that_does_not_suffice_is_said(screen: Screen, balance: int, words: str) -> None:
    screen.account()
    screen.catalogue()
    accounts.save_balance(screen.store, PROFILE, balance)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        assert words in shown(app, "offer")


@pytest.mark.parametrize("spend", [Spend(confirm_above=200), Spend(confirm_above=0, daily_cap=100)])
async def test_above_the_users_own_limits_it_asks_and_enter_goes_back_to_the_form(screen: Screen, spend: Spend) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app(settings=msgspec.structs.replace(Settings(), spend=spend))
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await press(pilot, *"fox", "ctrl+s")
        assert isinstance(app.screen, Confirm)
        assert "spend." in app.screen._text
        await press(pilot, "ctrl+s", "enter")
        assert field(app, "prompt").value == "fox"
        assert bodies(screen) == []
        await press(pilot, "ctrl+s", "y")
    assert bodies(screen) == [{"model": IMAGE, "prompt": "fox"}]


async def test_the_button_sends(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await press(pilot, *"fox")
        await pilot.click("#form--send")
        await settled(pilot)
    assert bodies(screen) == [{"model": IMAGE, "prompt": "fox"}]


async def test_of_a_burst_of_keys_those_before_ctrl_s_are_in_the_body(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        for key in (*"a-fox", "ctrl+s", *"ju", "ctrl+s"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await settled(pilot)
        assert app.screen is main(app)
    assert bodies(screen) == [{"model": IMAGE, "prompt": "a-fox"}]


async def test_quitting_asks_before_what_was_entered_is_lost(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await press(pilot, *"fox", "ctrl+q")
        assert isinstance(app.screen, Confirm)
        await press(pilot, "enter")
        assert isinstance(app.screen, Compose)
        await press(pilot, "ctrl+q", "y")
    assert app.return_code == 0


async def test_esc_leaves_an_untouched_form_at_once(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await press(pilot, "escape")
        assert app.screen is main(app)
        await press(pilot, "n")
        assert isinstance(app.screen, PickModel)


async def test_esc_asks_before_a_changed_form_is_left_and_n_brings_it_back(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await press(pilot, *"fox", "escape")
        assert isinstance(app.screen, Choose)
        await press(pilot, "escape")
        assert field(app, "prompt").value == "fox"
        await press(pilot, "escape", "k", "n")
        assert field(app, "prompt").value == "fox"
        await press(pilot, "escape", "n")
        assert field(app, "prompt").value == "fox", "left untouched, it is kept still"
        await press(pilot, *"es", "escape", "t", "n")
        assert isinstance(app.screen, PickModel)
    assert bodies(screen) == []


async def test_what_could_not_be_written_down_is_kept(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await press(pilot, *"fox")
        with screen.store.write() as connection:
            connection.execute(
                "CREATE TRIGGER full BEFORE INSERT ON submissions BEGIN SELECT raise(ABORT, 'full'); END"
            )
        await press(pilot, "ctrl+s")
        assert app.screen is main(app)
        assert any("full" in toast for toast in toasts(app))
        await press(pilot, "n")
        assert field(app, "prompt").value == "fox"


async def test_another_model_keeps_what_was_typed(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app(settings=CHEAP)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot, "wan")
        await press(pilot, *"fog", "tab", "tab", "5", "ctrl+o", *"grok", "enter")
        assert shown(app, "model").startswith(IMAGE)
        assert '"duration"' not in shown(app, "body")
        await press(pilot, "ctrl+o", *"wan", "enter", "ctrl+s")
    assert bodies(screen) == [{"model": VIDEO, "prompt": "fog", "duration": 5}]


async def test_models_are_found_by_typing_any_of_their_letters(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    known = words_of(query.models(screen.store, PROFILE))
    assert fitting("  ", known) == [IMAGE, VIDEO]
    assert fitting("alib", known) == [VIDEO]
    assert fitting("image xai", known) == fitting("XAI imag", known) == [IMAGE]
    assert fitting("zzz", known) == fitting("xai zzz", known) == []
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "n", *"zz", "enter")
        assert "No model fits" in str(app.screen.query_one("#told", Static).content)
        await press(pilot, "backspace", "backspace", "down", "enter")
        assert shown(app, "model").startswith(VIDEO)


def test_what_fits_as_it_stands_comes_before_letters_that_are_strewn() -> None:
    words = words_of({slug: Model(slug=slug) for slug in ("f-l-u-x", "reflux", "x-flux-2", "flux-2", "luxf", "fl-ux")})
    assert fitting("flux", words) == ["flux-2", "x-flux-2", "reflux", "fl-ux", "f-l-u-x"]


async def test_par_10_thousands_of_models_are_shown_in_part_and_found_by_typing(screen: Screen) -> None:
    screen.account()
    many = {f"m{number:04d}": Model(slug=f"m{number:04d}", name="n" * 2_000) for number in range(5_000)}
    accounts.save_models(screen.store, PROFILE, many | {"odd": Model(slug="odd", params={"p": ODD})})
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "n")
        options, told = app.screen.query_one(OptionList), app.screen.query_one("#told", Static)
        assert options.option_count == MOST
        assert f"The first {MOST} of 5,001" in str(told.content)
        assert len(str(options.get_option_at_index(0).prompt)) < 250
        await press(pilot, *"4321")
        assert [str(options.get_option_at_index(0).prompt).split()[0], told.display] == ["m4321", False]
        await press(pilot, "enter")
        assert shown(app, "model").startswith("m4321")
    assert query.models(screen.store, PROFILE)["odd"].params["p"] == ODD


@pytest.mark.timeout(20)
async def test_par_10_a_name_of_the_same_letters_again_and_again_does_not_stop_the_screen(screen: Screen) -> None:
    screen.account()
    accounts.save_models(screen.store, PROFILE, {"long": Model(slug="long", name="a b " * 500)})
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "n", *"aaaaaaaaaab")
        assert app.screen.query_one(OptionList).option_count == 1


async def test_without_a_catalogue_it_says_so_until_there_is_one(screen: Screen) -> None:
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "n", "enter")
        assert "No models are known yet." in str(app.screen.query_one("#told", Static).content)
        screen.catalogue()
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count)
        await press(pilot, "enter")
        assert shown(app, "model").startswith(IMAGE)
        assert "Your balance is not known yet." in shown(app, "offer")


async def test_again_with_changes_is_a_retry_of_the_row_with_another_body(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    original = screen.row(9, "failed", credits_used=0, error="PROVIDER_ERROR")
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "N")
        assert shown(app, "title") == "Again with changes: 00000009"
        assert (field(app, "prompt").value, field(app, "seed").value) == ("a misty forest at dawn", 9)
        field(app, "seed").start()
        await press(pilot, "end", "1", "ctrl+s")
        assert "retry queued" in toasts(app)
    (item,) = query.queue(screen.store, PROFILE)
    assert item.retry_of == original
    assert json.loads(item.body) == {"model": IMAGE, "prompt": "a misty forest at dawn", "seed": 91}


async def test_again_unchanged_asks_for_one_that_completed_and_sends_the_same_bytes(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    screen.row(9, "completed", credits_used=80, output_url="https://cdn.vivix.example/9.jpg")
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "N", "ctrl+s")
        assert isinstance(app.screen, Confirm)
        assert "It completed: the same body and seed give the same result." in app.screen._text
        await press(pilot, "y")
    (item,) = query.queue(screen.store, PROFILE)
    original = query.generation(screen.store, PROFILE, item.retry_of or "")
    assert original is not None
    assert item.body == original.body


async def test_again_keeps_values_that_the_model_does_not_know(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    odd = {"model": IMAGE, "prompt": "a\r\nb", "aspect_ratio": "7:3", "seed": 1.5, "reference_images": ["https://x"]}
    verbs.submit(screen.store, PROFILE, [json.dumps(odd)])
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "N", "ctrl+s")
        assert hint(app, "aspect_ratio") == 'is "7:3", the model takes "1:1", "4:5", "9:16", "16:9"'
        assert hint(app, "seed") == "must be a whole number, not 1.5"
        field(app, "aspect_ratio").query_one(Select).value = 0
        field(app, "seed").start()
        await press(pilot, "end", "backspace", "backspace", "ctrl+s")
        assert app.screen is main(app)
    mended = odd | {"aspect_ratio": "1:1", "seed": 1}
    assert bodies(screen) == [odd, mended]


async def test_again_of_an_unknown_model_offers_another(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    verbs.submit(screen.store, PROFILE, ['{"model":"gone-1","prompt":"a","seed":1}'])
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "N")
        assert "model 'gone-1' is not in this account's catalogue" in shown(app, "model")
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, PickModel)
        await press(pilot, "enter", "ctrl+s")
    assert bodies(screen)[1] == {"model": IMAGE, "prompt": "a", "seed": 1}


async def test_rows_without_a_body_say_why_not(screen: Screen) -> None:
    screen.account()
    screen.row(9, "failed", prompt=None, credits_used=0)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "N")
        assert "again…: its body is not known here" in toasts(app)


async def test_a_draft_belongs_to_its_row(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    screen.row(9, "failed", credits_used=0)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "N", *"X ", "escape", "k")
        await begin(pilot)
        assert field(app, "prompt").value is None
        await press(pilot, *"fox", "escape", "k", "N")
        assert field(app, "prompt").value == "X a misty forest at dawn"


async def test_foreign_texts_of_a_catalogue_steer_nothing(screen: Screen) -> None:
    screen.account()
    evil = "[red]x[/] \x1b[2J\u202e"
    params = {
        evil: Parameter(name=evil, type="enum", values=(evil, "b"), default=evil, required=True),
        "n": Parameter(name="n", type="string", default="[/nope]"),
    }
    accounts.save_models(screen.store, PROFILE, {evil: Model(slug=evil, name=evil, category=evil, params=params)})
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "n", "enter")
        await press(pilot, *"fox", "ctrl+s", "enter", "down", "enter")
        text = "".join(segment.text for line in app.screen._compositor.render_strips() for segment in line)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "[red]x[/] ␛[2J" in text
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, Confirm)
        await press(pilot, "y")
    assert bodies(screen) == [{"model": evil, "prompt": "fox", evil: evil}]


@two_sizes
async def test_picture_of_the_choice_of_a_model(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    screen.catalogue()
    await snap(screen.app(), "n", "o", size=size)


@two_sizes
async def test_picture_of_the_form_of_a_video(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    screen.catalogue()
    prompt = "a lighthouse in a storm, waves break over the rocks; 灯台と嵐"
    await snap(screen.app(), "n", *"wan", "enter", *prompt, "tab", "tab", *"5", size=size)


@two_sizes
async def test_picture_of_complaints(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    screen.catalogue()
    await snap(screen.app(), "n", *"wan", "enter", "tab", "tab", *"99", "ctrl+s", size=size)
