"""What would become of a call: the stages of the pipeline run dry, to answer questions of control."""
