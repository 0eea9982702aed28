"""From predictions to scores, results and leaderboards."""
