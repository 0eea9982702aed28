"""What references say of single items, for whoever explains a score: pages and `explain`."""
