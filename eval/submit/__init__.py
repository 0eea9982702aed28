"""Files for official servers, written and checked before anything is uploaded."""
