"""The leaderboard as a page: sortable tables, breakdowns, and every single item behind them.

`tables` is what the page shows first; `item_sets` reads item tables, `picks`
draws from them, `pictures` makes small pictures, `pieces` is what lies beside
the page, and `write` puts it all in its place, whole or not at all. Questions and
right answers come from `vle_bench.eval.facts`.
"""
