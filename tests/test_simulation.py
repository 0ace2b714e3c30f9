"""The made-up carrier: the same seed gives the same bytes, and what is planted is there."""

import hashlib

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from chanfp import simulation
from chanfp.errors import ParameterError
from chanfp.simulation.calls import records_of_day
from chanfp.simulation.draws import Draws, lognormal
from chanfp.simulation.lives import Lives
from chanfp.simulation.numbers import Numbers
from chanfp.simulation.people import Population
from chanfp.simulation.places import n_counties

DAY = 86_400
SPAN = 90 * DAY


@pytest.fixture(scope="module")
def carrier():
    return simulation.simulate(3000, seed=7)


@pytest.fixture(scope="module")
def world(carrier):
    return carrier._tables.world


@pytest.fixture(scope="module")
def records(world):
    """All records as numbers: caller line, callee line, day, duration."""
    days = [records_of_day(world, day) for day in range(90)]
    return {
        "caller": np.concatenate([day.caller for day in days]).astype(np.int64),
        "callee": np.concatenate([day.callee for day in days]).astype(np.int64),
        "day": np.repeat(np.arange(90), [len(day) for day in days]),
        "second": np.concatenate([day.second for day in days]),
        "duration": np.concatenate([day.duration for day in days]),
    }


@pytest.fixture(scope="module")
def partners(world, records):
    """Set of partners of each own line, couriers and services left out."""
    n_lines, services = len(world.lines), world.services
    hubs = np.concatenate([services.couriers, services.hubs, services.telesales])
    hub_lines = world.holders.first_line[hubs]
    own = np.concatenate([records["caller"], records["callee"]])
    other = np.concatenate([records["callee"], records["caller"]])
    usual = (own < n_lines) & (other < world.numbers.first_special) & ~np.isin(other, hub_lines)
    found = [set() for _ in range(n_lines)]
    for line, partner in zip(own[usual].tolist(), other[usual].tolist(), strict=True):
        found[line].add(partner)
    return found


def jaccard(one, other):
    union = len(one | other)
    return len(one & other) / union if union else 0.0


