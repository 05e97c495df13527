"""Files: readers and writers that data sets share."""
