"""Zero-shot: images assigned to the concepts of their group by representations of words."""