def digest(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_same_seed_same_files(tmp_path, file_format):
    for name, seed, threads in (("a", 3, 1), ("b", 3, 3), ("c", 4, 2)):
        made = simulation.simulate(200, seed, days=14, n_threads=threads)
        made.write(tmp_path / name, format=file_format)
    a, b, c = (digest(tmp_path / name) for name in "abc")
    assert a == b
    assert a.keys() == c.keys()
    assert all(a[name] != c[name] for name in a if name != "outlets.csv")


def test_draws_are_pinned():
    """Other numbers here mean that every seed gives another carrier: say so in the changelog."""
    assert Draws(1, 2, 3).u16(4).tolist() == PINNED_U16
    made = simulation.simulate(100, seed=1, days=7)
    day = made.cdrs.day(0)
    text = repr(day.slice(0, 3).to_pylist()) + repr(made.truth.to_pylist())
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == PINNED_CARRIER
    assert lognormal(0.9).mean() == pytest.approx(1.0, abs=2e-3)


PINNED_U16 = [16600, 60640, 39030, 5866]
PINNED_CARRIER = "20dd7f94460fec0e"


@pytest.mark.parametrize("batch_rows", [1, 37, 1_000_000])
def test_batch_size_changes_nothing(batch_rows):
    made = simulation.simulate(120, seed=2, days=7)
    whole = made.cdrs.to_table()
    batches = list(made.cdrs.iter_batches(batch_rows=batch_rows))
    assert max(batch.num_rows for batch in batches) <= batch_rows
    assert pa.Table.from_batches(batches).equals(whole)
    assert whole.slice(0, made.cdrs.day(0).num_rows).equals(made.cdrs.day(0))


def test_arrow_stream_is_the_table():
    made = simulation.simulate(120, seed=2, days=7)
    whole = made.cdrs.to_table()
    assert pa.table(made.cdrs).equals(whole)
    assert pl.DataFrame(made.cdrs).height == whole.num_rows


def test_blocks_change_with_people_not_with_reading(carrier, records):
    """A day made alone equals the day in the stream."""
    assert carrier.cdrs.day(40).num_rows == int((records["day"] == 40).sum())


def test_columns_and_types(carrier):
    assert carrier.cdrs.day(0).schema == simulation.CDR_SCHEMA
    seconds, text = pa.timestamp("s"), pa.string()
    types = dict(zip(carrier.subscribers.schema.names, carrier.subscribers.schema.types,
                     strict=True))  # fmt: skip
    assert list(types) == [
        "subscription_id", "subscriber", "activated_at", "departed_at", "status", "suspended_at",
        "id_hash", "name_hash", "imei", "outlet", "seller", "product", "plan", "monthly_fee",
        "activation_cell",
    ]  # fmt: skip
    times = ("activated_at", "departed_at", "suspended_at")
    for name, of_type in types.items():
        wanted = seconds if name in times else pa.float64() if name == "monthly_fee" else text
        assert of_type == wanted, name
    assert carrier.sales.column_names == [
        "subscriber", "outlet", "seller", "sold_at", "price", "commission", "activation_cell",
        "product",
    ]  # fmt: skip
    assert carrier.outlets.column_names == ["outlet", "parent", "kind", "region"]
    assert carrier.cells.column_names == ["cell", "region"]
    assert carrier.truth.column_names == [
        "new", "old", "new_subscription", "old_subscription", "kind", "person",
    ]  # fmt: skip


def test_records_are_in_order_and_inside_the_span(carrier):
    table = carrier.cdrs.to_table()
    starts = table["start_time"].to_numpy()
    assert (np.diff(starts.astype(np.int64)) >= 0).all()
    assert starts[0] >= np.datetime64("2024-03-01")
    assert starts[-1] < np.datetime64("2024-03-01") + np.timedelta64(90, "D")
    assert set(table["kind"].unique().to_pylist()) == {"call", "sms"}
    durations = table["duration_s"].to_numpy()
    assert durations.min() == 0
    assert (durations[table["kind"].to_numpy() == "sms"] == 0).all()


def test_volume_and_tails(carrier, partners, records, world):
    per_month = len(records["caller"]) / 3000 / 3
    assert 48 < per_month < 60
    held = (world.lines.begin < 0) & (world.lines.end > SPAN)
    degree = np.array([len(found) for found in partners])[held]
    assert 15 < degree.mean() < 60
    # A heavy tail: far above what a Poisson of that mean reaches.
    assert np.percentile(degree, 99) > 2.5 * degree.mean()
    assert np.percentile(degree, 5) < 0.5 * degree.mean()
    events = np.bincount(records["caller"], minlength=len(world.numbers.text))[: len(held)][held]
    assert events.max() > 8 * events.mean()


def test_hubs_reach_very_many(world, records):
    pairs = np.unique(np.stack([records["callee"], records["caller"]]), axis=1)
    reached = np.bincount(pairs[0], minlength=len(world.numbers.text))
    special = reached[world.numbers.first_special :]
    assert special.max() > 500
    hubs = world.holders.first_line[world.services.hubs]
    assert reached[hubs].min() > 100
    assert np.percentile(reached[reached > 0], 90) < 60


def test_strong_ties_are_reciprocal(world, records):
    own = (records["caller"] < len(world.lines)) & (records["callee"] < len(world.lines))
    caller, callee = records["caller"][own], records["callee"][own]
    n_all = len(world.numbers.text)
    pairs, calls = np.unique(caller * n_all + callee, return_counts=True)
    back = np.isin(pairs % n_all * n_all + pairs // n_all, pairs)
    assert 0.3 < back.mean() < 0.9
    assert back[calls >= 5].mean() > 0.9 > back[calls == 1].mean()


def test_strong_ties_survive_and_weak_ones_fade(world, records):
    lines = world.lines
    stays = (lines.begin <= 0) & (lines.end >= 90 * 86_400)
    n_lines = len(lines)
    own = (records["caller"] < n_lines) & (records["callee"] < n_lines)
    caller, callee, day = (records[name][own] for name in ("caller", "callee", "day"))
    both = stays[caller] & stays[callee]
    pair = np.minimum(caller, callee)[both] * n_lines + np.maximum(caller, callee)[both]
    day = day[both]
    pairs, calls = np.unique(pair[day < 30], return_counts=True)
    survives = np.isin(pairs, pair[day >= 60])
    by_weight = [
        survives[chosen].mean() for chosen in (calls == 1, (calls >= 2) & (calls <= 4), calls >= 8)
    ]
    assert by_weight == sorted(by_weight)
    assert by_weight[0] < 0.4
    assert by_weight[2] > by_weight[0] + 0.3


def test_leavers_and_newcomers_are_as_many_as_asked(carrier, world):
    lines = world.lines
    left = ((lines.end > 0) & (lines.end < SPAN)).sum() / (lines.begin < 0).sum()
    assert 0.04 <= left <= 0.06
    assert 0.05 <= lines.is_new.mean() <= 0.08
    kinds = np.array(carrier.truth["kind"].to_pylist())
    again = np.isin(kinds, ["returner", "wanderer", "partial-replacement"]).mean()
    assert 0.15 <= again <= 0.25
    quiet = world.population.activity < np.median(world.population.activity)
    leavers = lines.person[(lines.end > 0) & (lines.end < SPAN)]
    assert quiet[leavers].mean() > 0.55


def test_every_kind_is_planted(carrier, world):
    kinds = carrier.truth["kind"].value_counts().to_pylist()
    assert {kind["values"] for kind in kinds} == {
        "returner", "partial-replacement", "wanderer", "additional-number", "new",
    }  # fmt: skip
    lines = world.lines
    gap = (lines.begin - lines.end[lines.old])[(lines.old >= 0) & (lines.kind == 1)] / DAY
    assert gap.min() < 0
    assert gap.max() > 10
    assert (lines.together[lines.kind == 1] >= 0).sum() >= 4
    # Partial replacement: the old number lives on.
    assert (lines.end[lines.old[lines.kind == 2]] > SPAN).all()
    wanderers = np.bincount(lines.person[lines.kind == 3])
    assert set(wanderers[wanderers > 0].tolist()) <= {2, 3}
    held = (lines.kind == 0) & (lines.person >= 0)
    assert (np.bincount(lines.person[held]) == 2).sum() > 30


def test_truth_agrees_with_the_subscriber_table(carrier):
    text = dict(
        zip(
            carrier.subscribers["subscription_id"].to_pylist(),
            carrier.subscribers["subscriber"].to_pylist(),
            strict=True,
        )
    )
    assert len(text) == carrier.subscribers.num_rows
    for row in carrier.truth.to_pylist():
        assert text[row["new_subscription"]] == row["new"]
        if row["kind"] in ("new", "additional-number"):
            assert row["old"] is None
            assert row["old_subscription"] is None
        else:
            assert text[row["old_subscription"]] == row["old"]
    old = [row for row in carrier.truth["old_subscription"].to_pylist() if row]
    assert len(old) == len(set(old))
    assert all(len(number) == 11 and number.isdigit() for number in text.values())


def test_returners_keep_partners_and_newcomers_share_some(carrier, world, partners):
    lines = world.lines
    departed = np.flatnonzero((lines.end > 5 * DAY) & (lines.end < SPAN))
    own, best_is_own = [], []
    for new in np.flatnonzero((lines.kind == 1) | (lines.kind == 3)):
        scores = [jaccard(partners[new], partners[old]) for old in departed]
        own.append(jaccard(partners[new], partners[lines.old[new]]))
        best_is_own.append(departed[int(np.argmax(scores))] == lines.old[new])
    newcomers = np.flatnonzero(lines.kind == 5)
    best = np.array(
        [max(jaccard(partners[new], partners[old]) for old in departed) for new in newcomers]
    )
    assert np.mean(own) > 3 * best.mean()
    assert 0.6 < np.mean(best_is_own) < 0.99
    # Not trivial: some newcomers look more like a leaver than a quarter of the returners do.
    assert 0.01 < (best > np.percentile(own, 25)).mean() < 0.3
    assert (best > 0.05).mean() > 0.2


def test_newcomers_live_inside_the_same_communities(world):
    lines, family = world.lines, world.population.family.community
    left = np.unique(family[lines.person[(lines.end > 0) & (lines.end < SPAN)]])
    newcomers = lines.person[lines.kind == 5]
    assert np.isin(family[newcomers], left).mean() > 0.2
    size = np.bincount(family)[family[newcomers]]
    assert (size > 1).mean() > 0.8


def test_dead_numbers_are_called_in_vain(world, records):
    end = world.lines.end
    callee = np.minimum(records["callee"], len(end) - 1)
    now = records["day"] * DAY + records["second"]
    dead = (records["callee"] < len(end)) & (now >= end[callee])
    assert dead.sum() > 50
    assert (records["duration"][dead] == 0).all()
    caller = np.minimum(records["caller"], len(end) - 1)
    own = records["caller"] < len(end)
    assert (now < end[caller])[own].all()
    assert (now >= world.lines.begin[caller])[own].all()


def test_dates_are_late_and_early_as_stated(world):
    lines = world.lines
    gone = lines.end < 2**31 - 1
    lag = (lines.closed - lines.end)[gone] / DAY
    assert 0 < lag.min() < 2
    assert 60 < lag.max() <= 90
    lead = (lines.begin - lines.activated)[lines.is_new] / DAY
    assert 0 < lead.min() < 1
    assert 30 < lead.max() <= 60


def test_the_table_stands_as_exported(carrier):
    table = carrier.subscribers.to_pandas()
    exported = np.datetime64("2024-03-01") + np.timedelta64(90 + 30, "D")
    assert table["departed_at"].max() <= exported
    assert (table["status"] == "closed").eq(table["departed_at"].notna()).all()
    assert (
        (table["status"] == "suspended")
        .eq(table["suspended_at"].notna() & table["departed_at"].isna())
        .all()
    )
    assert set(table["status"]) == {"active", "suspended", "closed"}
    assert table["activated_at"].is_monotonic_increasing
    assert 0.01 < table["id_hash"].isna().mean() < 0.1


@pytest.mark.parametrize("days", [90, 400])
def test_recycled_numbers_dont_overlap(days):
    made = simulation.simulate(1500, seed=5, days=days, recycled_share=0.3)
    table = made.subscribers.to_pandas().sort_values(["subscriber", "activated_at"])
    again = table["subscriber"].duplicated(keep=False)
    assert again.sum() >= 20
    twice = table[again]
    pause = twice["activated_at"].shift(-1) - twice["departed_at"]
    same = twice["subscriber"].eq(twice["subscriber"].shift(-1))
    assert (pause[same].dt.days >= 90).all()
    assert table["subscription_id"].is_unique
    if days == 400:
        truth = set(made.truth["new"].to_pylist())
        inside = twice["activated_at"].shift(-1)[same] > np.datetime64("2024-08-01")
        assert inside.any()
        assert truth & set(twice["subscriber"])


def test_outlets_hang_in_one_tree(carrier):
    outlets = carrier.outlets.to_pandas().set_index("outlet")
    assert outlets["parent"].isna().sum() == 1
    parents = {
        "county-warehouse": "city-warehouse",
        "first-tier": "county-warehouse",
        "second-tier": "first-tier",
        "retail": "first-tier",
    }
    for kind, above in parents.items():
        rows = outlets[outlets["kind"] == kind]
        assert len(rows)
        assert (outlets.loc[rows["parent"], "kind"] == above).all()
    sales = carrier.sales.to_pandas()
    assert sales["outlet"].isin(outlets.index).all()
    assert len(sales) == carrier.truth.num_rows
    assert sales["activation_cell"].isin(carrier.cells["cell"].to_pylist()).all()
    assert outlets.loc[sales["outlet"], "kind"].isin(["second-tier", "retail"]).all()


def luhn_is_valid(digits):
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def test_partly_replaced_numbers_fade(world, records):
    lines = world.lines
    new = np.flatnonzero(lines.kind == 2)
    before = after = 0.0
    for line in new.tolist():
        days = records["day"][records["caller"] == lines.old[line]]
        change = int(lines.begin[line] // DAY)
        before += (days < change).sum() / change / len(new)
        after += (days > change + 12).sum() / (90 - change - 12) / len(new)
    assert 0 < after < 0.6 * before


def test_handsets(world):
    imeis = world.handsets.imei.to_pylist()[:-1]
    assert all(len(imei) == 15 and luhn_is_valid(imei) for imei in imeis[:500])
    assert len(imeis) == len(set(imeis))
    lines, first = world.lines, world.handsets.first
    again = lines.old >= 0
    kept = first[again] == first[lines.old[again]]
    assert 0.3 < kept.mean() < 0.9
    # Some newcomers use the phone of a departed stranger.
    sold = np.isin(first[lines.kind == 5], first[(lines.end > 0) & (lines.end < SPAN)])
    assert sold.any()


def test_number_noise_and_dirt():
    noisy = simulation.simulate(500, seed=8, days=7, format_noise=0.3, dirt=0.05).cdrs.to_table()
    callee = noisy["callee"].to_pandas()
    for prefix in (r"\+86", "0086", "86", "0", "17951", "12593"):
        assert callee.str.fullmatch(prefix + r"1\d{10}").any(), prefix
    assert callee.str.contains(" ").any()
    assert callee.str.contains("-").any()
    assert 0.002 < (callee == "").mean() < 0.03
    sms = callee[noisy["kind"].to_pandas() == "sms"]
    assert not sms.str.startswith(("17951", "12593")).any()
    clean = simulation.simulate(500, seed=8, days=7, format_noise=0.0, dirt=0.0).cdrs.to_table()
    assert clean["callee"].to_pandas().str.fullmatch(r"\d{3,13}").all()
    assert clean.num_rows == noisy.num_rows
    assert clean["start_time"].equals(noisy["start_time"])


def test_write_reads_back(tmp_path):
    made = simulation.simulate(200, seed=3, days=8)
    done = []
    made.write(tmp_path / "new", progress=lambda stage, n, total: done.append((stage, n, total)))
    assert done == [("days", day, 8) for day in range(1, 9)]
    back = pq.read_table(tmp_path / "new" / "cdr").cast(simulation.CDR_SCHEMA)
    assert back.equals(made.cdrs.to_table())
    made.write(tmp_path / "csv", format="csv")
    text = (tmp_path / "csv" / "cdr" / "part-00000.csv").read_text().splitlines()
    assert text[0] == "caller,callee,start_time,duration_s,kind,cell,imei"
    assert len(text) == back.num_rows + 1
    assert text[1].split(",")[2].startswith("2024-03-01 0")
    truth = pa_csv.read_csv(tmp_path / "csv" / "truth.csv")
    assert truth.num_rows == made.truth.num_rows
    assert not list(tmp_path.rglob("*.unfinished"))


def test_parts_hold_whole_days(tmp_path, monkeypatch):
    monkeypatch.setattr("chanfp.simulation.writing.PART_ROWS", 500)
    made = simulation.simulate(200, seed=3, days=8)
    made.write(tmp_path)
    parts = sorted((tmp_path / "cdr").iterdir())
    assert len(parts) > 1
    whole = pa.concat_tables([pq.read_table(part) for part in parts])
    assert whole.cast(simulation.CDR_SCHEMA).equals(made.cdrs.to_table())


def test_broken_off_writing_leaves_no_half_file(tmp_path, monkeypatch):
    made = simulation.simulate(200, seed=3, days=8)

    def fail(self, lines, ways):
        raise OSError("no space")

    monkeypatch.setattr(Numbers, "write", fail)
    with pytest.raises(OSError, match="no space"):
        made.write(tmp_path / "x")
    assert not [path for path in (tmp_path / "x").rglob("*") if path.is_file()]


def test_refuses_a_folder_that_holds_files(tmp_path):
    made = simulation.simulate(100, seed=3, days=7)
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ParameterError, match="overwrite=True"):
        made.write(tmp_path)
    (tmp_path / "cdr").mkdir()
    (tmp_path / "cdr" / "part-00009.parquet").write_text("stale")
    made.write(tmp_path, overwrite=True)
    assert (tmp_path / "mine.txt").read_text() == "precious"
    assert [path.name for path in (tmp_path / "cdr").iterdir()] == ["part-00000.parquet"]
    with pytest.raises(ParameterError, match="is a file"):
        made.write(tmp_path / "mine.txt")
    with pytest.raises(ParameterError, match="format"):
        made.write(tmp_path / "other", format="orc")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("people", 99),
        ("people", 1000.0),
        ("seed", -1),
        ("days", 6),
        ("start", "March"),
        ("leaver_share", 1.5),
        ("newcomer_share", 0.9),
        ("events_per_month", 0),
        ("table_lag_days", 400),
        ("n_threads", 0),
        ("successor_share", -0.1),
        ("emigrant_share", 30),
        ("kept_handset_share", 1.1),
        ("resold_share", 2),
        ("density", 0.1),
        ("hub_factor", 100),
    ],
)
def test_bad_options_are_named(name, value):
    with pytest.raises(ParameterError, match=name if name != "newcomer_share" else "0.8"):
        simulation.simulate(**{"people": 200, "seed": 1, name: value})


