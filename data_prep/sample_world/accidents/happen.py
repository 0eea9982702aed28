"""Lets the accidents happen to a finished world, and tells which."""

from __future__ import annotations

from vle_bench.data_prep.sample_world.accidents.drafts import Drafts
from vle_bench.data_prep.sample_world.accidents.spoil_pictures import spoil_pictures
from vle_bench.data_prep.sample_world.accidents.spoil_records import spoil_records
from vle_bench.data_prep.sample_world.ledger import Accident, Members
from vle_bench.data_prep.sample_world.world import World
from vle_bench.errors import machine_errors


def let_accidents_happen(world: World, members: Members) -> list[Accident]:
    """Spoils pictures, then records of other pictures; sorted, as the ledger lists them."""
    drafts = Drafts(world)
    with machine_errors(world.out):
        pictures = spoil_pictures(world, members, drafts)
        spared = {accident.id for accident in pictures}
        records = spoil_records(world, members, drafts, spared)
        drafts.save()
    return sorted([*pictures, *records])
