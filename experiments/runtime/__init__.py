"""Runtime: devices, processes, signals, progress and the command line."""