def test_bad_batches_and_days(carrier):
    with pytest.raises(ParameterError, match="batch_rows"):
        next(carrier.cdrs.iter_batches(batch_rows=0))
    with pytest.raises(ParameterError, match="day"):
        carrier.cdrs.day(90)


def made_world(**options):
    return simulation.simulate(3000, 7, **options)._tables.world


def test_communities_as_dense_as_asked(world):
    def density(made):
        village, ties = made.population.village, made.ties
        known = np.isin(ties.circle, [1, 2]) & (ties.first_day < 0)
        pairs = len(np.unique(np.sort([ties.owner[known], ties.partner[known]], axis=0), axis=1).T)
        size = np.diff(village.bounds)
        return pairs / (size * (size - 1) / 2).sum()

    dense = made_world(density=2.0)
    assert 1.7 < density(dense) / density(world) < 2.3
    assert 0.9 < len(dense.ties) / len(world.ties) < 1.1
    size, usual = (np.diff(one.population.workplace.bounds).mean() for one in (dense, world))
    assert 0.4 < size / usual < 0.65


def test_emigrants_come_back_from_elsewhere(world):
    made = made_world(emigrant_share=0.5)
    lines, places = made.lines, made.places
    away = lines.home >= places.n_home_cells
    assert (away == lines.is_emigrant).all()
    assert set(lines.kind[away].tolist()) == {1}
    assert 0.25 < away[lines.kind == 1].mean() < 0.75
    first = made.handsets.first
    assert not (first[away] == first[lines.old[away]]).any()
    cells = [records_of_day(made, day) for day in (60, 65, 70)]
    seen = np.concatenate([day.cell[np.isin(day.caller, np.flatnonzero(away))] for day in cells])
    assert len(seen) > 20
    assert (seen >= places.n_home_cells).mean() > 0.95
    assert not world.lines.is_emigrant.any()


