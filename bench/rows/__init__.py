"""The rows of the bench, one file each: a function of the stand that gives lines `name: value` and what was seen."""
