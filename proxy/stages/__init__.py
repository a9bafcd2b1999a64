"""The stages of the pipeline, one file each, in the order of `proxy/pipeline.py`."""