def test_handsets_kept_and_sold_as_asked():
    made = made_world(kept_handset_share=0.2, resold_share=0.9)
    lines, first = made.lines, made.handsets.first
    again = lines.old >= 0
    assert 0.05 < (first[again] == first[lines.old[again]]).mean() < 0.35
    departed = (lines.end > 0) & (lines.end < SPAN)
    assert np.isin(first[lines.kind == 5], first[departed]).mean() > 0.1
    unsold = made_world(resold_share=0.0)
    lines, first = unsold.lines, unsold.handsets.first
    departed = (lines.end > 0) & (lines.end < SPAN)
    assert not np.isin(first[lines.kind == 5], first[departed]).any()


def test_further_hubs_are_as_busy(world):
    made = made_world(hub_factor=2.0)
    assert len(made.services.couriers) == 2 * len(world.services.couriers)

    def per_hub(one):
        hubs = one.holders.first_line[one.services.couriers]
        days = [records_of_day(one, day) for day in range(3)]
        calls = sum(
            np.isin(day.caller, hubs).sum() + np.isin(day.callee, hubs).sum() for day in days
        )
        return calls / len(hubs), sum(len(day) for day in days)

    (busy, rows), (usual, usual_rows) = per_hub(made), per_hub(world)
    assert 0.85 < busy / usual < 1.15
    assert 1.05 < rows / usual_rows < 1.11
    expected = [
        simulation.simulate(100, 1, hub_factor=factor).cdrs.expected_rows for factor in (2, 1)
    ]
    assert 1.05 < expected[0] / expected[1] < 1.11


