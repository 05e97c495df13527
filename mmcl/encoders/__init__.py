"""Encoders: functions from the observations of one modality to its representation."""
