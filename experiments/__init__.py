"""Who asks: configs, sweeps, checkpoints, tables, figures and the command line."""