def test_successors_as_many_as_asked():
    found = []
    for share in (0.0, 0.15, 0.4):
        options = simulation.simulate(3000, 7, successor_share=share).settings
        population = Population.draw(options, n_counties(3000))
        found.append(len(Lives.draw(options, population).successors))
    assert found[0] == 0
    assert 1.8 * found[1] < found[2] < 3 * found[1]


def test_nothing_planted_is_legal():
    names = ("leaver", "newcomer", "returner", "partial", "wanderer", "added", "dual")
    made = simulation.simulate(100, 1, days=7, **{f"{name}_share": 0.0 for name in names})
    assert made.truth.num_rows == made.sales.num_rows == 0
    assert made.subscribers.num_rows == 100
    assert made.cdrs.to_table().num_rows > 0


def test_repr_says_what_it_is(carrier):
    assert "3,000 people, seed 7, 90 days" in repr(carrier)
    assert "returner" in repr(carrier)
    assert "90 days" in repr(carrier.cdrs)


@pytest.fixture(scope="module")
def cheats():
    shares = {f"{name}_share": 0.1 for name in ("corrupt", "farming", "cross_region")}
    return simulation.simulate(6000, seed=11, returner_share=0.03, **shares)


def test_outlets_cheat_as_they_are_said_to(cheats):
    truth = cheats.outlet_truth.to_pandas().set_index("outlet")
    assert truth["scheme"].value_counts().drop("honest").to_dict() == {
        "corrupt": 2, "farming": 2, "cross-region": 2,
    }  # fmt: skip
    share = truth["n_returners"] / truth["n_new"]
    honest = truth[truth["scheme"] == "honest"]
    usual = honest["n_returners"].sum() / honest["n_new"].sum()
    assert (share[truth["scheme"] == "corrupt"] > 1.4 * usual).all()
    assert (truth.loc[truth["scheme"] == "farming", "n_farmed"] >= 12).all()
    assert (honest["n_farmed"] == 0).all()
    assert (truth.loc[truth["scheme"] == "cross-region", "n_elsewhere"] >= 12).all()
    sales = cheats.sales.to_pandas()["outlet"].value_counts()
    assert (sales.reindex(truth.index, fill_value=0) == truth["n_new"]).all()


def test_farmed_cards_are_hardly_used(cheats):
    truth = cheats.truth.to_pandas()
    farmed = truth[truth["kind"] == "farmed"]
    assert farmed["person"].isna().all()
    assert farmed["old"].isna().all()
    calls = cheats.cdrs.to_table().to_pandas()
    used = calls[calls["caller"].isin(farmed["new"])]
    assert not calls["callee"].isin(truth.loc[truth["kind"] != "farmed", "new"])[used.index].any()
    assert 0.2 < farmed["new"].isin(used["caller"]).mean() < 0.6
    assert used["duration_s"].max() < 30
    assert used.groupby("caller")["cell"].nunique().max() == 1
    assert used.groupby("imei")["caller"].nunique().max() >= 3
    # Cards of one handset are numbered in a row; all numbers differ.
    numbers = np.sort(farmed["new"].astype(int).to_numpy())
    assert (np.diff(numbers) == 1).mean() > 0.7
    assert not farmed["new"].duplicated().any()
    assert not set(farmed["new"]) & set(truth.loc[truth["kind"] != "farmed", "new"])
    began = cheats.sales.to_pandas().set_index("subscriber")["sold_at"]
    assert (used["start_time"] > used["caller"].map(began)).all()


def test_no_cheat_unless_asked(carrier):
    truth = carrier.outlet_truth.to_pandas()
    assert set(truth["scheme"]) == {"honest"}
    assert truth["n_farmed"].sum() == 0
    with pytest.raises(ParameterError, match="somebody must be honest"):
        simulation.simulate(200, 1, corrupt_share=0.3, farming_share=0.3)
